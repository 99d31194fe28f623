"""The interface of every subject: a tree of skills, examples of them, and a scorer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from teachgym.base.ranges import PositiveInt
from teachgym.base.settings import checked_dataclass, chosen_settings
from teachgym.data.example import Answer, Example, Path
from teachgym.data.skills import Skill

_MOST_DRAWS = 50
"""Draws for each held-out example that is asked for, before a skill is taken to have too few of them."""


@checked_dataclass
class HeldOut:
    """How many examples of every skill are kept for tests; subjects that make their own examples build on it.

    Raises:
        ValueError: If a number is below 1.
    """

    validation_per_skill: PositiveInt = 40
    """Examples of each skill that the teacher's feedback and reward come from."""
    test_per_skill: PositiveInt = 100
    """Examples of each skill that results are reported on, and that no teacher sees anything of."""


class Subject(ABC):
    """Something to learn from examples.

    A subject is fixed by its settings: it has no seed, and its validation and test sets are the same for every student.
    To write one, subclass, set ``Settings`` to a frozen dataclass (a ``HeldOut`` with more fields), and define
    ``skills``, ``make`` and, unless answers are right only if they equal the target, ``score``.

    Raises:
        TypeError: If the settings are of another class.
    """

    Settings: ClassVar[type[Any]] = HeldOut
    """Frozen dataclass of the subject's settings, every field with a default and a docstring."""
    student: ClassVar[str] = "transformer"
    """Name of the student that learns this subject unless another is asked for."""
    pass_mark: ClassVar[float] = 1.0
    """Score from which an answer counts as correct."""
    answers: tuple[str, ...] | None = None
    """All answers that there are, where they are few, for students that choose among them."""

    def __init__(self, settings: Any = None) -> None:
        self.settings: Any = chosen_settings(self.Settings, settings)

    @property
    @abstractmethod
    def skills(self) -> tuple[Skill, ...]:
        """What there is to learn, each with its parts, in an order that never changes."""

    @abstractmethod
    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Draw labelled examples of a skill or of a part of one, independently of each other.

        Args:
            path: Of any node; an inner one stands for all leaves below it, drawn uniformly.
            count: How many, non-negative.
            rng: Draws them.

        Returns:
            ``count`` examples, whose paths lead to leaves.

        Raises:
            ValueError: If there is no such skill.
            NotImplementedError: If the subject can't make examples, as when it was read from files.
        """

    def score(self, example: Example, given: str) -> float:
        """How good an answer is, from 0 to 1; never raises, whatever the answer."""
        return float(given.strip() == example.target.strip())

    def scores(self, examples: Sequence[Example], given: Sequence[str]) -> NDArray[np.float64]:
        """``(m,)`` scores of many answers, for subjects where together is cheaper than one by one."""
        pairs = zip(examples, given, strict=True)
        return np.array([self.score(example, answer) for example, answer in pairs], dtype=np.float64)

    def parses(self, example: Example) -> bool:
        """Whether an example's target has the form of an answer to this subject at all."""
        return bool(example.target.strip())

    def verify(self, examples: Sequence[Example]) -> list[bool]:
        """Which examples' targets are right, as far as the subject can tell: here, by its scorer alone."""
        return [answer.correct for answer in self.mark(examples, [example.target for example in examples])]

    def metrics(self, answers: Sequence[Answer]) -> dict[str, float]:
        """What is reported of the answers to a whole test set beside their accuracy; by name."""
        return {}

    def pool(self) -> Sequence[Example]:
        """Real training examples to select from; none where the subject makes its own."""
        return ()

    @property
    def validation(self) -> Sequence[Example]:
        """What feedback and reward come from; grouped by skill."""
        return self._held_out[0]

    @property
    def test(self) -> Sequence[Example]:
        """What results are reported on; shares no example with ``validation``."""
        return self._held_out[1]

    @property
    def skill_names(self) -> tuple[str, ...]:
        """The names of ``skills``, in order."""
        return tuple(skill.name for skill in self.skills)

    def mark(self, examples: Sequence[Example], given: Sequence[str]) -> list[Answer]:
        """Score answers."""
        scores = self.scores(examples, given)
        return [
            Answer(example, words, float(score), bool(score >= self.pass_mark))
            for example, words, score in zip(examples, given, scores, strict=True)
        ]

    @cached_property
    def _held_out(self) -> tuple[list[Example], list[Example]]:
        return self._draw_held_out()

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        """Validation and test set: of every skill so many, its leaves in turn, no two the same.

        Raises:
            ValueError: If a skill has too few different examples.
        """
        validation: list[Example] = []
        test: list[Example] = []
        seen: set[str] = set()
        for number, skill in enumerate(self.skills):
            rng = np.random.default_rng([number, 7_211])
            leaves = skill.leaves()
            for examples, wanted in (
                (validation, self.settings.validation_per_skill),
                (test, self.settings.test_per_skill),
            ):
                found = draws = 0
                while found < wanted:
                    if draws >= _MOST_DRAWS * wanted:
                        raise ValueError(
                            f"skill {skill.name!r} has too few different examples: {found} of {wanted} were found for "
                            "a test set; choose smaller validation_per_skill and test_per_skill"
                        )
                    draws += 1
                    example = self._make_held_out(leaves[found % len(leaves)], rng)
                    if example.key not in seen:
                        seen.add(example.key)
                        examples.append(example)
                        found += 1
        return validation, test

    def _make_held_out(self, path: Path, rng: np.random.Generator) -> Example:
        """Draw an example for a test set; subjects whose examples have seeds draw from others than for training."""
        return self.make(path, 1, rng)[0]
