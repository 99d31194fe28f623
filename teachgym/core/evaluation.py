"""How a student does on a fixed set of tasks."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray

Headline = Literal["mastered", "mean_return"]
"""A number of an ``Evaluation`` that teachers may be compared by."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One episode of a student on each of m tasks."""

    tasks: FloatArray
    """``(m, n)`` the test tasks, in task units."""
    returns: FloatArray
    """``(m,)`` undiscounted returns."""
    lengths: NDArray[np.int64]
    """``(m,)`` steps of the episodes."""
    mastered_above: float
    """A return above this counts as mastered."""
    spent: int
    """Training steps that the student had had."""

    @property
    def untrained(self) -> bool:
        """Whether the student had had no training yet."""
        return self.spent == 0

    @property
    def mastered(self) -> float:
        """Share of the tasks that are mastered, in percent."""
        return 100.0 * float(np.mean(self.returns > self.mastered_above))

    @property
    def mean_return(self) -> float:
        """Mean return over the tasks."""
        return float(np.mean(self.returns))
