"""``check_discovery`` accepts a sound discovery and catches each way of not being one."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from teachgym.data.discovery import DiscoveredSkills, SkillDiscovery
from teachgym.data.example import Answer
from teachgym.testing import check_discovery
from tests.data.toy import Numbers

TASK = Numbers()
ANSWERS = TASK.mark(TASK.validation, ["?"] * len(TASK.validation))


class Dealer(SkillDiscovery):
    """A sound discovery to break: it deals the answers out at random."""

    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        count = min(count, len(answers))
        return DiscoveredSkills([f"skill_{k}" for k in range(count)], rng.integers(count, size=len(answers)).tolist())


class FindsTooMany(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        return super().discover(answers, count + 1, rng)


class FindsNone(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        return DiscoveredSkills([], [])


class NamesAlike(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        names, labels = super().discover(answers, count, rng)
        return DiscoveredSkills(["skill"] * len(names), labels)


class NamesWithNumbers(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        names, labels = super().discover(answers, count, rng)
        return DiscoveredSkills(list(range(len(names))), labels)  # type: ignore[arg-type]


class LeavesAnswersOut(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        names, labels = super().discover(answers, count, rng)
        return DiscoveredSkills(names, labels[1:])


class CountsFromOne(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        names, labels = super().discover(answers, count, rng)
        return DiscoveredSkills(names, [label + 1 for label in labels])


class Unseeded(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        return super().discover(answers, count, np.random.default_rng())


class DrawsFromPython(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        random.random()
        return super().discover(answers, count, rng)


class Remembers(Dealer):
    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)
        self.calls = 0

    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        self.calls += 1
        return super().discover(answers, count if self.calls % 2 else 1, rng)


class MarksAnew(Dealer):
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        object.__setattr__(answers[0], "correct", True)
        return super().discover(answers, count, rng)


class TakesAnySettings(Dealer):
    def __init__(self, settings: Any = None) -> None:
        super().__init__()


@dataclass(frozen=True)
class Demanding:
    """Settings that can't be made without arguments."""

    rate: float


class DemandingSettings(Dealer):
    Settings = Demanding

    def __init__(self, settings: Any = None) -> None:
        super().__init__(Demanding(0.5) if settings is None else settings)


BROKEN: dict[type[SkillDiscovery], str] = {
    FindsTooMany: "2 skills were found; expected at least 1 and at most 1",
    FindsNone: "0 skills were found",
    NamesAlike: "two skills have the same name",
    NamesWithNumbers: "expected some text for each",
    LeavesAnswersOut: "36 answers have 35 labels",
    CountsFromOne: "a label is 1; expected the number of one of 1 skills",
    Unseeded: "other skills in a fresh discovery",
    DrawsFromPython: "global generator",
    Remembers: "other skills in",
    MarksAnew: "modified the answers",
    TakesAnySettings: "must raise TypeError",
    DemandingSettings: "no default for rate",
}


def test_a_sound_discovery_passes() -> None:
    check_discovery(Dealer, ANSWERS)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_every_breakage_is_caught_and_named(broken: type[SkillDiscovery]) -> None:
    answers = TASK.mark(TASK.validation, ["?"] * len(TASK.validation))
    with pytest.raises(AssertionError, match=BROKEN[broken]):
        check_discovery(broken, answers)


def test_too_few_answers_and_what_is_not_a_discovery_are_named() -> None:
    with pytest.raises(ValueError, match="answers has length 1; expected answers to at least 2 different prompts"):
        check_discovery(Dealer, ANSWERS[:1])
    with pytest.raises(AssertionError, match=r"expected a teachgym.data.discovery.SkillDiscovery"):
        check_discovery(lambda: "a discovery", ANSWERS)  # type: ignore[arg-type, return-value]
