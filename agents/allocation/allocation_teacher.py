"""The base of teachers that divide the next examples among skills by a rule."""

from abc import abstractmethod
from typing import Any, final

import numpy as np

from teachgym.agents.allocation.shares_teacher import SharesTeacher
from teachgym.core.feedback import Transition
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note


class AllocationTeacher(SharesTeacher):
    """A teacher that weighs skills by what it sees of them now, and remembers nothing.

    Subclasses define ``_weights``. Arguments are those of ``SharesTeacher``.
    """

    @abstractmethod
    def _weights(self, rows: FloatArray) -> FloatArray:
        """``(skills,)`` non-negative weights for rows ``(5, skills)``; all 0 means alike."""

    @final
    def _act(self, observation: Any) -> Choice:
        """Divide in proportion to the weights."""
        weights = self._weights(self._rows("the observation", observation))
        total = weights.sum()
        shares = weights / total if total > 0 else np.full(self.skills, 1 / self.skills)
        return Choice(shares.astype(np.float32), "rule")

    @final
    def _update(self, transition: Transition, note: Note | None) -> None:
        """Learn nothing: all that matters is in the next observation."""


def floored(weights: FloatArray, floor: float) -> FloatArray:
    """Weights as shares of which a part, ``floor``, is the same for all; alike where all are 0."""
    total = weights.sum()
    alike = np.full(len(weights), 1 / len(weights))
    return floor * alike + (1 - floor) * (weights / total if total > 0 else alike)
