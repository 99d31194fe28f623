"""One student from its fresh start to the end of its budget: what a teacher environment wraps."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from gymnasium import Space
from numpy.typing import ArrayLike

from teachgym.base.state import State, Stateful
from teachgym.core.evaluation import Evaluation, ScoredBy
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray, TaskSpace

DecisionT = TypeVar("DecisionT")
"""What an action means: a task, a plan for data, controls."""


class ProbeRefusedError(ValueError):
    """A probe that can't be made; nothing was spent, and the student is as before."""


class Lifetime(ABC, Stateful, Generic[DecisionT]):
    """A student that learns what a teacher decides, until its budget is spent.

    ``begin`` makes a fresh student; then come ``teach`` and ``probe``, one for each decision, until ``over``. Budget,
    files and tests of the student belong here; what teachers are paid and shown does not (``RewardRule``, ``View``).
    """

    task_space: TaskSpace
    """The tasks that feedback is about, in order and with units."""
    decision_space: Space[Any]
    """What ``read`` reads."""
    budget: int
    """Student steps (or examples) that may be spent."""
    budget_unit: ClassVar[str] = "student steps"
    """What the budget counts."""
    outcome_name: ClassVar[str] = "return"
    """What an outcome is called, in tables and figures."""
    scored_by: ClassVar[ScoredBy] = "mastered"
    """The number of an ``Evaluation`` that teachers are compared by."""
    replayed: bool = True
    """Whether an environment stores and restores this lifetime by its actions, which are carried out again from the
    beginning; False where ``state`` and ``resume`` do it."""
    traces: Needs | None = None
    """Which of ``Needs.VALUES`` and ``Needs.ENTROPIES`` are worked out for ``Feedback.trace``; None for whatever is
    offered. ``teachgym.teach`` has only those worked out that its teacher needs."""

    @abstractmethod
    def begin(self, seeds: Seeds) -> None:
        """Make a fresh student; the seeds fix all that happens to it."""

    @abstractmethod
    def read(self, action: Any) -> DecisionT:
        """Return the decision that a member of ``decision_space`` stands for.

        Raises:
            ValueError: If it is not a member; the message says what is.
        """

    @abstractmethod
    def teach(self, decision: DecisionT) -> Feedback | None:
        """Let the student learn one training segment under the decision, and return what it finished, if anything."""

    def probe(self, decision: DecisionT) -> Feedback | None:
        """Return what a decision would come to; the student learns nothing from it.

        Raises:
            ProbeRefusedError: If there is no room for one.
            NotImplementedError: If this student can't be probed.
        """
        raise NotImplementedError(f"{type(self).__name__} has no probes")

    @property
    @abstractmethod
    def spent(self) -> int:
        """Student steps (or examples) spent so far."""

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether the budget is spent, so that there is nothing left to decide."""

    def score(self) -> float:
        """How good the student is now, for rewards that pay its gain; teachers do not see it.

        Raises:
            NotImplementedError: If it is not known.
        """
        raise NotImplementedError(f"the score of {type(self).__name__} is not known while it learns")

    @property
    def paid(self) -> float:
        """What has been paid for the student's learning so far, in the unit of ``score``."""
        return 0.0

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student as it is now; neither student nor budget notices.

        Args:
            tasks: ``(m, n)`` tasks of ``test_space``; None takes the test set.

        Raises:
            NotImplementedError: If there is no such test.
        """
        raise NotImplementedError(f"{type(self).__name__} has no test set")

    def info(self) -> dict[str, Any]:
        """What is true of the student at this moment, for records; teachers do not read it."""
        return {}

    def close(self) -> None:
        """Let go of whatever the student holds. Here: nothing."""

    def resume(self, state: State, seeds: Seeds) -> None:
        """Go on from what ``state`` gave, in place of ``begin``, unless this lifetime is ``replayed``."""
        self.begin(seeds)
        self.load(state)

    def survives(self, error: Exception) -> bool:
        """Whether the student is as before the decision that this error ended, so that another may be tried."""
        return isinstance(error, ProbeRefusedError)

    @property
    def record_space(self) -> TaskSpace:
        """The tasks of records and figures, where a decision is not what the student was given."""
        return self.task_space

    def recorded(self, feedback: Feedback) -> FloatArray:
        """``(n,)`` what the student was given for this feedback, in ``record_space``; called right after it came."""
        return feedback.task

    @property
    def test_space(self) -> TaskSpace:
        """The tasks that ``evaluate`` tests, where they are not those that feedback is about."""
        return self.task_space

    @property
    def world_seconds(self) -> float:
        """Time spent in the student's worlds so far."""
        return 0.0

    def student_state(self) -> State | None:
        """What ``restore_student`` needs to test this student again: arrays and plain values. None where it can't."""
        return None

    def restore_student(self, state: State, seeds: Seeds) -> None:
        """Take over a stored student, to test and watch it.

        Args:
            state: What ``student_state`` gave.
            seeds: Those of its run; ``evaluate`` then tests it in the same worlds.

        Raises:
            NotImplementedError: If such students can't be stored.
        """
        raise NotImplementedError(f"{type(self).__name__} does not store its students")

    def replace_student(self) -> None:
        """Replace the student by a fresh one; what is spent stays spent.

        Raises:
            NotImplementedError: If that can't be done.
        """
        raise NotImplementedError(f"{type(self).__name__} can't replace its student")

    def keep_files(self, folder: Path) -> None:
        """Leave what is made for the student in this folder from the next ``begin`` on. Here: nothing."""

    def capture_soon(self) -> None:
        """Prepare for a ``state`` that is quick to go on from; ``capturing`` says until when. Here: nothing."""

    @property
    def capturing(self) -> bool:
        """Whether what ``capture_soon`` asked for has not happened yet."""
        return False

    def _traced(self, offers: Needs) -> Needs:
        """What of these offers is to be worked out for traces."""
        return offers if self.traces is None else offers & self.traces
