"""Teacher environments whose student is a formula: an episode takes microseconds."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import COUNTED_PROBES, SECOND_STUDENT, Probes, decision_spec
from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime
from teachgym.core.needs import Needs
from teachgym.core.requirements import OnDemand
from teachgym.core.reward_rule import RewardKind, make_reward
from teachgym.core.seeding import Seeds
from teachgym.core.spec import EasyTasks
from teachgym.core.student_history import StudentHistory
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.core.teacher_env import TeacherEnv


class SimulatedStudent(ABC):
    """A learner in closed form. One episode is one visit to a task."""

    @abstractmethod
    def learn(self, task: FloatArray) -> float:
        """Play the task ``(n,)``, learn from it, and return the outcome."""

    @abstractmethod
    def play(self, task: FloatArray) -> float:
        """Play the task ``(n,)`` as it is now, and return the outcome."""

    @abstractmethod
    def expected(self, tasks: FloatArray) -> FloatArray:
        """``(m,)`` expected outcomes of tasks ``(m, n)`` as it is now, without noise."""

    @abstractmethod
    def score(self) -> float:
        """How much it has mastered, from 0 to 1: the truth, which teachers do not see."""


class SimulatedLifetime(Lifetime[FloatArray]):
    """A simulated student, and perhaps an antagonist; every decision is one episode, at once.

    Args:
        task_space: What a teacher chooses from.
        make_student: Makes a fresh student from a seed.
        budget: In episodes.
        test_tasks: ``(m, n)`` tasks for ``evaluate``.
        mastered_above: Outcome above which a task is mastered.
        counts_probes: Whether probes are paid from the budget.
        antagonist: Whether a second student, made from another seed, learns the same tasks.
        score_name: What ``info`` calls the student's true score.
    """

    def __init__(
        self,
        task_space: TaskSpace,
        make_student: Callable[[int], SimulatedStudent],
        *,
        budget: int,
        test_tasks: FloatArray,
        mastered_above: float,
        counts_probes: bool,
        antagonist: bool,
        score_name: str,
    ) -> None:
        self.task_space = self.decision_space = task_space
        self.test_tasks, self.mastered_above = test_tasks, mastered_above
        self.budget = int(budget)
        self._make_student, self._score_name = make_student, score_name
        self._counts_probes, self._has_antagonist = counts_probes, antagonist
        self._price = 2 if antagonist else 1
        self._spent = 0

    @property
    def spent(self) -> int:
        """Episodes played so far."""
        return self._spent

    @property
    def over(self) -> bool:
        """Whether the budget does not last for another decision."""
        return self._spent + self._price > self.budget

    def begin(self, seeds: Seeds) -> None:
        """Make a fresh student."""
        self._seeds, self._generation = seeds, -1
        self._spent = self._decisions = 0
        self.replace_student()

    def replace_student(self) -> None:
        """Replace the student, and the antagonist, by fresh ones; what is spent stays spent."""
        self._generation += 1
        self._score: float | None = None
        fresh = np.random.SeedSequence([self._seeds.student, self._generation]).generate_state(2)
        self._student = self._make_student(int(fresh[0]))
        self._antagonist = self._make_student(int(fresh[1])) if self._has_antagonist else None

    def read(self, action: Any) -> FloatArray:
        """The action as a task."""
        return self.task_space.validate(action)

    def teach(self, decision: FloatArray) -> Feedback:
        """Let the student learn one episode."""
        return self._play(decision, probe=False)

    def probe(self, decision: FloatArray) -> Feedback:
        """Let the student play one episode, from which it does not learn."""
        return self._play(decision, probe=True)

    def _play(self, task: FloatArray, *, probe: bool) -> Feedback:
        self._score = None
        values = np.append(self._student.expected(task[None]), 0.0) if self._traced(Needs.VALUES) else None
        outcome = self._student.play(task) if probe else self._student.learn(task)
        cost = self._price
        other = None
        if self._antagonist is not None:
            other = self._antagonist.play(task) if probe else self._antagonist.learn(task)
        trace = None if values is None else EpisodeTrace(np.array([outcome]), values)
        number, self._decisions = self._decisions, self._decisions + 1
        if not probe or self._counts_probes:
            self._spent += cost
        else:
            cost = 0
        return Feedback(task, outcome, outcome > self.mastered_above, cost, number, probe, trace, other)

    def score(self) -> float:
        """The student's true score, worked out once between two decisions."""
        if self._score is None:
            self._score = self._student.score()
        return self._score

    def info(self) -> dict[str, Any]:
        """The student's true score."""
        return {self._score_name: self.score()}

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Expected outcomes on the test tasks, or on others ``(m, n)``."""
        tested = self.test_tasks if tasks is None else self.task_space.validate_all(tasks)
        returns = self._student.expected(tested)
        return Evaluation(tested, returns, np.ones(len(tested), dtype=np.int64), self.mastered_above, self._spent)


class SimulatedEnv(TeacherEnv):
    """Teach a simulated student; the base of environments with a box of tasks.

    One step is one episode, at once. The observation is a ``StudentHistory``. Rewards: ``"outcome"``;
    ``"learning-progress"``, as in ``TaskTeachingEnv``; or ``"gain"``, the change of the student's true score, so that
    the undiscounted return is final minus initial score.

    Args:
        task_space: What a teacher chooses from.
        make_student: Makes a fresh student from a seed.
        budget: In episodes.
        test_tasks: ``(m, n)`` tasks for ``evaluate``.
        outcome_range: Outcomes that scale to 0 and 1.
        mastered_above: Outcome above which a task is mastered.
        easy_tasks: Tasks that a beginner can do, if that is to be known.
        score_name: What ``info`` calls the student's true score.
        reward: Above.
        probes: Whether the student can play without learning: ``"off"``, ``"counted"`` or ``"free"``.
        antagonist: Whether a second student, made from another seed, learns the same tasks. Each episode of either
            counts; of an odd budget one is left.

    Raises:
        ValueError: If an argument is not allowed; the message says what is.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (COUNTED_PROBES, SECOND_STUDENT)

    @checked_arguments
    def __init__(
        self,
        task_space: TaskSpace,
        make_student: Callable[[int], SimulatedStudent],
        *,
        budget: int,
        test_tasks: FloatArray,
        outcome_range: tuple[float, float] = (0.0, 1.0),
        mastered_above: float,
        easy_tasks: EasyTasks | None = None,
        score_name: str = "score",
        reward: RewardKind = "outcome",
        probes: Probes = "off",
        antagonist: bool = False,
    ) -> None:
        check_whole("budget", budget, 2 if antagonist else 1)
        history = StudentHistory(task_space, outcome_range)
        spec = decision_spec(
            task_space,
            observation_space=history.space,
            outcome_range=outcome_range,
            mastered_above=mastered_above,
            student_offers=Needs.VALUES,
            easy_tasks=easy_tasks,
            probes=probes,
            antagonist=antagonist,
        )
        lifetime = SimulatedLifetime(
            task_space,
            make_student,
            budget=budget,
            test_tasks=test_tasks,
            mastered_above=mastered_above,
            counts_probes=probes != "free",
            antagonist=antagonist,
            score_name=score_name,
        )
        super().__init__(lifetime, spec, reward=make_reward(reward), view=history)
