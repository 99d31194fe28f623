"""Tasks as vectors and as actions, whether an environment's tasks are points of a box or numbered arms."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from teachgym.base.annotations import read_numbers, shown
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray, TaskSpace

TASKS_AND_ARMS = (spaces.Discrete, spaces.Box, ProbeSpace)
"""Types of action spaces that ``TaskActions`` reads."""


class TaskActions:
    """Turns task vectors ``(n,)`` into actions; where tasks are arms, n is 1 and the arm's number counts.

    Args:
        spec: The environment's fixed facts. The action space is a floating ``Box`` of any shape or a ``Discrete``,
            or a ``ProbeSpace`` of one.

    Raises:
        ValueError: If the action space is neither, or a bound is infinite.
    """

    def __init__(self, spec: TeachingSpec) -> None:
        space: Any = spec.decisions
        self._has_probes = spec.has_probes
        self.numbered = isinstance(space, spaces.Discrete)
        if isinstance(space, spaces.Discrete):
            first = int(space.start)
            self.task_space: TaskSpace | None = None
            self.names: tuple[str, ...] = ("arm",)
            self.low = np.array([first], dtype=np.float64)
            self.high = np.array([first + int(space.n) - 1], dtype=np.float64)
            self._shape: tuple[int, ...] = ()
            self._dtype: Any = space.dtype
        else:
            self.task_space = spec.task_space
            if not np.issubdtype(space.dtype, np.floating):
                raise ValueError(f"the action space is {space}; expected a box of floating-point numbers, or arms")
            self.names = self.task_space.names
            self.low, self.high = np.array(self.task_space.low), np.array(self.task_space.high)
            self._shape, self._dtype = space.shape, space.dtype

    @property
    def dimensions(self) -> int:
        """Numbers in a task."""
        return len(self.names)

    def action(self, task: FloatArray, *, probe: bool = False) -> Any:
        """The action that hands this task, ``(n,)``, out, clipped to the bounds, as a probe or not."""
        task = np.clip(task, self.low, self.high)
        action = task.reshape(self._shape).astype(self._dtype)
        if self.numbered:
            action = action[()]
        return {"decision": action, "probe": np.int64(probe)} if self._has_probes else action

    def uniform(self, rng: np.random.Generator, low: FloatArray, high: FloatArray) -> FloatArray:
        """A task ``(n,)`` that is uniform between two corners; of arms, both ends included."""
        if self.numbered:
            return rng.integers(int(low[0]), int(high[0]), size=1, endpoint=True).astype(np.float64)
        return np.asarray(rng.uniform(low, high), dtype=np.float64)

    def vector(self, task: ArrayLike) -> FloatArray:
        """The task of a feedback as ``(n,)`` float64; a copy.

        Raises:
            ValueError: If it does not have as many numbers as a task.
        """
        vector = read_numbers("the feedback's task", task).ravel()
        if vector.size != self.dimensions:
            raise ValueError(f"the feedback's task has {vector.size} numbers; expected {self.dimensions}")
        return vector

    def validate(self, task: ArrayLike | Mapping[str, float]) -> FloatArray:
        """A task that a person wrote: ``(n,)`` numbers, a mapping from names, or a bare number where n is 1.

        Raises:
            ValueError: If it is not a task of this environment; the message says what is.
        """
        if self.task_space is not None:
            return self.task_space.validate(task)
        value: Any = task.get("arm") if isinstance(task, Mapping) else task
        try:
            vector = read_numbers("task", value).reshape(1)
        except ValueError as error:
            raise ValueError(f"task {shown(task)} is not an arm; expected one whole number") from error
        if not (self.low <= vector <= self.high and vector % 1 == 0):
            raise ValueError(
                f"task {shown(task)} is not an arm; expected a whole number in [{self.low[0]:.0f}, {self.high[0]:.0f}]"
            )
        return vector
