"""The walker as a Gymnasium environment: spaces, errors, copies, reproducibility."""

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from teachgym.envs.worlds.bipedal_walker.bodies import BODIES
from teachgym.envs.worlds.bipedal_walker.terrain import StumpTracks
from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker
from teachgym.testing.equality import difference
from teachgym.testing.world import check_world
from tests.envs.worlds.bipedal_walker.walker_moves import BODIES_ON_TERRAINS, move, reference_walker, simulation_of

BODY_NAMES = sorted(BODIES)


def roll_out(env: ParametricBipedalWalker, steps: int, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [env.step(rng.uniform(-1, 1, env.body.joints)) for _ in range(steps)]


@pytest.mark.parametrize(("body", "terrain"), BODIES_ON_TERRAINS)
def test_every_body_and_every_terrain_make_a_world(body: str, terrain: str) -> None:
    check_world(lambda: gymnasium.make("teachgym/ParametricBipedalWalker-v0", body=body, terrain=terrain))


@pytest.mark.parametrize(
    ("body", "observation", "action"), [("default", 24, 4), ("short", 24, 4), ("quadruped", 34, 8)]
)
def test_spaces_have_the_papers_shapes(body: str, observation: int, action: int) -> None:
    env = ParametricBipedalWalker(body=body)
    assert env.observation_space.shape == (observation,)
    assert env.observation_space.dtype == np.float32
    assert env.action_space.shape == (action,)
    assert env.action_space.dtype == np.float32


@pytest.mark.parametrize("body", BODY_NAMES)
def test_observations_stay_within_their_bounds(body: str) -> None:
    env = ParametricBipedalWalker(body=body, terrain="stump-sequence")
    observation, _ = env.reset(seed=1)
    assert observation in env.observation_space
    for observation, *_ in roll_out(env, 200, 1):
        assert observation in env.observation_space


@pytest.mark.parametrize("body", BODY_NAMES)
@pytest.mark.parametrize("velocity", [(1000.0, 0.0), (-1000.0, 1000.0), (0.0, -1000.0)])
def test_the_bounds_hold_for_a_walker_that_is_thrown(body: str, velocity: tuple[float, float]) -> None:
    env = reference_walker(body=body)
    env.reset(seed=1)
    move(env, 40.0, velocity=velocity)
    simulation_of(env).hull.angularVelocity = 1e4
    observations = [observation for observation, *_ in roll_out(env, 3, 1)]
    assert all(observation in env.observation_space for observation in observations)
    assert max(np.abs(observation[1:4]).max() for observation in observations) > 1


def test_make_limits_episodes_to_2000_steps() -> None:
    env = gymnasium.make("teachgym/ParametricBipedalWalker-v0")
    assert env.spec is not None
    assert env.spec.max_episode_steps == 2000


def test_with_seed_3_two_runs_are_equal() -> None:
    runs = []
    for _ in range(2):
        env = ParametricBipedalWalker(terrain="hexagon-tracks")
        runs.append([env.reset(seed=3), *roll_out(env, 80, 3), env.reset(), *roll_out(env, 80, 4)])
    assert difference(runs[0], runs[1]) is None


def test_with_seed_0_two_runs_are_equal_and_seed_1_differs() -> None:
    env = ParametricBipedalWalker()
    first, again, other = (env.reset(seed=seed) for seed in (0, 0, 1))
    assert difference(first, again) is None
    assert difference(first, other) is not None


def test_without_a_task_the_seed_draws_one_uniformly() -> None:
    env = ParametricBipedalWalker()
    env.reset(seed=0)
    tasks = np.array([env.reset()[1]["task"] for _ in range(300)])
    assert all(env.task_space.contains(task) for task in tasks)
    np.testing.assert_allclose(tasks.mean(axis=0), [1.5, 3.0], atol=0.25)


def test_a_task_can_be_a_mapping() -> None:
    env = ParametricBipedalWalker()
    _, info = env.reset(seed=0, options={"task": {"stump_spacing": 4.0, "stump_height": 1.0}})
    np.testing.assert_array_equal(info["task"], [1.0, 4.0])


def test_a_terrain_instance_brings_its_own_task_space() -> None:
    env = ParametricBipedalWalker(terrain=StumpTracks(max_height=5.0))
    _, info = env.reset(options={"task": [4.5, 2.0]})
    np.testing.assert_array_equal(info["task"], [4.5, 2.0])


@pytest.mark.parametrize("body", BODY_NAMES)
@pytest.mark.parametrize("defects", ["fixed", "faithful"])
def test_a_pickled_walker_continues_bit_for_bit(body: str, defects: str) -> None:
    env = ParametricBipedalWalker(body=body, terrain="hexagon-tracks", defects=defects)
    env.reset(seed=5)
    roll_out(env, 40, 5)
    twin, third = pickle.loads(pickle.dumps(env)), copy.deepcopy(env)
    expected = [*roll_out(env, 60, 6), env.reset(), *roll_out(env, 20, 7)]
    for other in (twin, third):
        assert difference(expected, [*roll_out(other, 60, 6), other.reset(), *roll_out(other, 20, 7)]) is None


def test_a_copy_of_a_copy_continues_bit_for_bit() -> None:
    env = ParametricBipedalWalker()
    env.reset(seed=5)
    roll_out(env, 20, 5)
    twin = copy.deepcopy(env)
    roll_out(env, 20, 6)
    roll_out(twin, 20, 6)
    assert difference(roll_out(env, 20, 7), roll_out(pickle.loads(pickle.dumps(twin)), 20, 7)) is None


def test_walkers_that_were_not_reset_or_were_closed_can_be_pickled() -> None:
    env = ParametricBipedalWalker()
    assert difference(pickle.loads(pickle.dumps(env)).reset(seed=1), env.reset(seed=1)) is None
    env.close()
    with pytest.raises(gymnasium.error.ClosedEnvironmentError):
        pickle.loads(pickle.dumps(env)).reset()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"body": "quadruple"}, "unknown body 'quadruple'; did you mean 'quadruped'"),
        ({"terrain": "stump-track"}, "unknown terrain 'stump-track'; did you mean 'stump-tracks'"),
        ({"engine": "fats"}, "unknown engine 'fats'; did you mean 'fast'"),
        ({"defects": "faitful"}, "unknown variant of defects 'faitful'; did you mean 'faithful'"),
        ({"defects": {"lidr": "fixed"}}, "unknown defect 'lidr'; did you mean 'lidar'"),
        ({"defects": {"lidar": "broken"}}, "unknown variant of lidar 'broken'"),
        ({"defects": {"lidar": True}}, "lidar is True; expected 'fixed' or 'faithful'"),
        ({"defects": {"effort_price": 0}}, "effort_price is 0; expected at least 1"),
        ({"defects": 1}, "defects is 1; expected text, or values by name"),
        ({"render_mode": "rgb"}, "unknown render mode 'rgb'; did you mean 'rgb_array'"),
    ],
)
def test_an_unknown_name_is_an_error_that_suggests_one(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ParametricBipedalWalker(**keywords)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ([0.0, np.nan, 0.0, 0.0], "expected 4 finite numbers"),
        ([0.0, 0.0, 0.0, -np.inf], "expected 4 finite numbers"),
        ([0.0] * 8, r"action has shape \(8,\); expected 4 finite numbers"),
        (0.0, r"action has shape \(\)"),
        ("forward", "not numeric"),
    ],
)
def test_a_bad_action_is_an_error_and_changes_nothing(action: Any, message: str) -> None:
    env, untouched = ParametricBipedalWalker(), ParametricBipedalWalker()
    env.reset(seed=0)
    untouched.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.step(action)
    assert difference(roll_out(env, 5, 0), roll_out(untouched, 5, 0)) is None


