"""Known facts of whole episodes under a scripted controller: the one that comes with Gymnasium's walker."""

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.box2d.bipedal_walker import BipedalWalkerHeuristics

from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker
from tests.envs.worlds.bipedal_walker.walker_moves import simulation_of

TORQUE_PRICE = 0.00035 * 80


def walk(terrain: str, task: list[float], seed: int) -> tuple[float, float, int, bool, float]:
    """Return and its closed form, length, whether the episode terminated, and where the hull is at its end."""
    env = gymnasium.make("teachgym/ParametricBipedalWalker-v0", terrain=terrain, engine="reference")
    world = env.unwrapped
    assert isinstance(world, ParametricBipedalWalker)
    observation, _ = env.reset(seed=seed, options={"task": task})
    start_x, start_angle = simulation_of(world).hull_x, simulation_of(world).hull.angle
    controller = BipedalWalkerHeuristics()
    total, effort, steps, over, terminated = 0.0, 0.0, 0, False, False
    while not over:
        action = np.array(controller.step_heuristic(observation))  # type: ignore[no-untyped-call]
        observation, reward, terminated, truncated, _ = env.step(action)
        total, effort, steps = total + float(reward), effort + float(np.abs(action).sum()), steps + 1
        over = terminated or truncated
    end_x, end_angle = simulation_of(world).hull_x, simulation_of(world).hull.angle
    closed_form = 130 * (end_x - start_x) / 30 - 5 * (abs(end_angle) - abs(start_angle)) - TORQUE_PRICE * effort
    return total, closed_form, steps, terminated, end_x


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_on_flat_ground_the_controller_finishes_and_masters_the_track(seed: int) -> None:
    total, closed_form, steps, terminated, x = walk("grass", [0.0], seed)
    assert terminated
    assert 190 * 14 / 30 < x < 190 * 14 / 30 + 0.1
    assert 1400 < steps < 1700
    assert total == pytest.approx(closed_form, abs=1e-6)
    assert 310 < total < 320


def test_a_fall_replaces_the_last_reward_by_minus_100() -> None:
    total, closed_form, steps, terminated, x = walk("grass", [0.0], 1)
    assert terminated
    assert steps < 300
    assert x < 20
    assert total == pytest.approx(closed_form - 100, abs=2.0)  # the step that falls gains less than 2 by itself


def test_the_controller_is_stuck_at_the_first_stump_until_the_time_limit() -> None:
    """At x = 6.4 with stumps of height 1.5 and spacing 3, as was measured on the authors' simulator."""
    _, _, steps, terminated, x = walk("stump-tracks", [1.5, 3.0], 0)
    assert steps == 2000
    assert not terminated
    assert x == pytest.approx(6.4, abs=0.1)
