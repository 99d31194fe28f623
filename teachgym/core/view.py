"""What a teacher sees of its student."""

from abc import abstractmethod
from typing import Any

from gymnasium import Space

from teachgym.base.state import Stateful
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime


class View(Stateful):
    """Turns a student's feedback, and what may be seen of its lifetime, into observations."""

    space: Space[Any]
    """What ``observe`` returns a member of."""
    names: tuple[str, ...] = ()
    """Names of the numbers of an observation that is a vector."""

    def begin(self, lifetime: Lifetime[Any]) -> None:
        """Begin with a fresh student. Here: nothing."""

    @abstractmethod
    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Any:
        """What the teacher sees after this feedback; None before the first decision and where nothing was finished."""
