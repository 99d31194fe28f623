"""The fast engine equals the reference engine bit for bit: the reason that its results can be trusted."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.box2d.bipedal_walker import BipedalWalkerHeuristics
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teachgym.envs.worlds.bipedal_walker.batch import WalkerBatch, make_walkers
from teachgym.envs.worlds.bipedal_walker.bodies import BODIES
from teachgym.envs.worlds.bipedal_walker.defects import DEFECTS
from teachgym.envs.worlds.bipedal_walker.terrain import (
    TERRAINS,
    HexagonTracks,
    ObstacleCourse,
    StumpSequence,
    StumpTracks,
    Terrain,
)
from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker
from teachgym.worlds.vector_env import BatchVectorEnv
from tests.envs.worlds.bipedal_walker.test_terrain import Ramp

Policy = Callable[[NDArray[np.float32], int, np.random.Generator], NDArray[Any]]
"""Actions ``(n, joints)`` for observations ``(n, d)`` at a step."""

DEFECT_CHOICES: list[Any] = ["fixed", "faithful", *({name: "faithful"} for name in DEFECTS), {"effort_price": 3}]


def random_policy(observations: NDArray[np.float32], step: int, rng: np.random.Generator) -> NDArray[Any]:
    """Also beyond 1, and with zeros."""
    actions = rng.uniform(-1.3, 1.3, (len(observations), _joints(observations)))
    actions[rng.random(actions.shape) < 0.1] = 0.0
    return actions


def striding_policy(observations: NDArray[np.float32], step: int, rng: np.random.Generator) -> NDArray[Any]:
    phase = step / 9 + np.arange(_joints(observations)) * 1.2
    noise = rng.normal(0, 0.1, (len(observations), _joints(observations)))
    return np.asarray(0.8 * np.sin(phase) + noise, dtype=np.float32)


def resting_policy(observations: NDArray[np.float32], step: int, rng: np.random.Generator) -> NDArray[Any]:
    """Stays still, so that Box2D puts the walker to sleep."""
    return np.zeros((len(observations), _joints(observations)))


def _joints(observations: NDArray[np.float32]) -> int:
    return 4 if observations.shape[1] == 24 else 8


def assert_equal_roll_outs(
    policy: Policy, *, seed: int, steps: int, count: int = 3, threads: int = 1, **settings: Any
) -> int:
    """Play both engines in step, with autoreset; returns how many episodes ended."""
    made = {"autoreset_mode": AutoresetMode.SAME_STEP, **settings}
    fast, reference = (make_walkers(count, engine=engine, **made) for engine in ("fast", "reference"))
    assert isinstance(fast.batch, WalkerBatch)
    assert not isinstance(reference.batch, WalkerBatch)
    rng = np.random.default_rng(seed)
    observations, info = fast.reset(seed=seed)
    _assert_same((observations, info), reference.reset(seed=seed))
    ended = 0
    for step in range(steps):
        actions = policy(observations, step, rng)
        result = fast.step(actions)
        _assert_same(result, reference.step(actions))
        observations, _, terminated, truncated, _ = result
        ended += int((terminated | truncated).sum())
    states = [[rng.bit_generator.state for rng in env.np_random] for env in (fast, reference)]
    assert states[0] == states[1]
    return ended


def _assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            _assert_same(a, b)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            _assert_same(one[name], other[name])
    elif isinstance(one, np.ndarray) and one.dtype == object:
        _assert_same(list(one), list(other))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        if one.tobytes() != other.tobytes():  # the bits, signs of zeros included
            np.testing.assert_array_equal(one.view(f"u{one.itemsize}"), other.view(f"u{one.itemsize}"))
    else:
        assert one == other


@pytest.mark.parametrize("defects", DEFECT_CHOICES, ids=str)
@pytest.mark.parametrize("body", BODIES)
def test_every_body_and_defect_on_all_terrains_under_random_actions(body: str, defects: Any) -> None:
    assert_equal_roll_outs(random_policy, seed=1, steps=150, count=6, body=body, terrain=[*TERRAINS], defects=defects)


@pytest.mark.slow
@pytest.mark.parametrize("policy", [random_policy, striding_policy, resting_policy])
@pytest.mark.parametrize("body", BODIES)
def test_long_roll_outs_with_many_episodes(body: str, policy: Policy) -> None:
    terrain = [*TERRAINS] * 3
    ended = assert_equal_roll_outs(
        policy, seed=7, steps=260, count=len(terrain), body=body, terrain=terrain, max_episode_steps=120
    )
    assert ended > len(terrain)


@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 40),
    threads=st.integers(1, 3),
    body=st.sampled_from(["default", "short", "quadruped"]),
    defects=st.sampled_from(["fixed", "faithful"]),
    data=st.data(),
)
@settings(max_examples=12, deadline=None)
def test_any_number_of_walkers_mixed_terrains_and_threads(
    seed: int, count: int, threads: int, body: str, defects: str, data: st.DataObject
) -> None:
    terrains = data.draw(st.lists(st.sampled_from(list(TERRAINS)), min_size=count, max_size=count))
    assert_equal_roll_outs(
        random_policy, seed=seed, steps=25, count=count, threads=threads, body=body, terrain=terrains, defects=defects
    )


@pytest.mark.parametrize(
    "terrain",
    [
        StumpTracks(max_height=5.0),
        HexagonTracks(spacing=3.0),
        StumpSequence(spacing=2.5),
        ObstacleCourse("easy"),
        Ramp(),
    ],
    ids=lambda terrain: type(terrain).__name__,
)
def test_terrains_with_settings_and_of_a_users_own(terrain: Terrain) -> None:
    assert_equal_roll_outs(random_policy, seed=3, steps=200, terrain=terrain)


def test_hundreds_of_tracks_begin_alike() -> None:
    envs = [make_walkers(120, engine=engine, terrain=[*TERRAINS] * 20) for engine in ("fast", "reference")]
    for seed in (0, None):
        _assert_same(*(env.reset(seed=seed) for env in envs))
    states = [[rng.bit_generator.state for rng in env.np_random] for env in envs]
    assert states[0] == states[1]


def test_bodies_of_one_size_can_be_mixed() -> None:
    assert_equal_roll_outs(random_policy, seed=3, steps=200, body=["default", "short", "short"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("terrain", "task", "seed"), [("grass", 0.0, 2), ("obstacle-course", [0.3, 0, 0.8, 0, 0.2, 0, 0.2, 9], 5)]
)
def test_a_skilled_walk_to_the_finish(terrain: str, task: Any, seed: int) -> None:
    """Gymnasium's controller on flat ground and over small obstacles: 1400 steps and more, to the end."""
    one, other = (
        gymnasium.make("teachgym/ParametricBipedalWalker-v0", terrain=terrain, engine=engine)
        for engine in ("fast", "reference")
    )
    controller = BipedalWalkerHeuristics()
    observation, info = one.reset(seed=seed, options={"task": task})
    _assert_same((observation, info), other.reset(seed=seed, options={"task": task}))
    over, steps = False, 0
    while not over:
        action = np.array(controller.step_heuristic(observation))  # type: ignore[no-untyped-call]
        result = one.step(action)
        _assert_same(result, other.step(action))
        observation, _, terminated, truncated, _ = result
        over, steps = terminated or truncated, steps + 1
    assert terminated
    assert steps > 1400


def test_the_single_walker_steps_on_after_its_end() -> None:
    one, other = (ParametricBipedalWalker(engine=engine) for engine in ("fast", "reference"))
    _assert_same(one.reset(seed=3), other.reset(seed=3))
    rng, ended = np.random.default_rng(3), False
    for _ in range(600):
        action = rng.uniform(-1, 1, 4)
        result = one.step(action)
        _assert_same(result, other.step(action))
        ended |= result[2]
    assert ended


def test_tasks_that_are_given_are_played() -> None:
    tasks = [[0.0, 0.0], [3.0, 6.0], [1.5, 3.0]]
    envs: list[BatchVectorEnv] = [make_walkers(3, engine=engine) for engine in ("fast", "reference")]
    results = [env.reset(seed=5, options={"task": tasks}) for env in envs]
    _assert_same(*results)
    np.testing.assert_array_equal(results[0][1]["task"], tasks)
