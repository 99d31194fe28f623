"""What a teacher may know of its environment before the first step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gymnasium import Space, spaces

from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import TaskSpace

SUCCESS = "success"
"""Offered where the teacher may know what counts as mastered: ``mastered_above`` and ``Feedback.success``. Elsewhere
they are NaN and False."""
EASY_TASKS = "easy-tasks"
"""Offered where a person says which tasks are easy: ``TeachingSpec.easy_tasks``."""
VALUES = "values"
"""Offered where the student estimates the return: ``Feedback.trace`` has ``values``."""
ENTROPIES = "entropies"
"""Offered where the student has a random policy: ``Feedback.trace`` has ``entropies``."""
PROBES = "probes"
"""Offered where a decision may be a probe, whose effect is not kept: the action is ``probe_space``'s."""
ANTAGONIST = "antagonist"
"""Offered where a second student learns the same tasks: ``Feedback.antagonist_outcome`` is what it made of them."""
SHARES = "shares"
"""Offered where the action is each skill's share of the next examples (``teachgym.data.spaces.Shares``), and the
observation shows skills in the rows of ``teachgym.data.observation.SkillRow``, unless it is text."""
TREE_PLAN = "tree-plan"
"""Offered where the action says for every skill what to explore or exploit (``teachgym.data.tree_plan``), and the
observation shows the tree in the fields of ``teachgym.data.observation.TreeField``, unless it is text."""
ORDERS = "orders"
"""Offered where the action is a plan in words: a sequence of ``{"like", "count", "note"}``, where ``like`` is the
number of an error that is shown."""
EXAMPLES = "examples"
"""Offered where the action is training examples: a sequence of ``{"prompt", "target"}``."""
RULES = "rules"
"""Offered where the environment states reference policies of its source: ``TeachingSpec.rules``."""
TRUTH = "truth"
"""Offered where the observation shows what is best, which no fair teacher may know: ``rules["truth"]``."""
TEXT = "text"
"""Offered where the observation is a report in JSON, as text, for teachers that read."""
Rule = Callable[[Any], Any]
"""A policy that needs nothing but the observation: from it to an action. It draws nothing and remembers nothing."""


@checked_dataclass
class EasyTasks:
    """A Gaussian of tasks that a beginner can do, clipped to the bounds: expert knowledge."""

    mean: tuple[float, ...]
    """``(n,)`` centre, in task units."""
    std: tuple[float, ...]
    """``(n,)`` standard deviations, in task units, from 0 up."""


def probe_space(decisions: Space[Any]) -> spaces.Dict:
    """The actions ``{"decision": ..., "probe": 0 or 1}``: with 1, its effect is not kept."""
    return spaces.Dict({"decision": decisions, "probe": spaces.Discrete(2)})


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
    """An outcome above this counts as mastered; for the walker 230. Whatever is given, it is NaN where ``SUCCESS`` is
    not offered."""
    offers: frozenset[str] = frozenset()
    """What a teacher may need beyond outcomes, by the names above."""
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
            (EASY_TASKS, "easy_tasks", self.easy_tasks is not None),
            (RULES, "rules", bool(self.rules)),
        ):
            if given != (offer in self.offers):
                raise ValueError(
                    f"{name} is {getattr(self, name)}, and offers is {sorted(self.offers)}; expected both or neither "
                    f"to name {offer}"
                )
        if SUCCESS not in self.offers:
            object.__setattr__(self, "mastered_above", math.nan)
        elif math.isnan(self.mastered_above):
            raise ValueError(f"mastered_above is nan, and {SUCCESS!r} is offered; expected a number")

    @property
    def task_space(self) -> TaskSpace:
        """The box of tasks that actions are, or name beside ``"probe"``; a plain box gets invented parameter names.

        Raises:
            ValueError: If an action of this environment is not a task.
        """
        space = self.action_space["decision"] if self.has_probes else self.action_space  # type: ignore[index]
        if not isinstance(space, spaces.Box):
            raise ValueError(f"the action space is {space}; this teacher chooses points of a box of tasks")
        return TaskSpace.from_box(space)

    @property
    def has_probes(self) -> bool:
        """Whether an action says if it is a probe, as in ``probe_space``."""
        return isinstance(self.action_space, spaces.Dict) and set(self.action_space) == {"decision", "probe"}

    def scale_outcome(self, outcome: float) -> float:
        """Map an outcome linearly from ``outcome_range`` to ``[0, 1]``, clipped at the ends."""
        return scaled(outcome, self.outcome_range)


def scaled(outcome: float, outcome_range: tuple[float, float]) -> float:
    """The outcome as a share of its range, clipped to ``[0, 1]``."""
    worst, best = outcome_range
    return min(max((outcome - worst) / (best - worst), 0.0), 1.0)
