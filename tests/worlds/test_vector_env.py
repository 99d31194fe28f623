"""The vector environment of a batch equals Gymnasium's over the same worlds, in every mode."""

from typing import Any

import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teachgym.testing.equality import difference
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import SerialBatch
from tests.toy import Reach, Wander

MODES = list(AutoresetMode)


def make(count: int, mode: AutoresetMode = AutoresetMode.NEXT_STEP, **settings: Any) -> BatchVectorEnv:
    return BatchVectorEnv(SerialBatch([Wander(**settings) for _ in range(count)]), autoreset_mode=mode)


def make_gymnasiums(count: int, mode: AutoresetMode, **settings: Any) -> Any:
    return SyncVectorEnv([lambda: Wander(**settings)] * count, autoreset_mode=mode)


def listed(played: Any) -> list[Any]:
    """With the arrays of objects in ``info`` as lists, which can be compared."""
    info = {
        key: list(value) if isinstance(value, np.ndarray) and value.dtype == object else value
        for key, value in played[-1].items()
    }
    return [*played[:-1], info]


def roll_out(env: Any, mode: AutoresetMode, *, seed: Any, steps: int, rng: np.random.Generator) -> list[Any]:
    """Play random actions; without autoreset, reset what is over, and now and then something else."""
    seen = [env.reset(seed=seed)]
    env.action_space.seed(0)
    for step in range(steps):
        played = env.step(env.action_space.sample())
        seen.append(played)
        over = played[2] | played[3]
        if mode is AutoresetMode.DISABLED:
            mask = over | (rng.random(len(over)) < 0.1)
            if mask.any():
                seen.append(env.reset(options={"reset_mask": mask}))
        elif rng.random() < 0.05:
            seen.append(env.reset(seed=step if rng.random() < 0.5 else None))
    return seen


