"""One walker in the reference engine: physics, rewards and scenery, from one generator."""

import math
from array import array
from collections.abc import Sequence

import numpy as np

from teachgym.core.task_space import Float32Array, FloatArray
from teachgym.envs.worlds.bipedal_walker.bodies import SCALE, Body
from teachgym.envs.worlds.bipedal_walker.defects import Defects
from teachgym.envs.worlds.bipedal_walker.simulation import Simulation
from teachgym.envs.worlds.bipedal_walker.terrain import FINISH, Polygon, Terrain, draw_clouds

STRONGEST_PUSH = 5.0
_FALL = -100.0
_PROGRESS, _TILT = 130, 5.0


class ReferenceWalker:
    """A walker that can begin one episode after another. ``simulation`` and ``clouds`` are what there is to see.

    Args:
        body: The walker.
        terrain: Makes its tracks.
        defects: What of the authors' simulator to keep.
    """

    simulation: Simulation
    clouds: tuple[Polygon, ...]

    def __init__(self, body: Body, terrain: Terrain, defects: Defects) -> None:
        self._body, self._terrain, self._defects = body, terrain, defects
        self._price = body.price_of_full_action(divisions=defects.effort_price)
        self._actions = array("d")

    def begin(self, task: FloatArray, rng: np.random.Generator) -> Float32Array:
        """Begin an episode, and return its first observation."""
        track = self._terrain.generate(task, rng)
        self.clouds = draw_clouds(rng)
        push = rng.uniform(-STRONGEST_PUSH, STRONGEST_PUSH)
        self.simulation = Simulation(self._body, track, push=push, defects=self._defects)
        self._potential = 0.0
        self._actions = array("d")
        observation, _, _ = self._advance([0.0] * self._body.joints)
        return observation

    def step(self, action: FloatArray) -> tuple[Float32Array, float, bool]:
        """Play one step: the observation, the reward, and whether the episode has terminated.

        Raises:
            ValueError: If a number is not finite.
        """
        values: list[float] = action.tolist()
        if not all(map(math.isfinite, values)):
            raise ValueError(f"action is {values}; expected {len(values)} finite numbers")
        self._actions.extend(values)
        return self._advance(values)

    def actions(self) -> list[float]:
        """The actions of this episode so far, one after the other."""
        return self._actions.tolist()

    def _advance(self, action: Sequence[float]) -> tuple[Float32Array, float, bool]:
        simulation = self.simulation
        simulation.drive(action)
        state = simulation.observe()
        observation = np.array(state, dtype=np.float32)
        x = simulation.hull_x
        potential = _PROGRESS * x / SCALE - _TILT * abs(state[0])
        reward = potential - self._potential
        self._potential = potential
        price = self._price
        for value in action:
            reward -= price * min(abs(value), 1.0)
        if simulation.hull_touched or x < 0:
            return observation, _FALL, True
        return observation, reward, x > FINISH