def test_actions_beyond_1_count_as_1() -> None:
    env = ParametricBipedalWalker()
    outcomes = []
    for size in (1.0, 7.0):
        env.reset(seed=0)
        outcomes.append([env.step([size, -size, -size, size]) for _ in range(30)])
    assert difference(outcomes[0], outcomes[1]) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tsk": [1, 1]}, "unknown reset option 'tsk'; did you mean 'task'"),
        ({"task": [4.0, 1.0]}, r"'stump_height' is 4.0; expected a number in \[0, 3\] terrain steps"),
        ({"task": [1.0]}, "shape"),
        ({"task": [np.nan, 1.0]}, "'stump_height' is nan"),
    ],
)
def test_bad_reset_options_are_errors_and_leave_the_episode_running(options: dict[str, Any], message: str) -> None:
    env, untouched = ParametricBipedalWalker(), ParametricBipedalWalker()
    env.reset(seed=0)
    untouched.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.reset(seed=9, options=options)
    assert difference(roll_out(env, 5, 0), roll_out(untouched, 5, 0)) is None


def test_stepping_or_drawing_before_reset_is_an_error() -> None:
    env = ParametricBipedalWalker(render_mode="rgb_array")
    with pytest.raises(gymnasium.error.ResetNeeded, match="stepped before reset"):
        env.step(np.zeros(4))
    with pytest.raises(gymnasium.error.ResetNeeded, match="rendered before reset"):
        env.render()


def test_a_closed_walker_can_only_be_closed_again() -> None:
    env = ParametricBipedalWalker()
    env.reset(seed=0)
    env.close()
    env.close()
    with pytest.raises(gymnasium.error.ClosedEnvironmentError, match="can't be stepped"):
        env.step(np.zeros(4))
    with pytest.raises(gymnasium.error.ClosedEnvironmentError, match="can't be reset"):
        env.reset()


def test_what_a_caller_does_to_the_results_does_not_reach_the_walker() -> None:
    env, untouched = ParametricBipedalWalker(), ParametricBipedalWalker()
    task = np.array([1.0, 2.0])
    observation, info = env.reset(seed=0, options={"task": task})
    untouched.reset(seed=0, options={"task": task.copy()})
    observation[:], info["task"][:], task[:] = 9, 9, 9
    assert difference(roll_out(env, 5, 0), roll_out(untouched, 5, 0)) is None


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's size from /proc")
def test_many_episodes_of_the_reference_take_no_more_memory() -> None:
    env = reference_walker()
    sizes = []
    for _ in range(2):
        for _ in range(300):
            env.reset(seed=0)
            env.step(np.zeros(4))
        sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
    assert sizes[1] - sizes[0] < 200_000
