"""Uniform draws: the baseline that every curriculum has to beat."""

import copy
from typing import Any, final

import numpy as np
from gymnasium import Space, spaces

from teachgym.agents.base.task_actions import TaskActions
from teachgym.base.settings import NoSettings
from teachgym.core.feedback import Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Choice, Note, Teacher


@final
class Random(Teacher):
    """Draws every action from the action space, independently, and learns nothing.

    Tasks in a box and numbered arms are uniform, and so are shares of skills; all else is what Gymnasium draws from the
    space, texts of random letters for instance. It makes no probes, has nothing to set, and its ``origin`` is always
    ``"random"``.

    Args:
        spec: The environment's fixed facts.
        settings: None, or ``NoSettings()``.
        seed: Non-negative integer.
    """

    settings: NoSettings

    def __init__(self, spec: TeachingSpec, settings: NoSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self._tasks = TaskActions(spec) if _is_of_tasks(spec.decisions) else None
        self._space = copy.deepcopy(spec.decisions)

    def _act(self, observation: Any) -> Choice:
        """Draw an action."""
        if self._tasks is not None:
            task = self._tasks.uniform(self.rng, self._tasks.low, self._tasks.high)
            return Choice(self._tasks.action(task), "random")
        self._space.seed(int(self.rng.integers(2**31)))
        decision = self._space.sample()
        return Choice({"decision": decision, "probe": np.int64(0)} if self.spec.has_probes else decision, "random")

    def _update(self, transition: Transition, note: Note | None) -> None:
        """Do nothing."""

    def _forget_derived(self) -> None:
        self._space = copy.deepcopy(self.spec.decisions)  # it is seeded anew for every draw


def _is_of_tasks(space: Space[Any]) -> bool:
    """Whether these are arms, or a bounded box of floating-point numbers, which are drawn in double precision."""
    if isinstance(space, spaces.Box):
        return np.issubdtype(space.dtype, np.floating) and space.is_bounded()
    return isinstance(space, spaces.Discrete)
