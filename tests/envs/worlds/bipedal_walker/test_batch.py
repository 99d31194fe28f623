"""The fast engine as a vector environment: interfaces, copies, threads, and what bad input does."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.worlds.bipedal_walker.batch import WalkerBatch, make_walkers
from teachgym.envs.worlds.bipedal_walker.engines import fast_engine
from teachgym.envs.worlds.bipedal_walker.terrain import Terrain, Track
from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker
from teachgym.worlds.sb3_vec_env import SB3VecEnv
from teachgym.worlds.vector_env import BatchVectorEnv

WALKER = "teachgym/ParametricBipedalWalker-v0"


def fast(count: int = 4, **settings: Any) -> BatchVectorEnv:
    return make_walkers(count, engine="fast", **settings)


def test_make_vec_makes_the_fast_engine() -> None:
    env = gymnasium.make_vec(WALKER, num_envs=5, terrain="grass", autoreset_mode=AutoresetMode.SAME_STEP)
    assert isinstance(env, BatchVectorEnv)
    assert isinstance(env.batch, WalkerBatch)
    assert env.single_observation_space == gymnasium.make(WALKER).observation_space
    observations, info = env.reset(seed=3)
    assert observations.shape == (5, 24)
    assert observations in env.observation_space
    assert info["task"].shape == (5, 1)


def test_slots_are_seeded_one_by_one() -> None:
    env = fast(3)
    together, _ = env.reset(seed=[7, 8, 9])
    for slot, seed in enumerate([7, 8, 9]):
        alone, _ = ParametricBipedalWalker(engine="reference").reset(seed=seed)
        np.testing.assert_array_equal(together[slot], alone)


def test_results_are_new_arrays_which_later_steps_leave_alone() -> None:
    env = fast(2)
    observations, _ = env.reset(seed=0)
    kept = observations.copy()
    stepped = env.step(np.ones((2, 4)))[0]
    np.testing.assert_array_equal(observations, kept)
    assert not np.shares_memory(observations, stepped)


def test_ppo_trains_in_it() -> None:
    from stable_baselines3 import PPO

    env = SB3VecEnv(fast(4, autoreset_mode=AutoresetMode.SAME_STEP))
    before = PPO("MlpPolicy", env, n_steps=32, batch_size=64, seed=0, device="cpu")
    weights = [parameter.detach().clone() for parameter in before.policy.parameters()]
    before.learn(256)
    assert any((one != other).any() for one, other in zip(weights, before.policy.parameters(), strict=True))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_in_the_middle_of_episodes_goes_on_bit_for_bit(duplicate: Any) -> None:
    env = fast(6, autoreset_mode=AutoresetMode.SAME_STEP, terrain=["stump-tracks"] * 3 + ["stump-sequence"] * 3)
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(150):
        env.step(rng.uniform(-1, 1, (6, 4)))
    other = duplicate(env)
    for _ in range(200):
        actions = rng.uniform(-1, 1, (6, 4))
        for one, two in zip(env.step(actions)[:4], other.step(actions)[:4], strict=True):
            assert one.tobytes() == two.tobytes()


def test_a_copy_before_the_first_reset_and_of_a_closed_batch() -> None:
    env = fast(2)
    pickle.loads(pickle.dumps(env)).reset(seed=0)
    env.close()
    with pytest.raises(gymnasium.error.ClosedEnvironmentError):
        pickle.loads(pickle.dumps(env)).reset()


def test_pictures_are_those_of_the_reference_world() -> None:
    vector = fast(2, render_mode="rgb_array")
    single = ParametricBipedalWalker(engine="reference", render_mode="rgb_array")
    vector.reset(seed=4)
    single.reset(seed=5)
    rng = np.random.default_rng(0)
    for _ in range(3):
        for _ in range(15):
            actions = rng.uniform(-0.2, 0.2, (2, 4))
            vector.step(actions)
            single.step(actions[1])
        np.testing.assert_array_equal(vector.render()[1], single.render())
    vector.reset(seed=8)
    single.reset(seed=9)
    np.testing.assert_array_equal(vector.render()[1], single.render())


def test_pictures_of_the_single_fast_walker_are_those_of_the_reference_world() -> None:
    walkers = [ParametricBipedalWalker(engine=engine, render_mode="rgb_array") for engine in ("fast", "reference")]
    for walker in walkers:
        walker.reset(seed=4)
        for _ in range(30):
            walker.step([0.5, -1, 0.2, 1])
    pictures = [walker.render() for walker in walkers]
    np.testing.assert_array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_envs": 0}, "num_envs is 0; expected"),
        ({"threads": 0}, "threads is 0; expected"),
        ({"max_episode_steps": 0}, "max_episode_steps is 0; expected"),
        ({"body": ["default", "quadruped"]}, "same number of legs"),
        ({"body": ["default"]}, "body names 1; expected 2"),
        ({"terrain": ["grass"] * 3}, "terrain names 3; expected 2"),
        ({"body": "shrot"}, "unknown body 'shrot'; did you mean 'short'"),
        ({"terrain": "gras"}, "unknown terrain 'gras'; did you mean 'grass'"),
        ({"engine": "quick"}, "unknown engine 'quick'"),
        ({"render_mode": "human"}, "unknown render mode 'human'"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_walkers(**{"num_envs": 2, **settings})


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ({}, 2000),
        ({"max_episode_steps": None}, 2000),
        ({"max_episode_steps": 3}, 3),
        ({"max_episode_steps": -1}, None),
    ],
    ids=str,
)
def test_make_vec_takes_a_time_limit_as_make_does(engine: str, given: dict[str, Any], steps: int | None) -> None:
    single = gymnasium.make(WALKER, engine=engine, **given)
    assert single.spec is not None
    assert single.spec.max_episode_steps == steps
    env = gymnasium.make_vec(WALKER, 1, terrain="grass", engine=engine, **given)
    env.reset(seed=0, options={"task": [[0.0]]})
    standing = np.array([[1.0, 1.0, -1.0, 1.0]])
    ends = [env.step(standing)[2:4] for _ in range((steps or 2000) + 1)]
    assert not any(terminated for terminated, _ in ends)
    assert next((i + 1 for i, (_, truncated) in enumerate(ends) if truncated), None) == steps


@pytest.mark.parametrize("name", ["SimulatedSkills", "SimulatedTasks"])
def test_simulated_lifetimes_take_no_time_limit_but_their_own(name: str) -> None:
    for none in (None, -1):
        gymnasium.make_vec(f"teachgym/{name}-v0", 1, max_episode_steps=none)
    with pytest.raises(ValueError, match=r"max_episode_steps is 5; expected None or -1, and budget for a limit"):
        gymnasium.make_vec(f"teachgym/{name}-v0", 1, max_episode_steps=5)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_an_action_that_is_not_finite_is_refused_and_moves_nobody(engine: str) -> None:
    env, other = make_walkers(3, engine=engine), make_walkers(3, engine=engine)
    env.reset(seed=0)
    other.reset(seed=0)
    for bad in (np.nan, np.inf, -np.inf):
        for dtype in (np.float32, np.float64):
            actions = np.zeros((3, 4), dtype=dtype)
            actions[1, 2] = bad
            message = r"action of slot 1 is \[0\.0, 0\.0, (nan|-?inf), 0\.0\]; expected 4 finite"
            with pytest.raises(ValueError, match=message):
                env.step(actions)
    good = np.full((3, 4), 0.5)
    np.testing.assert_array_equal(env.step(good)[0], other.step(good)[0])


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_actions_of_any_numeric_kind_and_layout_are_taken(engine: str) -> None:
    env, other = make_walkers(3, engine=engine), make_walkers(3, engine=engine)
    env.reset(seed=0)
    other.reset(seed=0)
    actions = np.array([[1, 0, -1, 1]] * 3)
    expected = other.step(actions.astype(np.float64))[0]
    np.testing.assert_array_equal(env.step(np.asfortranarray(actions))[0], expected)
    with pytest.raises(ValueError, match="not numeric"):
        env.step(np.full((3, 4), "left"))
    with pytest.raises(ValueError, match=r"actions have shape \(3, 5\); expected \(3, 4\)"):
        env.step(np.zeros((3, 5)))


def test_a_task_out_of_range_is_refused_by_slot() -> None:
    with pytest.raises(
        ValueError, match=r"slot 1: task parameter 'stump_height' is 9.0; expected a number in \[0, 3\]"
    ):
        fast(2).reset(options={"task": [[1.0, 1.0], [9.0, 1.0]]})


def test_before_reset_and_after_close() -> None:
    env = fast(2)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros((2, 4)))
    with pytest.raises(gymnasium.error.ResetNeeded, match="slot 1 has no track"):
        env.batch.task(1)
    env.reset()
    env.close()
    for call in (env.reset, lambda: env.step(np.zeros((2, 4))), env.render):
        with pytest.raises(gymnasium.error.ClosedEnvironmentError):
            call()
    with pytest.raises(gymnasium.error.ClosedEnvironmentError, match="can't be stepped"):
        env.batch.step(np.arange(2), np.zeros((2, 4)))


class Given(Terrain):
    """A track from outside."""

    task_space = TaskSpace([Parameter("nothing", 0.0, 1.0)])

    def __init__(self, *obstacles: tuple[tuple[float, float], ...]) -> None:
        self._obstacles = obstacles

    def generate(self, task: FloatArray, rng: np.random.Generator) -> Track:
        return Track(ground=((0.0, 3.3), (100.0, 3.3)), obstacles=self._obstacles)


TWO_CORNERS = ((20.0, 3.3), (21.0, 3.3))
NO_AREA = ((20.0, 3.3), (21.0, 3.3), (22.0, 3.3))
SEVENTEEN = tuple((20.0 + float(np.cos(a)), 5.0 + float(np.sin(a))) for a in np.arange(17) * 2 * np.pi / 17)
NOT_FINITE = ((20.0, 3.3), (21.0, 3.3), (np.nan, 4.0))
COLLAPSED = ((0.0, 0.0), (1e-4, 0.0), (0.0, 1e-4))
TWICE = ((20.0, 3.3), (20.0, 3.3), (21.0, 3.3), (20.5, 4.0))


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("obstacle", [TWO_CORNERS, NO_AREA, SEVENTEEN, NOT_FINITE, TWICE], ids=len)
def test_an_impossible_track_is_an_error_in_both_engines_and_the_next_one_is_played(engine: str, obstacle: Any) -> None:
    env = ParametricBipedalWalker(terrain=Given(obstacle), engine=engine)
    with pytest.raises(ValueError, match="polygon"):
        env.reset(seed=0)
    env.terrain = Given(((20.0, 3.3), (21.0, 3.3), (20.5, 4.0)))
    fresh = ParametricBipedalWalker(terrain=env.terrain, engine=engine)
    fresh.reset(seed=0)
    fresh.step(np.zeros(4))


def test_the_module_itself_checks_what_it_is_given() -> None:
    engine = fast_engine()
    sizes = {"leg_length": 1.0, "leg_width": 0.2, "torque": 80.0, "effort_price": 0.0, "observed_legs": 2}
    hull, rays = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], [(0.0, -1.0)] * 10
    body = engine.Body(hull=hull, leg_pairs=[(0.0, 0.0)], rays=rays, first_reported=False, **sizes)
    batch = engine.Batch([body] * 2, 0, 1)
    arrays = [np.empty((2, 24), np.float32), np.empty(2), np.empty(2, bool), np.empty(2, bool)]
    with pytest.raises(RuntimeError, match="before it has begun"):
        batch.step(np.arange(2), np.zeros((2, 4)), *arrays)
    with pytest.raises(IndexError, match="no such slot"):
        batch.step(np.array([0, 2]), np.zeros((2, 4)), *arrays)
    with pytest.raises(IndexError, match="no such slot"):
        batch.actions(-1)
    with pytest.raises(ValueError, match="given twice"):
        batch.step(np.array([1, 1]), np.zeros((2, 4)), *arrays)
    with pytest.raises(ValueError, match="tracks has a shape"):
        batch.begin(np.arange(2), [], arrays[0])
    with pytest.raises(ValueError, match="actions has a shape"):
        batch.step(np.arange(2), np.zeros((2, 3)), *arrays)
    with pytest.raises(ValueError, match="rewards has a shape"):
        batch.step(np.arange(2), np.zeros((2, 4)), arrays[0], np.empty(1), *arrays[2:])
    with pytest.raises(TypeError):
        batch.step(np.arange(2), np.zeros((2, 4)), np.empty((2, 24)), *arrays[1:])
    with pytest.raises(ValueError, match="needs at least one"):
        engine.Batch([], 0, 1)


class Collapsing(Given):
    """Holds a polygon, which Box2D refuses, where the task says so."""

    def generate(self, task: FloatArray, rng: np.random.Generator) -> Track:
        return Track(((0.0, 3.3), (100.0, 3.3)), (COLLAPSED,) if task[0] else (), check=False)


def test_where_one_reset_fails_none_of_its_episodes_goes_on() -> None:
    """Box2D refuses the second track, after the first has been built."""
    batch, slots = fast(2, terrain=Collapsing()).batch, np.arange(2)
    good, bad = np.zeros(1), np.ones(1)
    batch.reset(slots, [good, good])
    batch.step(slots, np.zeros((2, 4)))
    with pytest.raises(AssertionError, match="area"):
        batch.reset(slots, [good, bad])
    with pytest.raises(RuntimeError, match="before it has begun"):
        batch.step(slots, np.zeros((2, 4)))
    batch.reset(slots, [good, good])


def test_two_threads_may_not_play_one_batch_at_once() -> None:
    """Each call either plays or is refused; nothing crashes."""
    env, other = fast(64), fast(64)
    env.reset(seed=0)
    other.reset(seed=0)
    actions, slots = np.zeros((64, 4)), np.arange(64)
    refused: list[str] = []

    def play() -> None:
        for _ in range(30):
            try:
                env.batch.step(slots, actions)
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=play) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("in use by another thread" in message for message in refused)
    for _ in range(4 * 30 - len(refused)):
        other.batch.step(slots, actions)
    np.testing.assert_array_equal(env.batch.step(slots, actions)[0], other.batch.step(slots, actions)[0])


def test_two_batches_in_two_threads_get_what_they_get_alone() -> None:
    def play(seed: int, into: dict[int, bytes]) -> None:
        env = fast(20, threads=2, autoreset_mode=AutoresetMode.SAME_STEP)
        rng = np.random.default_rng(seed)
        observations, _ = env.reset(seed=seed)
        for _ in range(60):
            observations = env.step(rng.uniform(-1, 1, (20, 4)))[0]
        into[seed] = observations.tobytes()

    alone: dict[int, bytes] = {}
    together: dict[int, bytes] = {}
    for seed in range(3):
        play(seed, alone)
    threads = [threading.Thread(target=play, args=(seed, together)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def _run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_plays_on_with_threads_of_its_own() -> None:
    result = _run("""
        import os, sys
        import numpy as np
        from teachgym.envs.worlds.bipedal_walker.batch import make_walkers

        env = make_walkers(40, engine="fast", threads=3)
        env.reset(seed=0)
        actions = np.full((40, 4), 0.5)
        env.step(actions)
        read, write = os.pipe()
        child = os.fork()
        observations = env.step(actions)[0].tobytes()
        if child == 0:
            os.write(write, observations)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0, status
        assert os.read(read, len(observations)) == observations
        print("same")
        """)
    assert result.stdout == "same\n", result.stderr


@pytest.mark.parametrize("threads", [1, 2])
def test_the_interpreter_may_end_in_the_middle_of_a_step(threads: int) -> None:
    for _ in range(2):
        result = _run(f"""
            import threading, time
            import numpy as np
            from teachgym.envs.worlds.bipedal_walker.batch import make_walkers

            def play():
                env = make_walkers(64, engine="fast", threads={threads})
                env.reset(seed=0)
                while True:
                    env.step(np.zeros((64, 4)))
                    began.set()

            began = threading.Event()
            for _ in range(3):
                threading.Thread(target=play, daemon=True).start()
            began.wait()
            time.sleep(0.05)
            """)
        assert result.returncode == 0, result.stderr
        assert "terminate called" not in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's size from /proc")
def test_walkers_do_not_leak() -> None:
    """Memory after many episodes and batches is what it was after some."""

    def resident_after(batches: int) -> int:
        for _ in range(batches):
            env = fast(8, terrain="grass")
            for _ in range(8):
                env.reset(seed=0)
                env.step(np.zeros((8, 4)))
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    before = resident_after(3)
    assert resident_after(12) - before < 4 * 2**20