@given(
    slots=st.sampled_from([1, 2, 5]),
    mode=st.sampled_from(MODES),
    seed=st.one_of(st.integers(0, 2**31), st.just([7, 3, None, 0, 9])),
    keys=st.booleans(),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_it_equals_gymnasiums_sync_vector_env(slots: int, mode: AutoresetMode, seed: Any, keys: bool) -> None:
    seed = seed[:slots] if isinstance(seed, list) else seed
    ours, theirs = make(slots, mode, keys=keys), make_gymnasiums(slots, mode, keys=keys)
    if isinstance(seed, list) and None in seed:  # both from a known state, so that None goes on from there
        ours.reset(seed=0)
        theirs.reset(seed=0)
    both = [roll_out(env, mode, seed=seed, steps=60, rng=np.random.default_rng(1)) for env in (ours, theirs)]
    assert difference([listed(played) for played in both[1]], [listed(played) for played in both[0]]) is None
    for mine, its in zip(*both, strict=True):
        assert [part.dtype for part in mine[:-1]] == [part.dtype for part in its[:-1]]
        assert mine[-1].keys() == its[-1].keys()
        assert mine[-1]["task"].dtype == its[-1]["task"].dtype
    generators = zip(ours.np_random, theirs.np_random, strict=True)
    assert all(mine.bit_generator.state == its.bit_generator.state for mine, its in generators)
    assert ours.np_random_seed == theirs.np_random_seed


@pytest.mark.parametrize("mode", MODES)
def test_its_description_equals_that_of_sync_vector_env(mode: AutoresetMode) -> None:
    ours, theirs = make(3, mode, render_mode="rgb_array"), make_gymnasiums(3, mode, render_mode="rgb_array")
    for name in (
        "observation_space",
        "action_space",
        "single_observation_space",
        "single_action_space",
        "num_envs",
        "metadata",
        "render_mode",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name
    ours.reset(seed=1)
    theirs.reset(seed=1)
    assert difference(ours.render(), theirs.render()) is None
    assert len(set(map(bytes, ours.render()))) > 1


def test_the_mode_may_be_given_by_name() -> None:
    batch = SerialBatch([Wander()])
    assert BatchVectorEnv(batch, autoreset_mode="SameStep").autoreset_mode is AutoresetMode.SAME_STEP
    assert BatchVectorEnv(batch).autoreset_mode is AutoresetMode.NEXT_STEP
    with pytest.raises(ValueError, match="Never"):
        BatchVectorEnv(batch, autoreset_mode="Never")


def test_one_task_for_all_and_one_task_a_slot() -> None:
    env = make(3)
    for task in ([0.5, -0.5], np.array([0.5, -0.5]), {"drift_0": 0.5, "drift_1": -0.5}):
        _, info = env.reset(options={"task": task})
        assert info["task"].tolist() == [[0.5, -0.5]] * 3
        assert info["_task"].tolist() == [True] * 3
    each = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
    for tasks in (each, np.array(each), [each[0], np.array(each[1]), {"drift_0": 0.5, "drift_1": 0.6}]):
        _, info = env.reset(options={"task": tasks})
        assert info["task"].tolist() == each
    _, info = env.reset(seed=0, options={"task": [each[0], None, each[2]]})
    drawn = Wander().task_space.uniform(np.random.default_rng(1))
    assert info["task"].tolist() == [each[0], drawn.tolist(), each[2]]


def test_numbers_are_one_task_and_lists_of_one_number_are_a_task_each() -> None:
    env = make(2, dimensions=1)
    assert env.reset(options={"task": 0.5})[1]["task"].tolist() == [[0.5], [0.5]]
    assert env.reset(options={"task": [0.5]})[1]["task"].tolist() == [[0.5], [0.5]]
    assert env.reset(options={"task": [[0.5], [0.1]]})[1]["task"].tolist() == [[0.5], [0.1]]
    with pytest.raises(ValueError, match=r"slot 0: task has shape \(2,\); expected \(1,\)"):
        env.reset(options={"task": [0.5, 0.1]})


def test_slots_may_differ_in_their_task_spaces() -> None:
    env = BatchVectorEnv(SerialBatch([Wander(dimensions=1), Wander(dimensions=2)]), autoreset_mode="Disabled")
    _, info = env.reset(options={"task": [[0.5], [0.1, 0.2]]})
    assert [task.tolist() for task in info["task"]] == [[0.5], [0.1, 0.2]]
    _, info = env.reset(options={"task": [[0.4], [0.1, 0.2]], "reset_mask": np.array([True, False])})
    assert info["task"][0].tolist() == [0.4]
    assert info["task"][1] is None
    assert info["_task"].tolist() == [True, False]
    with pytest.raises(ValueError, match="slot 1: task has shape"):
        env.reset(options={"task": [0.5]})


def test_a_task_of_reset_is_played_in_that_episode_only() -> None:
    env = make(1, AutoresetMode.SAME_STEP)
    env.reset(seed=0, options={"task": [0.5, 0.5]})
    over = False
    while not over:
        _, _, terminated, truncated, info = env.step(np.zeros((1, 1)))
        over = bool(terminated[0] or truncated[0])
    assert info["final_info"]["task"].tolist() == [[0.5, 0.5]]
    assert info["task"].tolist() != [[0.5, 0.5]]


@pytest.mark.parametrize("mode", MODES)
def test_what_was_returned_does_not_change_and_changing_it_has_no_effect(mode: AutoresetMode) -> None:
    def play(env: BatchVectorEnv, *, scribble: bool) -> list[Any]:
        kept = []
        returned: list[Any] = [env.reset(seed=0)]
        for _ in range(30):
            returned.append(env.step(np.zeros((3, 1), dtype=np.float32)))
            over = returned[-1][2] | returned[-1][3]
            if mode is AutoresetMode.DISABLED and over.any():
                returned.append(env.reset(options={"reset_mask": over.copy()}))
            kept.append([part.copy() for played in returned for part in [*played[:-1], played[-1]["task"]]])
            for part in [part for played in returned for part in [*played[:-1], played[-1]["task"]] if scribble]:
                part[:] = 1
            if scribble:
                returned.clear()
        return kept[-1] if not scribble else [part for parts in kept for part in parts]

    assert difference(play(make(3, mode), scribble=False), play(make(3, mode), scribble=True)) is None


def test_the_options_of_the_caller_stay_as_they_are() -> None:
    env = make(2, AutoresetMode.DISABLED)
    env.reset()
    mask, task = np.array([True, False]), np.array([0.1, 0.2])
    options = {"task": task, "reset_mask": mask}
    env.reset(options=options)
    assert options == {"task": task, "reset_mask": mask}
    assert task.tolist() == [0.1, 0.2]
    assert mask.tolist() == [True, False]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"options": {"tsk": 0}}, ValueError, "unknown reset option 'tsk'; did you mean 'task'"),
        ({"options": {"task": [0.5, 2.0]}}, ValueError, "slot 0: task parameter 'drift_1' is 2.0"),
        ({"options": {"task": [[0.5, 0.5], [0.5, 2.0]]}}, ValueError, "slot 1: task parameter 'drift_1' is 2.0"),
        ({"options": {"task": [[0.5, 0.5]] * 3}}, ValueError, "there are 3 tasks; expected 2"),
        ({"options": {"task": "left"}}, ValueError, "slot 0: task 'left' is not numeric"),
        ({"options": {"reset_mask": [True, False]}}, TypeError, "expected a NumPy array of bool"),
        ({"options": {"reset_mask": np.array([1, 0])}}, TypeError, "expected a NumPy array of bool"),
        ({"options": {"reset_mask": np.array([True])}}, ValueError, r"shape \(1,\); expected \(2,\)"),
        ({"options": {"reset_mask": np.array([False] * 2)}}, ValueError, "at least one slot"),
        ({"options": {"reset_mask": np.array([False, True])}}, ResetNeeded, "reset all slots before"),
        ({"options": 5}, TypeError, "options are 5; expected a mapping from 'task', 'reset_mask'"),
        ({"seed": 1.5}, ValueError, "seed is 1.5"),
        ({"seed": [1, 2, 3]}, ValueError, "there are 3 seeds; expected 2"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"seed": [1, -1]}, ValueError, "seed is -1"),
    ],
)
def test_what_reset_does_not_take_is_named(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(2).reset(**arguments)


@pytest.mark.parametrize("actions", [np.zeros(2), np.zeros((1, 1)), np.zeros((2, 1, 1)), 0.0])
def test_actions_of_another_shape_are_refused(actions: NDArray[Any]) -> None:
    env = make(2)
    env.reset()
    with pytest.raises(ValueError, match=r"actions have shape .*; expected \(2, 1\)"):
        env.step(actions)


def test_it_must_be_reset_before_it_is_stepped_and_is_of_no_use_after_it_is_closed() -> None:
    env = make(2)
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(np.zeros((2, 1)))
    env.reset()
    env.close()
    for use in (env.reset, env.render, lambda: env.step(np.zeros((2, 1)))):
        with pytest.raises(ClosedEnvironmentError, match="make new ones"):
            use()
    env.close()


def test_without_autoreset_a_slot_that_is_over_must_be_reset() -> None:
    worlds = [Reach(length=1), Reach(length=2), Reach(length=1)]
    env = BatchVectorEnv(SerialBatch(worlds), autoreset_mode=AutoresetMode.DISABLED)
    env.reset()
    env.step(np.zeros((3, 1)))
    with pytest.raises(ResetNeeded, match="the episode of slot 0, 2 is over"):
        env.step(np.zeros((3, 1)))
    env.reset(options={"reset_mask": np.array([True, False, True])})
    env.step(np.zeros((3, 1)))
