"""A student that is a formula: it counts examples by skill, and learns in microseconds."""

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import final

import numpy as np

from teachgym.base.ranges import NonNegativeFloat, PositiveFloat, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.data.example import Example, Path
from teachgym.data.subject import Subject
from teachgym.students.supervised.student import SupervisedStudent

_WRONG = "?"


@checked_dataclass
class SimulatedSettings:
    """Settings of ``SimulatedSupervisedStudent``: the population that students are drawn from.

    Raises:
        ValueError: If a value is not allowed.
    """

    examples_needed: PositiveFloat = 200.0
    """Examples of a part of a skill of middling difficulty that close 63 % of what is left to learn of it."""
    difficulty: NonNegativeFloat = 1.0
    """How unequal skills are: the logarithm of what each needs is uniform between minus and plus this, by its name."""
    steps: NonNegativeFloat = 0.3
    """By how much more each part of a skill needs than the one before it, as a share of the first."""
    gate: Share = 0.5
    """How much a part builds on the one before it: of the speed of learning this share is its competence there."""
    transfer: Share = 0.2
    """What an example of another part of the same skill counts."""
    forgetting: Share = 0.05
    """Share of a competence that is lost while as many examples are given as one part needs, none of them of it."""
    initial: Share = 0.02
    """Competence at the start."""
    variety: NonNegativeFloat = 0.5
    """How much students differ: what each needs of each skill is that of the population times the exponential of a
    Gaussian with this standard deviation."""


@final
class SimulatedSupervisedStudent(SupervisedStudent):
    """Counts the examples it is given of each part of each skill, and learns by a formula.

    For every leaf of the skill tree it has a competence c, the probability of a right answer. n new examples of a leaf,
    and n' of others of its skill, take c to 1 - (1 - c) exp(-r (n + transfer n') / needed), where r, from 1 - gate to
    1, is how ready the leaf before makes it. Then what the others were given is forgotten: a competence loses a share
    that grows with the examples that were not of its skill. So returns diminish, skills are unequally hard and hold up
    what builds on them, and students differ by seed: what helps one most is not what helps the next.

    It does not read: examples count by their path, those without one for nothing, and examples that it has been given
    in an earlier step teach nothing again. Answers are drawn from the seed and the examples so far, so that asking
    twice gives the same.

    Args:
        subject: Whose skills it learns.
        settings: A ``SimulatedSettings``; None takes the defaults.
        seed: Non-negative integer; other seeds are other students.
    """

    Settings = SimulatedSettings
    reads = False
    updates_per_example = 0.5
    settings: SimulatedSettings
    keeps = ("competence", "_ends", "_seen", "_rounds")

    def __init__(self, subject: Subject, settings: SimulatedSettings | None = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        chosen, rng = self.settings, np.random.default_rng(seed)
        leaves = [skill.leaves() for skill in subject.skills]
        self._leaf = {path: place for place, path in enumerate(path for paths in leaves for path in paths)}
        self._skill = np.array([k for k, paths in enumerate(leaves) for _ in paths])
        self._rank = np.array([rank for paths in leaves for rank in range(len(paths))])
        own = chosen.variety * rng.normal(size=len(leaves))
        hardness = np.array([_hardness(name) for name in subject.skill_names])
        needed = chosen.examples_needed * np.exp(chosen.difficulty * hardness + own)
        self._needed: FloatArray = needed[self._skill] * (1 + chosen.steps * self._rank) / self._sizes
        self.competence: FloatArray = np.full(len(self._leaf), float(chosen.initial))
        """``(leaves,)`` probability of a right answer, in the order of the subject's leaves."""
        self._ends: list[str] = []
        self._seen = self._rounds = 0

    @property
    def _sizes(self) -> FloatArray:
        """``(leaves,)`` how many leaves the skill of each has; each needs its part of what the skill does."""
        counts: FloatArray = np.bincount(self._skill)[self._skill].astype(np.float64)
        return counts

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        """Learn from the examples that are new: those behind the ones that it has been given before.

        The number of updates does not matter, but without any it learns nothing.
        """
        if updates == 0:
            return
        goes_on = 0 < self._seen <= len(examples) and _ends(examples[: self._seen]) == self._ends
        new = examples[self._seen :] if goes_on else examples
        self._ends, self._seen, self._rounds = _ends(examples), len(examples), self._rounds + 1
        given = np.zeros(len(self._leaf))
        for path, count in Counter(example.path for example in new).items():
            below = self._below(path)
            given[below] += count / max(len(below), 1)
        of_skill = np.bincount(self._skill, weights=given)[self._skill]
        chosen = self.settings
        before = np.where(self._rank > 0, np.roll(self.competence, 1), 1.0)
        ready = 1 - chosen.gate + chosen.gate * before
        practice = ready * (given + chosen.transfer * (of_skill - given)) / self._needed
        learnt = 1 - (1 - self.competence) * np.exp(-practice)
        kept = np.exp(-chosen.forgetting * (given.sum() - of_skill) / chosen.examples_needed)
        self.competence = learnt * kept

    def answer(self, examples: Sequence[Example]) -> list[str]:
        """Right with the competence's probability; its mean over the leaves below, where a path leads to no leaf."""
        below = {path: self._below(path) for path in {example.path for example in examples}}
        known = {path: self.competence[places].mean() if places else 0.0 for path, places in below.items()}
        chances = np.array([known[example.path] for example in examples])
        drawn = np.random.default_rng([self.seed, self._rounds, self._seen]).random(len(examples))
        return [
            example.target if right else _WRONG
            for example, right in zip(examples, (drawn < chances).tolist(), strict=True)
        ]

    def _forget_derived(self) -> None:
        if self.competence.shape != self._needed.shape:
            raise ValueError(f"the state has {len(self.competence)} competences; expected {len(self._needed)}")

    def _below(self, path: Path) -> list[int]:
        """The leaves at or below a path; none where there is no such path, or nobody knows it."""
        leaf = self._leaf.get(path)
        if leaf is not None:
            return [leaf]
        return [place for known, place in self._leaf.items() if path and known[: len(path)] == path]


def _ends(examples: Sequence[Example]) -> list[str]:
    """The keys of the first example and the last, by which a list is known again."""
    return [examples[0].key, examples[-1].key]


def _hardness(name: str) -> float:
    """From -1 to 1, by a skill's name: the same for every student."""
    return zlib.crc32(name.encode()) / 2**31 - 1
