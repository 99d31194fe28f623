"""What came of a teaching decision, and the transition that a teacher is updated with."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from gymnasium.utils.env_checker import data_equivalence

from teachgym.base.annotations import REAL, shown
from teachgym.base.state import stored
from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.task_space import FloatArray

_GREATEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False)
class Feedback:
    """What came of one teaching decision: numbers and arrays, which can be copied and sent to another process.

    Raises:
        ValueError: If an outcome is not finite or the cost is negative.
        TypeError: If one of them is not a number.
    """

    task: FloatArray
    """``(n,)`` the task that the student was given, in the task space's own units."""
    outcome: float
    """The student's performance; for an RL student the undiscounted return of the episode."""
    success: bool
    """Whether the student mastered the task (for the walker: outcome above 230); False where ``Needs.SUCCESS`` is
    not offered."""
    cost: int
    """Student steps (or examples) spent on this decision."""
    decision: int
    """Which decision of the episode this answers: the index, from 0, of the ``step`` that handed the task out.

    With several slots, answers arrive out of order."""
    probe: bool = False
    """Whether the decision was a probe, from which the student learnt nothing (``ProbeSpace``)."""
    trace: EpisodeTrace | None = None
    """The episode step by step, where ``Needs.VALUES`` or ``Needs.ENTROPIES`` is offered."""
    antagonist_outcome: float | None = None
    """What a second student made of the same task, where ``Needs.ANTAGONIST`` is offered."""

    def __post_init__(self) -> None:
        given = {"outcome": self.outcome, "cost": self.cost}
        if self.antagonist_outcome is not None:
            given["antagonist_outcome"] = self.antagonist_outcome
        for name, number in given.items():
            if not isinstance(number, REAL):
                raise TypeError(f"{name} is {shown(number)}; expected a number")
            if not np.isfinite(number):
                raise ValueError(f"{name} is {number}; expected a finite number. Did the student or its world diverge?")
        if self.cost < 0:
            raise ValueError(f"cost is {self.cost}; expected 0 or more student steps")

    def __eq__(self, other: object) -> bool:
        """Whether all fields are equal, arrays number by number."""
        if not isinstance(other, Feedback):
            return NotImplemented
        return data_equivalence(stored(self), stored(other), exact=True)

    __hash__ = None  # type: ignore[assignment]  # it holds arrays

    def traced(self, name: Literal["rewards", "values", "entropies"]) -> FloatArray:
        """One of the arrays of ``trace``, for a teacher that needs it.

        Raises:
            ValueError: If it is not there.
        """
        array: FloatArray | None = getattr(self.trace, name, None)
        if array is None:
            raise ValueError(
                f"this feedback has no trace of {name}, which the teacher needs; leave the environment's traces at "
                "None, and take a student that offers them"
            )
        return array


@dataclass(frozen=True, eq=False)
class Transition:
    """One step of a teacher environment, as a teacher learns from it.

    Raises:
        TypeError: If the feedback is neither a ``Feedback`` nor None, or the reward not a finite number.
    """

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

    def __post_init__(self) -> None:
        if not isinstance(self.feedback, Feedback | None):
            raise TypeError(f"feedback is {shown(self.feedback)}; expected a Feedback, or None")
        if not (isinstance(self.reward, REAL) and -_GREATEST <= self.reward <= _GREATEST):
            raise TypeError(f"reward is {shown(self.reward)}; expected a finite number")
