"""A closed-form model of students who play tasks of several difficulties: item response theory with learning."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from teachgym.base.ranges import NonNegativeFloat, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.envs.simulated.skill_model import Outcomes
from teachgym.envs.simulated.traits import Population
from teachgym.worlds.world_batch import Slots

_STEEPEST = 300.0
_SAMPLED_TASKS = 100_000


@checked_dataclass
class TaskSettings:
    """What is to be learnt, and the population that students are drawn from.

    Raises:
        ValueError: If a value is not allowed.
    """

    dimensions: Annotated[int, Ge(1), Le(1000)] = 2
    """Difficulties of a task, d, each from 0 to 1 and met by an ability of its own."""
    rate: Share = 0.005
    """Ability that a task at the frontier adds, at most."""
    slope: Annotated[float, Ge(0), Le(_STEEPEST)] = 30.0
    """How fast the odds of success fall with difficulty: the frontier is about 4 / slope wide."""
    start: Share = 0.1
    """Ability at the start."""
    unfeasible: Share = 0.0
    """Share of all tasks that no student can ever master, as abilities stop growing before."""
    forgetting: Share = 0.0
    """Share of what was learnt that an ability loses in an episode that leaves it idle."""
    noise: NonNegativeFloat = 0.05
    """Standard deviation of graded outcomes about the probability of success."""
    outcomes: Outcomes = "graded"
    """Outcomes are the probability of success and noise, clipped to [0, 1]; or 1 with that probability, and else 0."""
    variety: NonNegativeFloat = 0.3
    """How much students differ: each has a rate, a forgetting and a start of its own for every ability, and a noise
    of its own, which are the above times the exponential of a Gaussian with this standard deviation."""


class TaskModel:
    """N students at once, in numbered slots.

    A task has d difficulties x, and the student d abilities a. The probability of success is
    ``p = 1 / (1 + sum_i exp(slope (x_i - a_i)))``, the sigmoid of the soft minimum of the margins: all that a task
    asks for has to be met. With d = 1 this is the two-parameter logistic model. Playing a task adds
    ``rate 4 p (1 - p) s_i`` to ability i, where ``s_i = exp(slope (x_i - a_i)) / sum_j exp(slope (x_j - a_j))`` is
    its part in a failure: most is learnt at the frontier, in what the student lacks, and nothing from what is too
    easy or too hard. Abilities stop at a ceiling, the same for all, which leaves a share ``unfeasible`` of tasks out.
    An ability loses the share ``forgetting (1 - 4 q_i (1 - q_i))`` of what it has gained since the start, with
    ``q_i = 1 / (1 + exp(slope (x_i - a_i)))``: nothing if the task asks for just as much.

    Args:
        settings: The population.
        size: Number of slots.
        mastered_above: Probability of success above which a task is mastered, in (0, 1).
    """

    def __init__(self, settings: TaskSettings, size: int, *, mastered_above: float) -> None:
        self.settings, count = settings, settings.dimensions
        self.ceiling = _ceiling(settings, mastered_above)
        self.ability, self.start = np.zeros((size, count)), np.zeros((size, count))
        self.rate, self.forgetting = np.zeros((size, count)), np.zeros((size, count))
        self.noise: FloatArray = np.zeros(size)
        pass_or_fail = settings.outcomes == "pass-or-fail"
        self._population = Population(size, traits=3 * count + 1, variety=settings.variety, uniform=pass_or_fail)

    def begin(self, slots: Slots, seeds: Sequence[int]) -> None:
        """Put the students that these seeds draw from the population in some slots."""
        settings, count = self.settings, self.settings.dimensions
        own = self._population.begin(slots, seeds)
        self.rate[slots] = settings.rate * own[:, :count]
        self.forgetting[slots] = np.minimum(settings.forgetting * own[:, count : 2 * count], 1.0)
        self.start[slots] = np.minimum(settings.start * own[:, 2 * count : -1], self.ceiling)
        self.ability[slots] = self.start[slots]
        self.noise[slots] = settings.noise * own[:, -1]

    def learn(self, slots: Slots, tasks: FloatArray) -> FloatArray:
        """Let each student play its task ``(m, d)`` and learn from it; return the outcomes ``(m,)``."""
        ability, start = self.ability[slots], self.start[slots]
        odds = np.exp(self.settings.slope * (tasks - ability))
        total = odds.sum(axis=1)
        success = 1 / (1 + total)
        learnt = self.rate[slots] * (4 * success * (1 - success) / total)[:, None] * odds
        alone = 1 / (1 + odds)
        lost = self.forgetting[slots] * (1 - 4 * alone * (1 - alone)) * (ability - start)
        self.ability[slots] = np.minimum(ability + learnt - lost, self.ceiling)
        return self._outcomes(slots, success)

    def play(self, slots: Slots, tasks: FloatArray) -> FloatArray:
        """Let each student play its task ``(m, d)`` without learning; return the outcomes ``(m,)``."""
        total = np.exp(self.settings.slope * (tasks - self.ability[slots])).sum(axis=1)
        return self._outcomes(slots, 1 / (1 + total))

    def expected(self, slots: Slots, tasks: FloatArray) -> FloatArray:
        """``(m, t)`` probabilities that each student succeeds in each of the tasks ``(t, d)``."""
        slope, ability = self.settings.slope, self.ability[slots]
        total = np.zeros((len(slots), len(tasks)))
        for i in range(self.settings.dimensions):  # term by term, so that rounding is the same for any size
            total += np.exp(slope * (tasks[None, :, i] - ability[:, i : i + 1]))
        return 1 / (1 + total)

    def _outcomes(self, slots: Slots, success: FloatArray) -> FloatArray:
        chance = self._population.chance(slots)
        if self.settings.outcomes == "pass-or-fail":
            return (chance < success).astype(np.float64)
        return np.clip(success + self.noise[slots] * chance, 0.0, 1.0)


def _ceiling(settings: TaskSettings, mastered_above: float) -> float:
    """The ability in every dimension with which the share of tasks that is mastered is 1 - ``unfeasible``.

    With equal abilities a, a task is mastered where ``sum_i exp(slope x_i) < exp(slope a) (1 / mastered_above - 1)``.
    """
    slope, count = settings.slope, settings.dimensions
    if slope == 0:
        return 1.0
    if settings.unfeasible == 0:
        hardest = count * np.exp(slope)
    elif count == 1:
        hardest = np.exp(slope * (1 - settings.unfeasible))
    else:
        tasks: NDArray[np.float64] = np.random.default_rng(0).random((_SAMPLED_TASKS, count))
        hardest = np.quantile(np.exp(slope * tasks).sum(axis=1), 1 - settings.unfeasible)
    return float(np.log(hardest / (1 / mastered_above - 1)) / slope)
