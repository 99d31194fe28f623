"""The base of every teacher environment: one step is one teaching decision."""

from abc import abstractmethod
from typing import Any, Generic, TypeVar

import gymnasium
from gymnasium.error import ResetNeeded

from teachgym.feedback import Feedback
from teachgym.problem import Problem
from teachgym.seeding import Seeds, check_seed, fan_out

Observation = TypeVar("Observation")
Action = TypeVar("Action")


class TeacherEnv(gymnasium.Env[Observation, Action], Generic[Observation, Action]):
    """A Gymnasium environment whose agent is a teacher.

    ``reset`` makes a fresh student. ``step`` is the same everywhere: check the action, let the student
    learn a fixed quantum (``_teach``), reward, observe, and say whether the budget is spent. Subclasses
    define the methods with a leading underscore, and nothing else.

    ``info["feedback"]`` is a ``Feedback``, or None when the step finished nothing.
    ``info["student_steps"]`` is the number of student steps (or examples) spent so far.
    """

    seeds: Seeds
    """The seeds of this episode; set by ``reset``."""
    _running = False

    @property
    @abstractmethod
    def problem(self) -> Problem:
        """What a teacher may know before the first step."""

    @property
    @abstractmethod
    def budget(self) -> int:
        """Student steps (or examples) that one episode of this environment may spend."""

    @property
    @abstractmethod
    def spent(self) -> int:
        """Student steps (or examples) spent so far in this episode."""

    @abstractmethod
    def _begin(self, seeds: Seeds) -> None:
        """Make a fresh student."""

    @abstractmethod
    def _check_action(self, action: Any) -> Action:
        """Return the action as this environment uses it, or raise ``ValueError`` with what is allowed."""

    @abstractmethod
    def _teach(self, action: Action) -> Feedback | None:
        """Let the student learn one quantum under the action, and return what it finished, if anything."""

    @abstractmethod
    def _reward(self, feedback: Feedback | None) -> float:
        """Pay for what was finished."""

    @abstractmethod
    def _observe(self, feedback: Feedback | None) -> Observation:
        """What the teacher sees after this feedback; None at the start of the episode and when nothing finished."""

    @abstractmethod
    def _is_over(self) -> bool:
        """Whether the budget is spent, so that there is nothing left to decide."""

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
        if options:
            raise ValueError(f"options {sorted(options)} are unknown; a teacher environment takes none")
        if seed is not None:
            check_seed(seed)
            seed = int(seed)
        super().reset(seed=seed)
        self.seeds = fan_out(int(self.np_random.integers(2**31)) if seed is None else seed)
        self._running = False
        self._begin(self.seeds)
        self._running = True
        return self._observe(None), {"feedback": None, "student_steps": self.spent}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Carry one teaching decision out.

        Raises:
            ResetNeeded: Before the first ``reset``, and after the budget is spent.
            ValueError: If the action is not allowed.
            Exception: Whatever the student raises; it ends the episode.
        """
        if not self._running:
            raise ResetNeeded("call reset() before step(): the episode has not begun, or its budget is spent")
        action = self._check_action(action)
        self._running = False  # an exception in the student ends the episode
        feedback = self._teach(action)
        over = self._is_over()
        self._running = not over
        info = {"feedback": feedback, "student_steps": self.spent}
        return self._observe(feedback), self._reward(feedback), over, False, info
