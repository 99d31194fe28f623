"""What a teacher may know of its environment before the first step."""

from dataclasses import dataclass
from typing import Any

from gymnasium import Space, spaces

from teachgym.task_space import TaskSpace


@dataclass(frozen=True)
class Problem:
    """The fixed facts of a teacher environment. Teachers are made from these, and keep no environment.

    Raises:
        ValueError: If the outcome range is empty.
    """

    action_space: Space[Any]
    """What ``Teacher.act`` returns a member of."""
    observation_space: Space[Any]
    """What ``Teacher.act`` is given a member of."""
    outcome_range: tuple[float, float]
    """Outcomes that a teacher may take for the worst and the best; for the walker -150 and 350.

    Outcomes beyond are possible, and clipped where a teacher scales them to ``[0, 1]``."""
    mastered_above: float
    """An outcome above this counts as mastered; for the walker 230."""
    offers: frozenset[str] = frozenset()
    """What the environment can put into ``Feedback.extras``, by name."""

    def __post_init__(self) -> None:
        worst, best = self.outcome_range
        if not worst < best:
            raise ValueError(f"outcome_range is {self.outcome_range}; expected (worst, best) with worst < best")

    @property
    def task_space(self) -> TaskSpace:
        """The action space as a task space; a plain box gets invented parameter names.

        Raises:
            ValueError: If an action of this environment is not a task.
        """
        if not isinstance(self.action_space, spaces.Box):
            raise ValueError(f"the action space is {self.action_space}; this teacher chooses points of a box of tasks")
        return TaskSpace.from_box(self.action_space)

    def scale_outcome(self, outcome: float) -> float:
        """Map an outcome linearly from ``outcome_range`` to ``[0, 1]``, clipped at the ends."""
        worst, best = self.outcome_range
        return min(max((outcome - worst) / (best - worst), 0.0), 1.0)
