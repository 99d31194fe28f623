"""The base of every teacher environment: one step is one teaching decision."""

import copy
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import gymnasium
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike

from teachgym.base.annotations import shown
from teachgym.base.packing import pack, unpack
from teachgym.base.state import loading
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.seeding import Seeds, check_seed, fan_out
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray, TaskSpace

MOST_UNPAID = 100_000
"""Decisions in a row that may spend nothing; more of them are taken for a teacher that never lets its student learn."""

Observation = TypeVar("Observation")
DecisionT = TypeVar("DecisionT")
"""A decoded action."""


class TeacherEnv(gymnasium.Env[Observation, Any], Generic[Observation, DecisionT]):
    """A Gymnasium environment whose agent is a teacher.

    ``reset`` makes a fresh student. ``step`` is the same everywhere: check the action, let the student
    learn one training segment (``_teach``), reward, observe, and say whether the budget is spent. Subclasses
    define the methods with a leading underscore, and nothing else.

    ``info["feedback"]`` is a ``Feedback``, or None when the step finished nothing.
    ``info["spent"]`` is the number of student steps (or examples) spent so far.
    """

    task_space: TaskSpace
    """The tasks that feedback is about, in order and with units."""
    seeds: Seeds
    """The seeds of this episode; set by ``reset``."""
    budget_unit: ClassVar[str] = "student steps"
    """What the budget counts."""
    outcome_name: ClassVar[str] = "return"
    """What an outcome is called, in tables and figures."""
    headline: ClassVar[Literal["mastered", "mean_return"]] = "mastered"
    """The number of an ``Evaluation`` that teachers are compared by."""
    traces: frozenset[str] | None = None
    """Which of ``spec.VALUES`` and ``spec.ENTROPIES`` are worked out for ``Feedback.trace``; None for whatever is
    offered. ``teachgym.teach`` has only those worked out that its teacher needs."""
    _repeats = True
    """Whether a stored episode is its actions, to be repeated; False where ``_state`` has another way."""
    _running = False
    _why_not_running = "no episode has begun"
    _unpaid = 0
    _seed: int
    _carried_out: list[Any]

    @property
    @abstractmethod
    def teaching_spec(self) -> TeachingSpec:
        """What a teacher may know before the first step."""

    @property
    @abstractmethod
    def budget(self) -> int:
        """Student steps (or examples) that one episode of this environment may spend."""

    @property
    @abstractmethod
    def spent(self) -> int:
        """Student steps (or examples) spent so far in this episode."""

    @property
    def record_space(self) -> TaskSpace:
        """The tasks of records and figures, where an action is not what the student was given."""
        return self.task_space

    def recorded(self, feedback: Feedback) -> FloatArray:
        """``(n,)`` what the student was given for this feedback, in ``record_space``; called right after its step."""
        return feedback.task

    @property
    def test_space(self) -> TaskSpace:
        """The tasks that ``evaluate`` tests, where they are not those that feedback is about."""
        return self.task_space

    @property
    def world_seconds(self) -> float:
        """Time spent in the student's worlds in this episode."""
        return 0.0

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student as it is now; neither student nor budget notices.

        Args:
            tasks: ``(m, n)`` tasks; None takes the environment's test set.

        Raises:
            NotImplementedError: If the environment has no such test.
        """
        raise NotImplementedError(f"{type(self).__name__} has no test set")

    def student_state(self) -> dict[str, Any] | None:
        """What ``restore_student`` needs to test this student again: arrays and plain values. None where it can't."""
        return None

    def restore_student(self, state: dict[str, Any], *, seed: int) -> None:
        """Take over a stored student, to test and watch it.

        Args:
            state: What ``student_state`` gave.
            seed: That of its run; ``evaluate`` then tests it in the same worlds.

        Raises:
            NotImplementedError: If the environment's students can't be stored.
        """
        raise NotImplementedError(f"{type(self).__name__} does not store its students")

    def forget_student(self) -> None:
        """Replace the student by a fresh one in mid-episode; what is spent stays spent.

        Raises:
            NotImplementedError: If the environment can't do that.
        """
        raise NotImplementedError(f"{type(self).__name__} can't replace its student")

    @abstractmethod
    def _begin(self, seeds: Seeds) -> None:
        """Make a fresh student."""

    @abstractmethod
    def _check_action(self, action: Any) -> DecisionT:
        """Return the action as this environment uses it, or raise ``ValueError`` with what is allowed."""

    @abstractmethod
    def _teach(self, decision: DecisionT) -> Feedback | None:
        """Let the student learn one training segment under the decision, and return what it finished, if anything."""

    @abstractmethod
    def _reward(self, feedback: Feedback | None) -> float:
        """Pay for what was finished."""

    @abstractmethod
    def _observe(self, feedback: Feedback | None) -> Observation:
        """What the teacher sees after this feedback; None at the start of the episode and when nothing finished."""

    @abstractmethod
    def _is_over(self) -> bool:
        """Whether the budget is spent, so that there is nothing left to decide."""

    def _survives(self, error: Exception) -> bool:
        """Whether the episode stands as before the step that this error ended, so that it may be tried again."""
        return False

    def keep_files(self, folder: Path) -> None:
        """Leave what the episode makes, beside the record, in this folder from the next ``reset`` on. Here: nothing."""

    def capture_soon(self) -> None:
        """Prepare for a ``state_dict`` that is quick to go on from; ``capturing`` says until when. Here: nothing."""

    @property
    def capturing(self) -> bool:
        """Whether what ``capture_soon`` asked for has not happened yet."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """What ``load_state_dict`` needs to go on from here, bit for bit on CPU: arrays and plain values.

        Raises:
            ResetNeeded: If there is no episode in the making.
        """
        self._check_running("state_dict")
        return {"seed": self._seed, "unpaid": self._unpaid, "episode": self._state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the episode of a ``state_dict``, of an environment with the same settings; no ``reset`` is needed.

        Raises:
            ValueError: If the state does not fit, or repeating what led to it did not come to it.
        """
        self._running, self._why_not_running = False, "the last load_state_dict() failed"
        with loading(self):
            self._seed = int(state["seed"])
            self.seeds = fan_out(self._seed)
            self._load(state["episode"])
            self._unpaid = int(state["unpaid"])
        self._running = True

    def _state(self) -> dict[str, Any]:
        """What ``_load`` needs, when the seeds are known: here, every action so far."""
        return {"actions": pack(self._carried_out), "spent": self.spent}

    def _load(self, state: dict[str, Any]) -> None:
        """Take over what ``_state`` gave: here, by carrying the same actions out again from the beginning."""
        self._carried_out = []
        self._begin(self.seeds)
        self._observe(None)
        self._running = True
        for action in unpack(state["actions"]):
            self.step(action)
        if self.spent != state["spent"]:
            raise ValueError(
                f"the actions that had led {type(self).__name__} to {state['spent']} spent led it to {self.spent}: it "
                "does not depend on its seeds alone, or another version or machine computes differently"
            )

    def _traced(self, offers: frozenset[str]) -> frozenset[str]:
        """What of these offers is to be worked out for traces."""
        return offers if self.traces is None else offers & self.traces

    def _check_running(self, call: str) -> None:
        """Raise ``ResetNeeded`` unless there is an episode in the making, which a call needs."""
        if not self._running:
            raise ResetNeeded(f"call reset() before {call}(): {self._why_not_running}")

    def _info(self) -> dict[str, Any]:
        """More for ``info``: what is true of the student at this moment, for records, which teachers do not read."""
        return {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Make a fresh student.

        Args:
            seed: Integer from 0 up that fixes the whole episode; None continues the environment's own stream.
            options: None; there are none.

        Raises:
            ValueError: If the seed or the options are not allowed.
        """
        if options is not None and not (isinstance(options, dict) and not options):
            raise ValueError(f"options are {shown(options)}; a teacher environment takes none")
        if seed is not None:
            check_seed(seed)
            seed = int(seed)
        super().reset(seed=seed)
        self._seed = int(self.np_random.integers(2**31)) if seed is None else seed
        self.seeds = fan_out(self._seed)
        self._running, self._why_not_running = False, "the last reset() failed"
        self._unpaid = 0
        self._carried_out = []
        self._begin(self.seeds)
        self._running = True
        return self._observe(None), {"feedback": None, "spent": self.spent, **self._info()}

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Carry one teaching decision out.

        Raises:
            ResetNeeded: Before the first ``reset``, and once the episode is over, by an error or otherwise.
            ValueError: If the action is not allowed.
            RuntimeError: If 100,000 decisions in a row have spent nothing.
            Exception: Whatever the student raises; it ends the episode, unless the environment says that the step
                may be tried again.
        """
        self._check_running("step")
        decision = self._check_action(action)
        self._running, self._why_not_running = False, "the last step() was broken off"
        before = self.spent
        try:
            feedback = self._teach(decision)
        except Exception as error:
            self._running = self._survives(error)
            self._why_not_running = f"the last step() failed ({type(error).__name__}: {error})"
            raise
        if self._repeats:
            self._carried_out.append(copy.deepcopy(action))
        self._unpaid = 0 if self.spent > before else self._unpaid + 1
        if self._unpaid > MOST_UNPAID:
            raise RuntimeError(
                f"the last {MOST_UNPAID:,} decisions have spent none of the budget ({self.spent} of {self.budget} is "
                "spent); a teacher whose probes are free must let its student learn at times"
            )
        over = self._is_over()
        self._running, self._why_not_running = not over, "the episode is over"
        info = {"feedback": feedback, "spent": self.spent, **self._info()}
        return self._observe(feedback), self._reward(feedback), over, False, info
