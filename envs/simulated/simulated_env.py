"""Teacher environments whose student is a formula: an episode takes microseconds."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import Decision, Probes, decision_spec, read_decision
from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.learning_progress import AbsoluteLearningProgress
from teachgym.core.seeding import Seeds
from teachgym.core.spec import VALUES, EasyTasks, TeachingSpec
from teachgym.core.student_history import StudentHistory
from teachgym.core.task_space import Float32Array, FloatArray, TaskSpace
from teachgym.core.teacher_env import TeacherEnv

_VALUES = frozenset({VALUES})
SimulatedReward = Literal["outcome", "learning-progress", "gain"]


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


class SimulatedEnv(TeacherEnv[Float32Array, Decision]):
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
        reward: Above.
        probes: Whether the student can play without learning: ``"off"``, ``"counted"`` or ``"free"``.
        antagonist: Whether a second student, made from another seed, learns the same tasks. Each episode of either
            counts; of an odd budget one is left.

    Raises:
        ValueError: If an argument is not allowed; the message says what is.
    """

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
        reward: SimulatedReward = "outcome",
        probes: Probes = "off",
        antagonist: bool = False,
    ) -> None:
        check_whole("budget", budget, 2 if antagonist else 1)
        self.task_space, self.test_tasks = task_space, test_tasks
        self._make_student = make_student
        self._budget, self._reward_kind = int(budget), reward
        self._counts_probes, self._has_antagonist = probes != "free", antagonist
        self._price = 2 if antagonist else 1
        self._score: float | None = None
        self._record = StudentHistory(task_space)
        self.observation_names, self.observation_space = self._record.names, self._record.observation_space
        self._spec = decision_spec(
            task_space,
            observation_space=self.observation_space,
            outcome_range=outcome_range,
            mastered_above=mastered_above,
            student_offers=_VALUES,
            easy_tasks=easy_tasks,
            probes=probes,
            antagonist=antagonist,
        )
        self.action_space = self._spec.action_space
        self._spent = 0

    @property
    def teaching_spec(self) -> TeachingSpec:
        """What a teacher may know before the first step."""
        return self._spec

    @property
    def budget(self) -> int:
        """Episodes that may be played."""
        return self._budget

    @property
    def spent(self) -> int:
        """Episodes played so far."""
        return self._spent

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Expected outcomes on the test tasks, or on others ``(m, n)``."""
        if not hasattr(self, "seeds"):
            raise RuntimeError("no student exists yet; call reset() before evaluate()")
        tested = self.test_tasks if tasks is None else self.task_space.validate_all(tasks)
        returns = self._student.expected(tested)
        lengths = np.ones(len(tested), dtype=np.int64)
        return Evaluation(tested, returns, lengths, self._spec.mastered_above, self._spent)

    def forget_student(self) -> None:
        """Replace the student, and the antagonist, by fresh ones; what is spent stays spent."""
        self._generation += 1
        self._score = None
        fresh = np.random.SeedSequence([self.seeds.student, self._generation]).generate_state(2)
        self._student = self._make_student(int(fresh[0]))
        self._antagonist = self._make_student(int(fresh[1])) if self._has_antagonist else None

    def _begin(self, seeds: Seeds) -> None:
        self._spent = self._decisions = 0
        self._generation = -1
        self._record.clear()
        self._progress = AbsoluteLearningProgress(self.task_space.dimensions)
        self.forget_student()
        self._paid_score = self._true_score()

    def _check_action(self, action: Any) -> Decision:
        return read_decision(action, self.task_space, self.action_space)

    def _teach(self, decision: Decision) -> Feedback | None:
        task, probe = decision
        self._score = None
        values = np.append(self._student.expected(task[None]), 0.0) if self._traced(_VALUES) else None
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
        return Feedback(task, outcome, outcome > self._spec.mastered_above, cost, number, probe, trace, other)

    def _reward(self, feedback: Feedback | None) -> float:
        assert feedback is not None
        if self._reward_kind == "outcome":
            return feedback.outcome
        if self._reward_kind == "learning-progress":
            return self._progress.add(feedback.task, feedback.outcome)
        before, self._paid_score = self._paid_score, self._true_score()
        return self._paid_score - before

    def _true_score(self) -> float:
        """The student's score as it is now, worked out once between two decisions."""
        if self._score is None:
            self._score = self._student.score()
        return self._score

    def _observe(self, feedback: Feedback | None) -> Float32Array:
        return self._record.observe(feedback, progress=self._spent / self._budget, spec=self._spec)

    def _is_over(self) -> bool:
        return self._spent + self._price > self._budget
