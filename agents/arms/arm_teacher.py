"""The base of teachers that choose among a finite set of arms."""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, final

import numpy as np

from teachgym.agents.arms.arms import Arms
from teachgym.agents.base.pending import Pending
from teachgym.agents.base.task_actions import TASKS_AND_ARMS
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Teacher


class Choice(NamedTuple):
    """An arm that was chosen."""

    arm: int
    """Its number, from 0."""
    origin: str
    """Why it was chosen, for ``Teacher.origin``."""
    note: tuple[float, ...] | FloatArray = ()
    """Numbers to hand back with the outcome."""


class ArmTeacher(Teacher):
    """A teacher that plays arms: those of a ``Discrete`` action space, or the cells of a grid over a box.

    Subclasses define ``_choose``, ``_learn`` and ``keeps``; their ``Settings`` is an
    ``ArmSettings`` with more fields. The arm of an answer is the one that its decision chose; where that is not known
    any more, the one that its task lies in.

    Args:
        spec: The environment's fixed facts.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Integer from 0 up.

    Raises:
        ValueError: If the action space is neither a floating box with finite bounds nor ``Discrete``.
    """

    acts_on = TASKS_AND_ARMS
    keeps: ClassVar[tuple[str, ...]] = ("_pending",)

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.arms = Arms(spec, self.settings)
        self._pending = Pending()

    @abstractmethod
    def _choose(self, observation: Any) -> Choice:
        """Choose the next arm."""

    @abstractmethod
    def _learn(self, arm: int, note: FloatArray | None, transition: Transition, feedback: Feedback) -> None:
        """Learn what came of an arm; the note is what ``_choose`` gave, or None where that is forgotten."""

    @final
    def act(self, observation: Any) -> Any:
        """Choose an arm, and draw a task from it."""
        choice = self._choose(observation)
        self.origin = choice.origin
        self._pending.open(np.concatenate([[float(choice.arm)], choice.note]))
        return self.arms.draw(choice.arm, self.rng)

    @final
    def update(self, transition: Transition) -> None:
        """Learn from the feedback; a transition without feedback changes nothing.

        Raises:
            ValueError: If the feedback's task does not have as many numbers as the action space.
        """
        feedback = transition.feedback
        if feedback is None:
            return
        lies_in = self.arms.arm_of(feedback.task)
        opened = self._pending.close(feedback.decision)
        if opened is None:
            self._learn(lies_in, None, transition, feedback)
        else:
            self._learn(int(opened[0]), opened[1:], transition, feedback)
