"""The lidar against plain geometry."""

from collections.abc import Iterator

import numpy as np
import pytest

from teachgym.envs.worlds.bipedal_walker.bodies import Point
from teachgym.envs.worlds.bipedal_walker.simulation import Simulation
from teachgym.envs.worlds.bipedal_walker.terrain import TERRAINS
from tests.envs.worlds.bipedal_walker.walker_moves import move, reference_walker, simulation_of

RANGE = 160 / 30


def sides(simulation: Simulation) -> Iterator[tuple[Point, Point]]:
    yield from simulation.edges
    for corners in simulation.obstacles:
        yield from zip(corners, (*corners[1:], corners[0]), strict=True)


def nearest_hits(simulation: Simulation) -> list[float]:
    """Share of each ray up to the first side of anything that it crosses."""
    start = np.array(tuple(simulation.hull.position))
    left, right = (np.array(ends) for ends in zip(*sides(simulation), strict=True))
    along = right - left
    shares = []
    for i in range(10):
        ray = RANGE * np.array([np.sin(0.15 * i), -np.cos(0.15 * i)])
        crossing = ray[0] * along[:, 1] - ray[1] * along[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            between = left - start
            on_ray = (between[:, 0] * along[:, 1] - between[:, 1] * along[:, 0]) / crossing
            on_side = (between[:, 0] * ray[1] - between[:, 1] * ray[0]) / crossing
        hit = (crossing != 0) & (on_ray >= 0) & (on_ray <= 1) & (on_side >= 0) & (on_side <= 1)
        shares.append(float(on_ray[hit].min(initial=1.0)))
    return shares


@pytest.mark.parametrize("terrain", sorted(TERRAINS))
@pytest.mark.parametrize(("body", "least_up"), [("default", 1.0), ("quadruped", 0.0)])
def test_every_ray_measures_the_nearest_ground(terrain: str, body: str, least_up: float) -> None:
    env = reference_walker(body=body, terrain=terrain)
    rng = np.random.default_rng(1)
    misses = hits = 0
    for seed in range(6):
        env.reset(seed=seed)
        move(env, rng.uniform(4, 80), up=rng.uniform(least_up, least_up + 1.5))
        for _ in range(5):
            observation, *_ = env.step(rng.uniform(-1, 1, env.body.joints))
            expected = nearest_hits(simulation_of(env))
            np.testing.assert_allclose(observation[-10:], expected, atol=2e-5)
            misses += sum(share == 1.0 for share in expected)
            hits += sum(share < 1.0 for share in expected)
    assert min(misses, hits) > 25


def test_over_flat_ground_the_first_ray_measures_the_height() -> None:
    env = reference_walker(terrain="grass")
    observation, _ = env.reset(seed=0, options={"task": 0.0})
    height = simulation_of(env).hull.position.y - 400 / 30 / 4
    assert observation[14] == pytest.approx(height / RANGE, abs=1e-5)


def test_rays_pass_through_the_walkers_own_legs() -> None:
    env = reference_walker(terrain="grass")
    env.reset(seed=0, options={"task": 0.0})
    move(env, 4.0, up=4.0)
    observation, *_ = env.step(np.zeros(4))
    assert (observation[14:] == 1.0).all()
