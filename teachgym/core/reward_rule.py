"""What a step of a teacher environment pays: the outcome, its learning progress, or the gain in the student's score."""

from abc import abstractmethod
from typing import Any, Literal

from teachgym.base.state import Stateful
from teachgym.core.feedback import Feedback
from teachgym.core.learning_progress import AbsoluteLearningProgress
from teachgym.core.lifetime import Lifetime
from teachgym.core.task_space import FloatArray

RewardKind = Literal["outcome", "learning-progress", "gain"]


class RewardRule(Stateful):
    """Pays a teacher for each of its decisions."""

    def begin(self, lifetime: Lifetime[Any]) -> None:
        """Begin with a fresh student. Here: nothing."""

    @abstractmethod
    def pay(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> float:
        """The reward of the step that gave this feedback; None where it finished nothing."""


class OutcomeReward(RewardRule):
    """The outcome of what the step finished; 0 where that is nothing."""

    def pay(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> float:
        """The outcome."""
        return 0.0 if feedback is None else feedback.outcome


class GainReward(RewardRule):
    """What the student's score has gained, less what was paid for it.

    The undiscounted return of an episode is the final less the initial score, less all that was paid.

    Args:
        at_end: Whether everything is paid in the last step, where the score tells what a teacher may not know before.
    """

    keeps = ("_before",)

    def __init__(self, *, at_end: bool = False) -> None:
        self._at_end = at_end
        self._before = 0.0

    def begin(self, lifetime: Lifetime[Any]) -> None:
        """Measure gains from the fresh student's score."""
        self._before = lifetime.score() - lifetime.paid

    def pay(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> float:
        """The gain since the last time that it was paid."""
        if self._at_end and not lifetime.over:
            return 0.0
        before, self._before = self._before, lifetime.score() - lifetime.paid
        return self._before - before


class LearningProgressReward(RewardRule):
    """The absolute difference of an outcome from that of the nearest earlier task, by raw distance.

    0 where the step finished nothing; see ``AbsoluteLearningProgress``.
    """

    keeps = ("_progress",)

    def begin(self, lifetime: Lifetime[Any]) -> None:
        """Forget all earlier tasks."""
        self._progress = AbsoluteLearningProgress(lifetime.task_space.dimensions)

    def pay(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> float:
        """The learning progress."""
        return 0.0 if feedback is None else self._progress.add(feedback.task, feedback.outcome)


class RepeatedTaskReward(RewardRule):
    """The absolute difference of an outcome from the last one in the very same task; 0 for the first."""

    keeps = ("_outcomes",)
    _outcomes: dict[str, float]

    def __init__(self) -> None:
        self._outcomes = {}

    def begin(self, lifetime: Lifetime[Any]) -> None:
        """Forget all earlier tasks."""
        self._outcomes = {}

    def pay(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> float:
        """The difference."""
        return 0.0 if feedback is None else self.add(feedback.task, feedback.outcome)

    def add(self, task: FloatArray, outcome: float) -> float:
        """Take in an outcome, and return the difference."""
        key = str(task.tolist())
        before = self._outcomes.get(key, outcome)
        self._outcomes[key] = outcome
        return abs(outcome - before)


def make_reward(kind: RewardKind) -> RewardRule:
    """The reward rule of that name."""
    kinds = {"outcome": OutcomeReward, "learning-progress": LearningProgressReward, "gain": GainReward}
    return kinds[kind]()
