"""Walkers in the compiled engine: many at once, or one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym.core.task_space import Float32Array, FloatArray
from teachgym.envs.worlds.bipedal_walker.bodies import Body
from teachgym.envs.worlds.bipedal_walker.defects import Defects
from teachgym.envs.worlds.bipedal_walker.engines import fast_engine
from teachgym.envs.worlds.bipedal_walker.lidar import OFFSETS, RAYS
from teachgym.envs.worlds.bipedal_walker.reference import STRONGEST_PUSH
from teachgym.envs.worlds.bipedal_walker.terrain import CLOUD_DRAWS, Terrain
from teachgym.worlds.world_batch import Played, Slots, not_finite


class FastWalkers:
    """Walkers that are stepped together. They may differ in body and terrain, but not in their number of legs.

    Args:
        bodies: One a walker.
        terrains: One a walker.
        defects: What of the authors' simulator to keep.
        step_limit: Episodes are truncated after so many steps; None for never.
        threads: How many threads share the walkers, at least 1.
    """

    def __init__(
        self,
        bodies: Sequence[Body],
        terrains: Sequence[Terrain],
        defects: Defects,
        *,
        step_limit: int | None = None,
        threads: int = 1,
    ) -> None:
        self._engine = fast_engine()
        self._terrains, self._defects = terrains, defects
        self._width = 4 + 5 * bodies[0].legs + RAYS
        self._batch = self._engine.Batch([self._body(body) for body in bodies], step_limit or 0, threads)

    def begin(
        self, slots: Slots, tasks: Sequence[FloatArray], generators: Sequence[np.random.Generator]
    ) -> Float32Array:
        """Begin an episode in k slots.

        Args:
            slots: ``(k,)`` distinct slots.
            tasks: k valid tasks.
            generators: k generators, which the tracks are drawn from.

        Returns:
            Observations ``(k, d)``.
        """
        tracks = [
            self._track(self._terrains[slot], task, rng)
            for slot, task, rng in zip(slots.tolist(), tasks, generators, strict=True)
        ]
        observations = np.empty((len(slots), self._width), dtype=np.float32)
        self._batch.begin(slots, tracks, observations)
        return observations

    def step(self, slots: Slots, actions: NDArray[Any]) -> Played:
        """Play one step in k slots.

        Args:
            slots: ``(k,)`` distinct slots.
            actions: ``(k, joints)``, C-contiguous, float32 or float64.

        Returns:
            Observations ``(k, d)``, rewards, terminated and truncated ``(k,)``: new arrays, which the engine
            writes to.

        Raises:
            ValueError: If a number is not finite; no walker has moved then.
        """
        count = len(slots)
        observations, rewards = np.empty((count, self._width), dtype=np.float32), np.empty(count)
        terminated, truncated = np.empty(count, dtype=np.bool_), np.empty(count, dtype=np.bool_)
        row = self._batch.step(slots, actions, observations, rewards, terminated, truncated)
        if row >= 0:
            raise not_finite(slots, actions, row)
        return observations, rewards, terminated, truncated

    def actions(self, slot: int) -> list[float]:
        """The actions of a slot's episode so far, one after the other."""
        played: list[float] = self._batch.actions(slot)
        return played

    def _body(self, body: Body) -> Any:
        defects = self._defects
        return self._engine.Body(
            hull=body.hull,
            leg_length=body.leg_length,
            leg_width=body.leg_width,
            torque=body.torque,
            effort_price=body.price_of_full_action(divisions=defects.effort_price),
            leg_pairs=[(pair.hip_x, pair.start_x) for pair in body.leg_pairs],
            rays=OFFSETS,
            first_reported=defects.lidar,
            observed_legs=2 if defects.leg_contacts else body.legs,
        )

    def _track(self, terrain: Terrain, task: FloatArray, rng: np.random.Generator) -> Any:
        track = terrain.generate(task, rng)
        rng.random(CLOUD_DRAWS)
        push = rng.uniform(-STRONGEST_PUSH, STRONGEST_PUSH)
        edges = list(track.edges(original_end=self._defects.ground_end, seam=self._defects.ground_seam))
        return self._engine.Track(edges=edges, obstacles=track.obstacles, push=push)


class FastWalker:
    """One walker, with the methods of ``ReferenceWalker``."""

    def __init__(self, body: Body, terrain: Terrain, defects: Defects) -> None:
        self._walkers = FastWalkers([body], [terrain], defects)
        self._slot: Slots = np.zeros(1, dtype=np.int64)

    def begin(self, task: FloatArray, rng: np.random.Generator) -> Float32Array:
        """Begin an episode, and return its first observation."""
        observation: Float32Array = self._walkers.begin(self._slot, [task], [rng])[0]
        return observation

    def step(self, action: FloatArray) -> tuple[Float32Array, float, bool]:
        """Play one step: the observation, the reward, and whether the episode has terminated.

        Raises:
            ValueError: If a number is not finite.
        """
        observations, rewards, terminated, _ = self._walkers.step(self._slot, action[np.newaxis])
        observation: Float32Array = observations[0]
        return observation, float(rewards[0]), bool(terminated[0])

    def actions(self) -> list[float]:
        """The actions of this episode so far, one after the other."""
        return self._walkers.actions(0)
