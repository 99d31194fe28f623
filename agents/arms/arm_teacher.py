"""The base of teachers that choose among a finite set of arms."""

from abc import abstractmethod
from typing import Any, final

import numpy as np

from teachgym.agents.arms.arms import Arms
from teachgym.agents.base.task_actions import TASKS_AND_ARMS
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note, Teacher


class ArmTeacher(Teacher):
    """A teacher that plays arms: those of a ``Discrete`` action space, or the cells of a grid over a box.

    Subclasses define ``_choose``, ``_learn`` and ``keeps``; their ``Settings`` is an
    ``ArmSettings`` with more fields. The arm of an answer is the one that its decision chose; where that is not known
    any more, the one that its task lies in.

    Args:
        spec: The environment's fixed facts.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is neither a floating box with finite bounds nor ``Discrete``.
    """

    acts_on = TASKS_AND_ARMS

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.arms = Arms(spec, self.settings)

    @abstractmethod
    def _choose(self, observation: Any) -> Choice:
        """Choose the next arm, by its number from 0; a memo is numbers ``(m,)``."""

    @abstractmethod
    def _learn(self, arm: int, memo: FloatArray | None, transition: Transition, feedback: Feedback) -> None:
        """Learn what came of an arm; the memo is what ``_choose`` gave, or None where that is forgotten."""

    @final
    def _act(self, observation: Any) -> Choice:
        """Choose an arm, and draw a task from it."""
        arm, origin, memo = self._choose(observation)
        kept = np.concatenate([[float(arm)], () if memo is None else memo])
        return Choice(self.arms.draw(arm, self.rng), origin, kept)

    @final
    def _update(self, transition: Transition, note: Note | None) -> None:
        """Learn from the feedback; a transition without feedback changes nothing.

        Raises:
            ValueError: If the feedback's task does not have as many numbers as the action space.
        """
        feedback = transition.feedback
        if feedback is None:
            return
        lies_in = self.arms.arm_of(feedback.task)
        if note is None:
            self._learn(lies_in, None, transition, feedback)
        else:
            self._learn(int(note.memo[0]), note.memo[1:], transition, feedback)
