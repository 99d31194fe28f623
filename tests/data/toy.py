"""A small subject, and students whose answers can be worked out by hand."""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from teachgym.data.engine import Batch, DataEngine, EngineError, Order
from teachgym.data.example import Example, Path
from teachgym.data.files import example_entry, write_lines
from teachgym.data.skills import Skill, find_skill
from teachgym.data.subject import HeldOut, Subject
from teachgym.students.supervised.student import SupervisedStudent


def write_examples(path: pathlib.Path, examples: Sequence[Example]) -> None:
    """A file that ``read_examples`` reads."""
    write_lines(path, [example_entry(example) for example in examples])


SIZES = {"small": 100, "middle": 1_000, "large": 10_000}


@dataclass(frozen=True)
class NumbersSettings(HeldOut):
    """Few tests."""

    validation_per_skill: int = 12
    test_per_skill: int = 15


class Numbers(Subject):
    """Say a number again, or the one after it, or its double; numbers of three sizes."""

    Settings = NumbersSettings

    @property
    def skills(self) -> tuple[Skill, ...]:
        sizes = tuple(Skill(size) for size in SIZES)
        return (Skill("same", sizes), Skill("next", sizes), Skill("double", sizes))

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        leaves = find_skill(self.skills, path).leaves()
        made = []
        for _ in range(count):
            leaf = (*path[:-1], *leaves[int(rng.integers(len(leaves)))])
            number = int(rng.integers(SIZES[leaf[1]]))
            target = {"same": number, "next": number + 1, "double": 2 * number}[leaf[0]]
            made.append(Example(f"{leaf[0]} {number}", str(target), leaf))
        return made

    def parses(self, example: Example) -> bool:
        return example.target.isdecimal()


@dataclass(frozen=True)
class PracticeSettings:
    """How much practice a skill needs."""

    needed: int = 20
    """Examples of a skill after which it is known."""


@final
class Practice(SupervisedStudent):
    """Answers a skill correctly once it has been given enough examples of it, and forgets nothing."""

    Settings = PracticeSettings
    updates_per_example = 0.5
    keeps = ("seen", "updates")

    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        super().__init__(subject, settings, seed=seed)
        self.seen: dict[str, int] = {}
        self.updates = 0

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        self.updates += updates
        self.seen = {}
        for example in examples:
            name = example.prompt.partition(" ")[0]
            self.seen[name] = self.seen.get(name, 0) + 1

    def answer(self, examples: Sequence[Example]) -> list[str]:
        known = {name for name, count in self.seen.items() if count >= self.settings.needed}
        return [one.target if one.prompt.partition(" ")[0] in known else "?" for one in examples]


@dataclass(frozen=True)
class MoodySettings:
    """When the engine fails."""

    fails_at: int = 2
    """Which call of ``make``, counted from 1, fails; once."""


@final
class MoodyEngine(DataEngine):
    """Draws from the subject, and fails once."""

    Settings = MoodySettings

    def __init__(self, subject: Subject, settings: Any = None) -> None:
        super().__init__(subject, settings)
        self.calls = 0

    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        self.calls += 1
        if self.calls == self.settings.fails_at:
            raise EngineError("the endpoint is not there; start it", cost=0.5)
        return Batch([self.subject.make((*order.path, "large"), order.count, rng) for order in orders], 1.0)


def settings(**more: Any) -> dict[str, Any]:
    """Arguments that make an environment of the toy subject and student."""
    return {"subject": "tests.data.toy:Numbers", "student": "tests.data.toy:Practice", "budget": 120, **more}
