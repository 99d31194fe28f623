"""Task spaces that stand before another: a task that a teacher chooses becomes one that the student can be given."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from teachgym.core.spec import EasyTasks
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace


class TaskMap(ABC):
    """From the tasks of ``outer`` to those of an environment, ``inner``."""

    outer: TaskSpace
    """What teachers choose from."""

    @abstractmethod
    def inward(self, task: FloatArray) -> FloatArray | None:
        """The inner task ``(n,)`` of an outer one; None where there is none, so that no student can do it."""

    @abstractmethod
    def outward(self, task: FloatArray) -> FloatArray:
        """An outer task ``(n,)`` whose inner one is given."""

    def easy(self, easy: EasyTasks) -> EasyTasks:
        """Easy outer tasks: the centre moves along, the deviations stay."""
        mean = self.outward(np.array(easy.mean, dtype=np.float64))
        return EasyTasks(tuple(mean.tolist()), easy.std)


class Same(TaskMap):
    """Leaves tasks as they are."""

    def __init__(self, inner: TaskSpace) -> None:
        self.outer = inner

    def inward(self, task: FloatArray) -> FloatArray:
        """The same."""
        return task

    def outward(self, task: FloatArray) -> FloatArray:
        """The same."""
        return task


class Stretched(TaskMap):
    """Widens some parameters at one end.

    Beyond the easy end every task is as the easiest; beyond the hard end nothing can be done.

    Args:
        inner: Its parameters that are widened have a direction of difficulty.
        parameters: Names of those that are widened; None takes the first that has a direction.
        easier: Lengths of the range that are added at the easy end.
        harder: Lengths of the range that are added at the hard end.

    Raises:
        ValueError: If a parameter is unknown, or has no direction.
    """

    def __init__(
        self,
        inner: TaskSpace,
        parameters: Collection[str] | None,
        *,
        easier: float = 0.0,
        harder: float = 0.0,
    ) -> None:
        self._inner = inner
        directed = [parameter.name for parameter in inner.parameters if parameter.harder]
        chosen = directed[:1] if parameters is None else list(parameters)
        unknown = [name for name in chosen if name not in directed]
        if unknown or not chosen:
            raise ValueError(
                f"{', '.join(unknown) or 'no parameter'} can be stretched; expected parameters with a direction of "
                f"difficulty: {', '.join(directed) or 'this task space has none'}"
            )
        self._feasible_low = np.full(inner.dimensions, -np.inf)
        self._feasible_high = np.full(inner.dimensions, np.inf)
        outer = list(inner.parameters)
        for i, parameter in enumerate(inner.parameters):
            if parameter.name in chosen:
                outer[i] = self._stretch(i, parameter, easier, harder)
        self.outer = TaskSpace(outer)

    def _stretch(self, i: int, parameter: Parameter, easier: float, harder: float) -> Parameter:
        length = parameter.high - parameter.low
        if parameter.harder is not None and parameter.harder > 0:
            self._feasible_high[i] = parameter.high
            return replace(parameter, low=parameter.low - easier * length, high=parameter.high + harder * length)
        self._feasible_low[i] = parameter.low
        return replace(parameter, low=parameter.low - harder * length, high=parameter.high + easier * length)

    def inward(self, task: FloatArray) -> FloatArray | None:
        """The nearest inner task, unless it is beyond the hard end."""
        if np.any(task < self._feasible_low) or np.any(task > self._feasible_high):
            return None
        return np.clip(task, self._inner.low, self._inner.high)

    def outward(self, task: FloatArray) -> FloatArray:
        """The same."""
        return task


class Shuffled(TaskMap):
    """Cuts each parameter into equal intervals and permutes them, so that difficulty is rugged.

    Args:
        inner: Loses its directions of difficulty, which no longer hold.
        intervals: How many, from 2 up.
        rng: Draws the permutations, one parameter after the other.
    """

    def __init__(self, inner: TaskSpace, intervals: int, rng: np.random.Generator) -> None:
        self.outer = TaskSpace([replace(parameter, harder=None) for parameter in inner.parameters])
        self._intervals = intervals
        self._to = np.array([rng.permutation(intervals) for _ in inner.parameters])
        self._from = np.argsort(self._to, axis=1)

    def inward(self, task: FloatArray) -> FloatArray:
        """The point at the same place of the interval that this one's stands for."""
        return self._moved(task, self._to)

    def outward(self, task: FloatArray) -> FloatArray:
        """The inverse of ``inward``."""
        return self._moved(task, self._from)

    def _moved(self, task: FloatArray, permutations: NDArray[np.int64]) -> FloatArray:
        scaled = self.outer.normalise(task) * self._intervals
        interval = np.minimum(scaled.astype(np.int64), self._intervals - 1)
        moved = permutations[np.arange(len(task)), interval] + (scaled - interval)
        return self.outer.denormalise(moved / self._intervals)
