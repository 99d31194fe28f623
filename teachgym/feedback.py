"""What came of a teaching decision, and the transition that a teacher is updated with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium.utils.env_checker import data_equivalence

from teachgym.task_space import FloatArray


@dataclass(frozen=True, eq=False)
class Feedback:
    """What came of one teaching decision.

    Raises:
        ValueError: If the outcome is not finite or the cost is negative.
    """

    task: FloatArray
    """``(n,)`` the task that the student was given, in the task space's own units."""
    outcome: float
    """The student's performance; for an RL student the undiscounted return of the episode."""
    success: bool
    """Whether the student mastered the task (for the walker: outcome above 230)."""
    cost: int
    """Student steps (or examples) spent on this decision."""
    decision: int
    """Which decision of the episode this answers: the index, from 0, of the ``step`` that handed the task out.

    With several slots, answers arrive out of order."""
    trained: bool = True
    """Whether the student learnt from it; False where it only played the task (``problem.SCREENING``)."""
    extras: Mapping[str, Any] = field(default_factory=dict)
    """What a teacher may need beyond that (see ``problem``). Read it in ``update``: it may be worked out when it is
    asked for, from the student as it is then, and be gone after the next ``step``."""

    def __post_init__(self) -> None:
        if not np.isfinite(self.outcome):
            raise ValueError(
                f"outcome is {self.outcome}; expected a finite number. Did the student or its world diverge?"
            )
        if self.cost < 0:
            raise ValueError(f"cost is {self.cost}; expected 0 or more student steps")

    def __eq__(self, other: object) -> bool:
        """Whether all fields are equal, arrays number by number."""
        if not isinstance(other, Feedback):
            return NotImplemented
        own, others = ({**vars(feedback), "extras": dict(feedback.extras)} for feedback in (self, other))
        return data_equivalence(own, others, exact=True)

    __hash__ = None  # type: ignore[assignment]  # it holds arrays

    def to_state(self) -> dict[str, Any]:
        """The fields as arrays and plain values, extras worked out."""
        return {**vars(self), "extras": dict(self.extras)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Feedback":
        """What ``to_state`` gave."""
        return cls(**state)


@dataclass(frozen=True, eq=False)
class Transition:
    """One step of a teacher environment, as a teacher learns from it."""

    observation: Any
    """What the teacher saw when it acted."""
    action: Any
    """What it did."""
    reward: float
    """What the environment paid for it."""
    next_observation: Any
    """What it saw next."""
    terminated: bool
    """Whether the teaching episode is over because the budget is spent."""
    feedback: Feedback | None
    """What came of this or an earlier decision; None when the step finished nothing."""
