"""Several worlds that play in step: what a student trains in, and what it is tested in."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray, TaskSpace

Slots = NDArray[np.int64]
"""``(k,)`` distinct places in a batch."""
Flags = NDArray[np.bool_]
Played = tuple[NDArray[Any], FloatArray, Flags, Flags]
"""Observations ``(k, ...)``, rewards, terminated and truncated ``(k,)`` of one step."""


class WorldBatch(ABC):
    """Several worlds of one kind, in numbered slots, that are stepped by one call and reset one by one.

    Slots may differ in their task spaces, in nothing else. All arrays that the methods return are new: the
    caller may keep and change them. A slot must be reset before its first step and after the end of an episode;
    who calls sees to that.
    """

    size: int
    """Number of slots."""
    observation_space: gymnasium.Space[Any]
    """Of one world."""
    action_space: gymnasium.Space[Any]
    """Of one world."""
    task_spaces: Sequence[TaskSpace]
    """One for each slot."""
    render_mode: str | None = None
    metadata: Mapping[str, Any] = {}
    """As of a ``gymnasium.Env``."""

    @property
    @abstractmethod
    def generators(self) -> Sequence[np.random.Generator]:
        """The generator of each slot."""

    @abstractmethod
    def reset(
        self, slots: Slots, tasks: Sequence[FloatArray | None], seeds: Sequence[int | None] | None = None
    ) -> NDArray[Any]:
        """Begin an episode in some slots.

        Args:
            slots: ``(k,)`` distinct slots.
            tasks: k valid tasks; None draws one uniformly from the slot's generator.
            seeds: k seeds of the slots' generators; None leaves a generator as it is.

        Returns:
            Observations ``(k, ...)``.
        """

    @abstractmethod
    def step(self, slots: Slots, actions: NDArray[Any]) -> Played:
        """Play one step in some slots.

        Args:
            slots: ``(k,)`` distinct slots, in the middle of their episodes.
            actions: ``(k, ...)`` one for each.
        """

    @abstractmethod
    def task(self, slot: int) -> FloatArray:
        """The task that a slot plays, or has played last: not to be changed."""

    @abstractmethod
    def render(self, slot: int) -> Any:
        """Draw a slot, as ``gymnasium.Env.render`` does."""

    @abstractmethod
    def close(self) -> None:
        """Close all worlds. Harmless when they are closed."""


class SerialBatch(WorldBatch):
    """Any Gymnasium worlds, played one after the other.

    Args:
        worlds: At least one, with their time limits and equal spaces; each takes ``reset(options={"task": ...})``
            and has a ``task_space``.

    Raises:
        ValueError: If there is no world, one has no task space, or their spaces differ or do not make arrays.
    """

    def __init__(self, worlds: Sequence[gymnasium.Env[Any, Any]]) -> None:
        self._worlds = list(worlds)
        if not self._worlds:
            raise ValueError("a batch needs at least one world")
        self.size = len(self._worlds)
        self.observation_space, self.action_space = self._worlds[0].observation_space, self._worlds[0].action_space
        self.task_spaces = [task_space_of(world) for world in self._worlds]
        self.render_mode, self.metadata = self._worlds[0].render_mode, self._worlds[0].metadata
        for kind in ("observation_space", "action_space"):
            expected = getattr(self, kind)
            if expected.shape is None:
                raise ValueError(f"the {kind} is {expected}; expected one whose members are arrays or numbers")
            for slot, world in enumerate(self._worlds):
                if getattr(world, kind) != expected:
                    raise ValueError(
                        f"the {kind} of world {slot} is {getattr(world, kind)}; expected that of world 0, {expected}"
                    )
        self._tasks: list[FloatArray | None] = [None] * self.size
        self._closed = False

    @property
    def generators(self) -> Sequence[np.random.Generator]:
        """The generator of each world."""
        return [world.unwrapped.np_random for world in self._worlds]

    def reset(
        self, slots: Slots, tasks: Sequence[FloatArray | None], seeds: Sequence[int | None] | None = None
    ) -> NDArray[Any]:
        """Reset the worlds one after the other.

        Raises:
            ValueError: If a world says nowhere which task it has drawn.
        """
        observations = self._empty(len(slots))
        seeds = [None] * len(slots) if seeds is None else seeds
        for i, (slot, task, seed) in enumerate(zip(slots.tolist(), tasks, seeds, strict=True)):
            options = None if task is None else {"task": task}
            observations[i], info = self._worlds[slot].reset(seed=seed, options=options)
            task = info.get("task", task)
            if task is None:
                raise ValueError(f"{self._worlds[slot]} has drawn its task; expected it in info['task']")
            self._tasks[slot] = np.array(task, dtype=np.float64)
        return observations

    def step(self, slots: Slots, actions: NDArray[Any]) -> Played:
        """Step the worlds one after the other.

        Raises:
            ValueError: If an action is not of finite numbers where the action space is; no world has been stepped.
        """
        if isinstance(self.action_space, gymnasium.spaces.Box) and self.action_space.dtype.kind == "f":
            actions = numeric(actions)
            unplayable = np.flatnonzero(~np.isfinite(actions).reshape(len(slots), -1).all(axis=1))
            if len(unplayable):
                raise not_finite(slots, actions, int(unplayable[0]))
        count = len(slots)
        observations, rewards = self._empty(count), np.empty(count)
        terminated, truncated = np.empty(count, dtype=np.bool_), np.empty(count, dtype=np.bool_)
        for i, (slot, action) in enumerate(zip(slots.tolist(), actions, strict=True)):
            observations[i], rewards[i], terminated[i], truncated[i], _ = self._worlds[slot].step(action)
        return observations, rewards, terminated, truncated

    def task(self, slot: int) -> FloatArray:
        """The task that a slot plays."""
        task = self._tasks[slot]
        if task is None:
            raise gymnasium.error.ResetNeeded(f"slot {slot} has no task before its first reset")
        return task

    def render(self, slot: int) -> Any:
        """Draw a world."""
        return self._worlds[slot].render()

    def close(self) -> None:
        """Close the worlds."""
        if not self._closed:
            self._closed = True
            for world in self._worlds:
                world.close()

    def _empty(self, count: int) -> NDArray[Any]:
        space = self.observation_space
        return np.empty((count, *(space.shape or ())), dtype=space.dtype)


class WorldBatchWrapper(WorldBatch):
    """Passes everything on to a batch; for subclasses that change something of it."""

    def __init__(self, batch: WorldBatch) -> None:
        self._batch = batch
        self.size, self.task_spaces = batch.size, batch.task_spaces
        self.observation_space, self.action_space = batch.observation_space, batch.action_space
        self.render_mode, self.metadata = batch.render_mode, batch.metadata

    @property
    def generators(self) -> Sequence[np.random.Generator]:
        """The generator of each slot."""
        return self._batch.generators

    def reset(
        self, slots: Slots, tasks: Sequence[FloatArray | None], seeds: Sequence[int | None] | None = None
    ) -> NDArray[Any]:
        """Begin an episode in some slots."""
        return self._batch.reset(slots, tasks, seeds)

    def step(self, slots: Slots, actions: NDArray[Any]) -> Played:
        """Play one step in some slots."""
        return self._batch.step(slots, actions)

    def task(self, slot: int) -> FloatArray:
        """The task that a slot plays."""
        return self._batch.task(slot)

    def render(self, slot: int) -> Any:
        """Draw a slot."""
        return self._batch.render(slot)

    def close(self) -> None:
        """Close the batch."""
        self._batch.close()


def numeric(actions: NDArray[Any]) -> NDArray[Any]:
    """The actions as contiguous numbers; float32 and float64 stay as they are, others become float64.

    Raises:
        ValueError: If they are not numbers.
    """
    if actions.dtype in (np.float32, np.float64):
        return np.ascontiguousarray(actions)
    try:
        return np.ascontiguousarray(actions, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"actions {actions!r} are not numeric; expected finite numbers") from error


def not_finite(slots: Slots, actions: NDArray[Any], row: int) -> ValueError:
    """The error for the action in that row, which has a number that is not finite."""
    where = f" of slot {slots[row]}" if len(slots) > 1 else ""
    return ValueError(f"action{where} is {actions[row].tolist()}; expected {actions[row].size} finite numbers")


def task_space_of(world: gymnasium.Env[Any, Any]) -> TaskSpace:
    """The task space of a world, through its wrappers.

    Raises:
        ValueError: If it has none; says how to give it one.
    """
    try:
        space = world.get_wrapper_attr("task_space")
    except AttributeError:
        space = None
    if not isinstance(space, TaskSpace):
        raise ValueError(
            f"{world} has {'no task_space' if space is None else f'the task_space {space!r}'}; give the world an "
            "attribute task_space = teachgym.TaskSpace([teachgym.Parameter(name, low, high), ...])"
        )
    return space
