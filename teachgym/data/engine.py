"""The interface of every data engine: a plan in, examples out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from teachgym.base.settings import NoSettings, chosen_settings
from teachgym.data.example import Answer, Example, Path
from teachgym.data.subject import Subject


@dataclass(frozen=True)
class Order:
    """Part of a plan: so many examples of one kind."""

    count: int
    """How many, non-negative."""
    path: Path = ()
    """The skill, or a part of it, by the subject's names; empty where the plan names none."""
    like: tuple[Example, ...] = ()
    """Examples to make more of: what the student got wrong, or the members of a skill that was discovered. They may
    be of the validation set, so what is made is checked against that."""
    mistakes: tuple[Answer, ...] = ()
    """What the student answered wrongly, for engines that can learn from it; empty where there is no feedback."""
    note: str = ""
    """What the teacher says about it in words, for engines that can read."""


@dataclass(frozen=True)
class Batch:
    """What an engine made of a plan."""

    examples: list[list[Example]]
    """For each order its examples: as many as were ordered, or fewer where it failed; never more."""
    cost: float = 0.0
    """What was spent, in the engine's own unit."""
    failures: list[str] = field(default_factory=list)
    """What went wrong, in words; the rest of the plan has been carried out."""


class EngineError(RuntimeError):
    """An engine could make nothing at all: an endpoint that is not there, a limit that is reached.

    Nothing of the student's budget has been spent; the step may be tried again.

    Args:
        message: What went wrong, and what to do.
        cost: What was spent all the same, in the engine's unit.
    """

    def __init__(self, message: str, *, cost: float = 0.0) -> None:
        super().__init__(message)
        self.cost = cost


class DataEngine(ABC):
    """Makes training examples. It sees the plan and the subject, and nothing of the student but what the plan says.

    To write one, subclass, set ``Settings`` to a frozen dataclass, and define ``make``.

    Args:
        subject: What the examples are for.
        settings: A ``Settings`` of this class; None takes the defaults.

    Raises:
        TypeError: If the settings are of another class.
        ValueError: If the subject lacks what the engine needs.
    """

    Settings: ClassVar[type[Any]] = NoSettings
    """Frozen dataclass of the engine's settings, every field with a default and a docstring."""
    unit: ClassVar[str] = "examples"
    """What cost is counted in: examples, US dollars, ..."""
    checks: ClassVar[tuple[str, ...]] = ()
    """Quality checks, by name (``teachgym.data.quality``), that its examples need unless the environment says else."""

    def __init__(self, subject: Subject, settings: Any = None) -> None:
        self.settings: Any = chosen_settings(self.Settings, settings)
        self.subject = subject

    def begin(self, made: Sequence[Example] = ()) -> None:
        """A new episode begins, or one goes on in which these examples have been made. Most engines need not know."""
        return

    @abstractmethod
    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        """Carry a plan out.

        Args:
            orders: The plan.
            rng: The only source of random numbers; the same state and plan give the same examples.
            allowance: What may be spent at most, in ``unit``; the engine stops before it spends more.

        Raises:
            EngineError: If nothing at all can be made.
        """
