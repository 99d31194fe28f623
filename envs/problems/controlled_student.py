"""The student of a problem whose decisions are controls."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from teachgym.core.task_space import FloatArray


class ControlledStudent(ABC):
    """A student that learns one training segment at a time, under controls that a teacher sets.

    All that changes is in attributes that ``copy.deepcopy`` copies, so that a copy learns exactly as the student would;
    data that never changes belongs in a ``Fixed``. Every random draw comes from generators made in the constructor.
    """

    over: bool = False
    """Whether there is nothing left to learn, or to decide."""
    has_best: ClassVar[bool] = False
    """Whether ``best`` is known."""

    @abstractmethod
    def learn(self, controls: FloatArray) -> float:
        """Learn one segment under the controls ``(n,)``, in their own units, and return what it cost, unpriced."""

    @abstractmethod
    def score(self) -> float:
        """What the reward is the gain of; higher is better."""

    def outcome(self) -> float:
        """What the teacher is shown of the score; the same, unless that is hidden."""
        return self.score()

    @abstractmethod
    def seen(self) -> Mapping[str, float]:
        """What the teacher sees, by name."""

    def best(self) -> FloatArray:
        """``(n,)`` the controls that the truth says are best now, for the rule ``truth``."""
        raise NotImplementedError(f"what is best for {type(self).__name__} is not known")

    def truth(self) -> dict[str, Any]:
        """What the teacher must not see, for records and tests: arrays and plain values."""
        return {}

    def notes(self) -> dict[str, Any]:
        """More for ``info``."""
        return {}


class Fixed:
    """The base of data that never changes, which copies of a student share."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Fixed":
        return self
