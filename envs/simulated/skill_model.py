"""A closed-form model of students who learn a set of skills: saturation, prerequisites, transfer, forgetting, noise."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from teachgym.base.ranges import NonNegativeFloat, Seed, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.envs.simulated.traits import Population
from teachgym.worlds.world_batch import Slots

Structure = Literal["independent", "chain", "tree", "random"]
Outcomes = Literal["graded", "pass-or-fail"]


@checked_dataclass
class SkillSettings:
    """What is to be learnt, and the population that students are drawn from.

    Raises:
        ValueError: If a value is not allowed.
    """

    skills: Annotated[int, Ge(1), Le(10000)] = 8
    """Number of skills, K."""
    structure: Structure = "tree"
    """Which skills build on which: on none; each on the one before; each on its parent in a binary tree; or each on
    one or two others, drawn at random."""
    structure_seed: Seed = 0
    """Draws the random structure, which all students share."""
    rate: Share = 0.15
    """Share of what is left to learn that an episode on a skill teaches, if the student is ready for it."""
    gate: NonNegativeFloat = 2.0
    """How much a skill needs those it builds on: readiness is the least competence among them to this power."""
    transfer: Share = 0.1
    """Share of an episode that is also one on every skill that the episode's builds on, or that builds on it."""
    forgetting: Share = 0.005
    """Share of its competence that a skill loses in an episode that is not about it."""
    noise: NonNegativeFloat = 0.1
    """Standard deviation of graded outcomes about the competence."""
    outcomes: Outcomes = "graded"
    """Outcomes are competence and noise, clipped to [0, 1]; or 1 with the competence for probability, and else 0."""
    initial: Share = 0.05
    """Competence at the start."""
    variety: NonNegativeFloat = 0.3
    """How much students differ: each has a rate, a forgetting and an initial competence of its own for every skill,
    and a noise of its own, which are the above times the exponential of a Gaussian with this standard deviation."""


def prerequisites(settings: SkillSettings) -> list[list[int]]:
    """For every skill, those that it builds on."""
    count = settings.skills
    if settings.structure == "independent":
        return [[] for _ in range(count)]
    if settings.structure == "chain":
        return [[k - 1] if k else [] for k in range(count)]
    if settings.structure == "tree":
        return [[(k - 1) // 2] if k else [] for k in range(count)]
    rng = np.random.default_rng(settings.structure_seed)
    names = rng.permutation(count)  # so that a skill's number does not tell when its turn comes
    found: list[list[int]] = [[] for _ in range(count)]
    for k in range(1, count):
        chosen = rng.choice(k, size=min(int(rng.integers(1, 3)), k), replace=False)
        found[names[k]] = sorted(int(names[j]) for j in chosen)
    return found


class SkillModel:
    """N students at once, in numbered slots.

    An episode on skill k is one of weight w on every skill: 1 on k, ``transfer`` on its neighbours in the
    structure, 0 on the others. Competence c becomes ``c + w r g (1 - c) - (1 - w) f c``, with the student's
    rate r and forgetting f, and readiness g. So it stays in [0, 1]; and t episodes in a row on a skill that builds
    on nothing leave ``1 - (1 - c) (1 - r)^t``.

    Args:
        settings: The population.
        size: Number of slots.
    """

    def __init__(self, settings: SkillSettings, size: int) -> None:
        self.settings, count = settings, settings.skills
        self.competence: FloatArray = np.zeros((size, count))
        self.rate, self.forgetting = np.zeros((size, count)), np.zeros((size, count))
        self.noise: FloatArray = np.zeros(size)
        self.prerequisites = prerequisites(settings)
        self.weights: FloatArray = np.eye(count)  # of an episode on the skill of the row, for that of the column
        for skill, below in enumerate(self.prerequisites):
            self.weights[skill, below] = self.weights[below, skill] = settings.transfer
        most = max(map(len, self.prerequisites), default=0)
        self._below = [  # the first, second, ... prerequisite of every skill; where there is none, a last skill's ...
            np.array([below[i] if i < len(below) else count for below in self.prerequisites]) for i in range(most)
        ]
        pass_or_fail = settings.outcomes == "pass-or-fail"
        self._population = Population(size, traits=3 * count + 1, variety=settings.variety, uniform=pass_or_fail)

    def begin(self, slots: Slots, seeds: Sequence[int]) -> None:
        """Put the students that these seeds draw from the population in some slots."""
        settings, count = self.settings, self.settings.skills
        own = self._population.begin(slots, seeds)
        self.rate[slots] = np.minimum(settings.rate * own[:, :count], 1.0)
        self.forgetting[slots] = np.minimum(settings.forgetting * own[:, count : 2 * count], 1.0)
        self.competence[slots] = np.minimum(settings.initial * own[:, 2 * count : -1], 1.0)
        self.noise[slots] = settings.noise * own[:, -1]

    def readiness(self, competence: FloatArray) -> FloatArray:
        """``(m, K)`` how ready students with competence ``(m, K)`` are for every skill, from 0 to 1."""
        if not self._below:
            return np.ones_like(competence)
        known = np.concatenate([competence, np.ones((len(competence), 1))], axis=1)  # ... of which all is known
        least = known[:, self._below[0]]
        for below in self._below[1:]:
            least = np.minimum(least, known[:, below])
        return np.asarray(least**self.settings.gate)

    def learn(self, slots: Slots, skills: NDArray[np.int64]) -> FloatArray:
        """Give an episode in each of some slots, and return the outcomes ``(m,)`` of the tests at their ends."""
        before, weights = self.competence[slots], self.weights[skills]
        learnt = weights * self.rate[slots] * self.readiness(before) * (1 - before)
        after = before + learnt - (1 - weights) * self.forgetting[slots] * before
        self.competence[slots] = after
        mastery = after[np.arange(len(slots)), skills]
        chance = self._population.chance(slots)
        if self.settings.outcomes == "pass-or-fail":
            return (chance < mastery).astype(np.float64)
        return np.clip(mastery + self.noise[slots] * chance, 0.0, 1.0)
