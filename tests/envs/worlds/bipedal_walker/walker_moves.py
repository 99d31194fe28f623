"""Look into a walker of the reference engine, and put it somewhere else on its track."""

from itertools import cycle
from typing import Any

from teachgym.envs.worlds.bipedal_walker.bodies import BODIES
from teachgym.envs.worlds.bipedal_walker.reference import ReferenceWalker
from teachgym.envs.worlds.bipedal_walker.simulation import Simulation
from teachgym.envs.worlds.bipedal_walker.terrain import TERRAINS
from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker

BODIES_ON_TERRAINS = list(zip(cycle(sorted(BODIES)), sorted(TERRAINS), strict=False))
"""Every terrain with a body, every body on two terrains: for facts in which neither depends on the other."""


def reference_walker(**settings: Any) -> ParametricBipedalWalker:
    return ParametricBipedalWalker(engine="reference", **settings)


def simulation_of(env: ParametricBipedalWalker) -> Simulation:
    assert isinstance(env._walker, ReferenceWalker)
    return env._walker.simulation


def move(
    env: ParametricBipedalWalker, x: float, *, up: float = 0.0, velocity: tuple[float, float] | None = None
) -> None:
    """Shift the whole walker so that its hull is at ``x``."""
    simulation = simulation_of(env)
    right = x - simulation.hull_x
    for part in simulation.parts:
        body: Any = part.body
        body.position = body.position[0] + right, body.position[1] + up
        if velocity is not None:
            body.linearVelocity = velocity
