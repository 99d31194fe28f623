"""How a student does on a fixed set of tasks."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray

ScoredBy = Literal["mastered", "mean_return"]
"""The number of an ``Evaluation`` that is its score."""


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
    scored_by: ScoredBy = "mastered"
    """Which of its numbers teachers are compared by."""

    @property
    def untrained(self) -> bool:
        """Whether the student had had no training yet."""
        return self.spent == 0

    @property
    def score(self) -> float:
        """What teachers are compared by: the share of mastered tasks in percent, or the mean return."""
        return self.mastered if self.scored_by == "mastered" else self.mean_return

    @property
    def mastered(self) -> float:
        """Share of the tasks that are mastered, in percent."""
        return 100.0 * float(np.mean(self.returns > self.mastered_above))

    @property
    def mean_return(self) -> float:
        """Mean return over the tasks."""
        return float(np.mean(self.returns))
