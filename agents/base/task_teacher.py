"""The base of teachers that choose one point of a box of tasks and learn from what came of it."""

from abc import abstractmethod
from typing import Any, ClassVar, final

from gymnasium import spaces

from teachgym.agents.base.task_actions import TaskActions
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.requirements import SpaceType
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note, Teacher


class TaskTeacher(Teacher):
    """A teacher whose action is a task, and which ignores observation and reward.

    Subclasses define ``_choose`` and ``_learn`` on task vectors ``(n,)`` in float64, whatever the shape and
    dtype of the action space, beside ``keeps``. Those that use more of the feedback than the outcome, or the note of
    the decision, define ``_learn_from`` instead of ``_learn``, and those that let the student play tasks without
    learning from them define ``_probes``.

    Args:
        spec: The environment's fixed facts. The action space is a floating ``Box`` of any shape, or a ``ProbeSpace``
            of one.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box with finite bounds.
    """

    acts_on: ClassVar[tuple[SpaceType, ...]] = (spaces.Box, ProbeSpace)

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.task_space = spec.task_space
        self._actions = TaskActions(spec)

    @abstractmethod
    def _choose(self) -> Choice | tuple[FloatArray, str]:
        """Choose the next task: ``(n,)`` in task units, and where it came from; and a memo, if one is needed."""

    def _probes(self, origin: str) -> bool:
        """Whether a task that comes from there is a probe, from which the student is not to learn."""
        return False

    def _learn(self, task: FloatArray, outcome: float) -> None:
        """Learn that the task, ``(n,)`` in task units, had this raw outcome."""
        raise NotImplementedError(f"{type(self).__name__} defines neither _learn nor _learn_from")

    def _learn_from(self, task: FloatArray, feedback: Feedback, note: Note | None) -> None:
        """Learn all that came of the task, ``(n,)`` in task units; the note as in ``_update``."""
        self._learn(task, feedback.outcome)

    @final
    def _act(self, observation: Any) -> Choice:
        """Choose a task: an array of the action space's shape and dtype, clipped to the bounds."""
        chosen = Choice(*self._choose())
        return chosen._replace(action=self._actions.action(chosen.action, probe=self._probes(chosen.origin)))

    @final
    def _update(self, transition: Transition, note: Note | None) -> None:
        """Learn from the feedback; a transition without feedback changes nothing.

        Raises:
            ValueError: If the feedback's task does not have as many numbers as the action space.
        """
        feedback = transition.feedback
        if feedback is not None:
            self._learn_from(self._actions.vector(feedback.task), feedback, note)
