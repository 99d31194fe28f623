"""Uniform draws: the baseline that every curriculum has to beat."""

from typing import Any, final

from teachgym.agents.base.task_actions import TaskActions
from teachgym.base.settings import NoSettings
from teachgym.core.feedback import Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Teacher


@final
class Random(Teacher):
    """Draws every task uniformly from the task space, independently, and learns nothing.

    Works with any box of tasks and with numbered arms, and has nothing to set. ``origin`` is always ``"random"``.

    Args:
        spec: The environment's fixed facts.
        settings: None, or ``NoSettings()``.
        seed: Integer from 0 up.

    Raises:
        ValueError: If the action space is neither a floating box with finite bounds nor ``Discrete``.
    """

    settings: NoSettings

    def __init__(self, spec: TeachingSpec, settings: NoSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self._actions = TaskActions(spec)

    def act(self, observation: Any) -> Any:
        """Draw a task."""
        self.origin = "random"
        return self._actions.action(self._actions.uniform(self.rng, self._actions.low, self._actions.high))

    def update(self, transition: Transition) -> None:
        """Do nothing."""
