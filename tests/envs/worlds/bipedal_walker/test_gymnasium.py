"""Grass at roughness 1 is Gymnasium's walker, bit for bit."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker

Policy = Callable[[int, np.random.Generator], NDArray[np.float64]]


def random_policy(step: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.uniform(-1.2, 1.2, 4)


def striding_policy(step: int, rng: np.random.Generator) -> NDArray[np.float64]:
    phase = step / 9
    return 0.7 * np.sin([phase, phase + 1.2, phase + np.pi, phase + np.pi + 1.2])


def standing_policy(step: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.array([0.15, 0.9, -0.15, 0.9]) + rng.normal(0, 0.05, 4)


def both(seed: int) -> tuple[gymnasium.Env[Any, Any], ParametricBipedalWalker]:
    theirs, ours = gymnasium.make("BipedalWalker-v3").unwrapped, ParametricBipedalWalker(terrain="grass")
    observation, _ = theirs.reset(seed=seed)
    our_observation, _ = ours.reset(seed=seed, options={"task": 1.0})
    np.testing.assert_array_equal(our_observation, observation)
    return theirs, ours


@pytest.mark.parametrize("policy", [random_policy, striding_policy, standing_policy])
@pytest.mark.parametrize("seed", range(6))
def test_grass_equals_a_new_bipedal_walker_step_for_step(policy: Policy, seed: int) -> None:
    theirs, ours = both(seed)
    rng = np.random.default_rng(seed)
    for step in range(300):
        action = policy(step, rng)
        observation, reward, terminated, _, _ = theirs.step(action)
        our_observation, our_reward, our_terminated, _, _ = ours.step(action)
        np.testing.assert_array_equal(our_observation, observation)
        assert our_reward == reward
        assert our_terminated == terminated
        if terminated:
            break


def test_with_float32_actions_rewards_are_equal_but_for_gymnasiums_rounding() -> None:
    theirs, ours = both(seed=2)
    rng = np.random.default_rng(2)
    for _ in range(60):
        action = rng.uniform(-1, 1, 4).astype(np.float32)
        observation, reward, _, _, _ = theirs.step(action)
        our_observation, our_reward, _, _, _ = ours.step(action)
        np.testing.assert_array_equal(our_observation, observation)
        assert our_reward == pytest.approx(float(reward), abs=1e-5)


def test_a_walker_used_again_still_equals_a_new_one() -> None:
    ours = ParametricBipedalWalker(terrain="grass")
    for seed in range(6):
        theirs, _ = both(seed)
        ours.reset(seed=seed, options={"task": 1.0})
        rng = np.random.default_rng(seed)
        for _ in range(100):
            action = rng.uniform(-1, 1, 4)
            np.testing.assert_array_equal(ours.step(action)[0], theirs.step(action)[0])


def test_after_a_reset_both_generators_are_in_the_same_state() -> None:
    theirs, ours = both(seed=4)
    assert ours.np_random.bit_generator.state == theirs.np_random.bit_generator.state
