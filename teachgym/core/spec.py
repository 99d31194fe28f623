"""What a teacher may know of its environment before the first step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gymnasium import Space, spaces

from teachgym.base.settings import checked_dataclass
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spaces import ProbeSpace
from teachgym.core.task_space import TaskSpace

Rule = Callable[[Any], Any]
"""A policy that needs nothing but the observation: from it to an action. It draws nothing and remembers nothing."""


@checked_dataclass
class EasyTasks:
    """A Gaussian of tasks that a beginner can do, clipped to the bounds: expert knowledge."""

    mean: tuple[float, ...]
    """``(n,)`` centre, in task units."""
    std: tuple[float, ...]
    """``(n,)`` standard deviations, in task units, non-negative."""


@dataclass(frozen=True)
class TeachingSpec:
    """The fixed facts of a teacher environment. Teachers are made from these, and keep no environment.

    Raises:
        ValueError: If the outcome range is empty, or what is offered is not there, or the other way round.
    """

    action_space: Space[Any]
    """What ``Teacher.act`` returns a member of."""
    observation_space: Space[Any]
    """What ``Teacher.act`` is given a member of."""
    outcome_range: tuple[float, float]
    """Outcomes that a teacher may take for the worst and the best; for the walker -150 and 350.

    Outcomes beyond are possible, and clipped where a teacher scales them to ``[0, 1]``."""
    mastered_above: float
    """An outcome above this counts as mastered; for the walker 230. Whatever is given, it is NaN where
    ``Needs.SUCCESS`` is not offered."""
    offers: Needs = NOTHING
    """What a teacher is told beyond outcomes."""
    easy_tasks: EasyTasks | None = None
    """Which tasks are easy, where that is offered."""
    skills: tuple[str, ...] = ()
    """Names of the skills that the action and the observation are about, in order; empty where there are none."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Reference policies by name, where they are offered; one of them is ``"none"``, to do nothing."""

    def __post_init__(self) -> None:
        worst, best = self.outcome_range
        if not worst < best:
            raise ValueError(f"outcome_range is {self.outcome_range}; expected (worst, best) with worst < best")
        for offer, name, given in (
            (Needs.EASY_TASKS, "easy_tasks", self.easy_tasks is not None),
            (Needs.RULES, "rules", bool(self.rules)),
        ):
            if given != (offer in self.offers):
                raise ValueError(
                    f"{name} is {getattr(self, name)}, and offers is {self.offers!r}; expected both or neither to have "
                    f"{offer!r}"
                )
        if Needs.SUCCESS not in self.offers:
            object.__setattr__(self, "mastered_above", math.nan)
        elif math.isnan(self.mastered_above):
            raise ValueError("mastered_above is nan, and Needs.SUCCESS is offered; expected a number")

    @property
    def has_probes(self) -> bool:
        """Whether an action says if it is a probe."""
        return isinstance(self.action_space, ProbeSpace)

    @property
    def decisions(self) -> Space[Any]:
        """What is decided: the action space, or the part of it beside ``"probe"``."""
        return self.action_space.decisions if isinstance(self.action_space, ProbeSpace) else self.action_space

    @property
    def task_space(self) -> TaskSpace:
        """The box of tasks that decisions are; a plain box gets invented parameter names.

        Raises:
            ValueError: If a decision in this environment is not a task.
        """
        if not isinstance(self.decisions, spaces.Box):
            raise ValueError(f"the action space is {self.action_space}; this teacher chooses points of a box of tasks")
        return TaskSpace.from_box(self.decisions)

    def scale_outcome(self, outcome: float) -> float:
        """Map an outcome linearly from ``outcome_range`` to ``[0, 1]``, clipped at the ends."""
        return scaled(outcome, self.outcome_range)


def scaled(outcome: float, outcome_range: tuple[float, float]) -> float:
    """The outcome as a share of its range, clipped to ``[0, 1]``."""
    worst, best = outcome_range
    return min(max((outcome - worst) / (best - worst), 0.0), 1.0)
