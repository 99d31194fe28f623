"""Whether a vector of lifetimes equals as many single environments."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv


def assert_equals_single_environments(
    name: str, mode: AutoresetMode, *, steps: int, size: int, truth: str, **settings: Any
) -> None:
    """Play both with the same random actions, with one slot reset alone on the way; compare bit for bit."""
    together = gymnasium.make_vec(name, num_envs=size, autoreset_mode=mode, **settings)
    alone = SyncVectorEnv(
        [lambda: gymnasium.make(name, disable_env_checker=True, **settings)] * size, autoreset_mode=mode
    )
    assert_same(together.reset(seed=5)[0], alone.reset(seed=5)[0])
    alone.action_space.seed(0)
    finished = 0
    for step in range(steps):
        if step == 7:
            mask = np.arange(size) == 1
            first, second = (vector.reset(options={"reset_mask": mask.copy()}) for vector in (together, alone))
            assert_same(first[0], second[0])
        actions = alone.action_space.sample()
        *outputs, info = together.step(actions)
        *expected, expected_info = alone.step(actions)
        for given, wanted in zip(outputs, expected, strict=True):
            assert_same(given, wanted)
        assert_same(info["spent"], expected_info["spent"])
        assert_same(info[truth], np.stack(expected_info[truth]))
        assert_feedback(info, expected_info, size)
        if "final_obs" in expected_info:
            for given, wanted in zip(info["final_obs"], expected_info["final_obs"], strict=True):
                assert (given is None) == (wanted is None)
                if wanted is not None:
                    assert_same(given, wanted)
            assert_feedback(info["final_info"], expected_info["final_info"], size)
        finished += int(np.sum(expected[2]))
    assert finished > size, "no slot has begun a second lifetime"


def assert_feedback(info: dict[str, Any], expected: dict[str, Any], size: int) -> None:
    """The arrays of ``info`` say what the feedback of the single environments says."""
    feedback = expected.get("feedback", np.full(size, None))
    for slot in range(size):
        came = feedback[slot] is not None
        assert bool(info["_outcome"][slot]) is came if "_outcome" in info else not came
        if came:
            assert info["outcome"][slot] == feedback[slot].outcome
            assert info["success"][slot] == feedback[slot].success
            assert_same(info["task"][slot], feedback[slot].task)


def assert_same(given: Any, wanted: Any) -> None:
    assert given.dtype == wanted.dtype
    assert np.array_equal(given, wanted), f"{given} is not {wanted}; they differ by {np.max(np.abs(given - wanted))}"
