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
from teachgym.envs.worlds.bipedal_walker.terrain import (
    Grass,
    HexagonTracks,
    ObstacleCourse,
    StumpSequence,
    StumpTracks,
    Terrain,
    draw_clouds,
)
from teachgym.worlds.world_batch import Played, Slots, not_finite


class FastWalkers:
    """Walkers that are stepped together. They may differ in body and terrain, but not in their number of legs.

    Tracks to train on are made in the engine; those of ``Hardcore`` and of a user's own terrain in Python.

    Args:
        bodies: One a walker.
        terrains: One a walker.
        defects: What of the authors' simulator to keep.
        step_limit: Episodes are truncated after so many steps; None for never.
        threads: How many threads share the walkers out, from 1 up.
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
        beginnings = [
            self._beginning(self._terrains[slot], task, rng)
            for slot, task, rng in zip(slots.tolist(), tasks, generators, strict=True)
        ]
        observations = np.empty((len(slots), self._width), dtype=np.float32)
        self._batch.begin(slots, beginnings, observations)
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
        unplayable = self._batch.step(slots, actions, observations, rewards, terminated, truncated)
        if unplayable >= 0:
            raise not_finite(slots, actions, unplayable)
        return observations, rewards, terminated, truncated

    def actions(self, slot: int) -> list[float]:
        """The actions of a slot's episode so far, one after the other."""
        played: list[float] = self._batch.actions(slot)
        return played

    def _body(self, body: Body) -> Any:
        defects = self._defects
        return self._engine.make_body(
            hull=body.hull,
            leg_length=body.leg_length,
            leg_width=body.leg_width,
            torque=body.torque,
            effort_price=body.price_of_full_action(divisions=defects.effort_price),
            leg_pairs=[(pair.hip_x, pair.start_x) for pair in body.leg_pairs],
            rays=OFFSETS,
            first_reported=defects.lidar,
            feeling_legs=2 if defects.leg_contacts else body.legs,
        )

    def _beginning(self, terrain: Terrain, task: FloatArray, rng: np.random.Generator) -> Any:
        defects, family = self._defects, self._engine.Family
        spacing = 0.0
        match terrain:
            case StumpTracks() if type(terrain) is StumpTracks:
                kind = family.STUMP_TRACKS
            case HexagonTracks() if type(terrain) is HexagonTracks:
                kind, spacing = family.HEXAGON_TRACKS, terrain.spacing
            case StumpSequence() if type(terrain) is StumpSequence:
                kind, spacing = family.STUMP_SEQUENCE, terrain.spacing
            case Grass() if type(terrain) is Grass:
                kind = family.GRASS
            case ObstacleCourse() if type(terrain) is ObstacleCourse:
                kind = family.OBSTACLE_COURSE
            case _:
                track = terrain.generate(task, rng)
                draw_clouds(rng)
                push = rng.uniform(-STRONGEST_PUSH, STRONGEST_PUSH)
                edges = list(track.edges(original_end=defects.ground_end, seam=defects.ground_seam))
                return self._engine.given(edges=edges, obstacles=track.obstacles, push=push)
        return self._engine.drawn(
            family=kind,
            spacing=spacing,
            original_end=defects.ground_end,
            seam=defects.ground_seam,
            task=task.tolist(),
            generator=rng.bit_generator.capsule,
        )


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
