"""The check of subjects passes a good one, and finds what is wrong with bad ones."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from teachgym.data.example import Example, Path
from teachgym.testing import check_subject
from tests.data.toy import Numbers


class Containing(Numbers):
    """Takes every answer that contains the target."""

    def score(self, example: Example, given: str) -> float:
        return float(example.target in given)


class Looking(Numbers):
    """Looks for the target among the words of an answer."""

    def score(self, example: Example, given: str) -> float:
        return float(example.target in given.split())


class Unsolved(Numbers):
    """Nobody has published the answers."""

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        return [replace(example, target="") for example in super().make(path, count, rng)]

    def score(self, example: Example, given: str) -> float:
        return float(example.prompt == f"double {given}")


class Raising(Numbers):
    """Can't read what is no number."""

    def score(self, example: Example, given: str) -> float:
        return float(int(given) == int(example.target))


class Wrong(Numbers):
    """Is off by one at times."""

    def score(self, example: Example, given: str) -> float:
        return super().score(example, given) * (example.prompt[-1] != "3")


class Moody(Numbers):
    """Makes other examples each time."""

    calls = 0

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        Moody.calls += 1
        return super().make(path, count, np.random.default_rng(Moody.calls))


class Short(Numbers):
    """Makes one example too few."""

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        made = super().make(path, count, rng)
        return made[:2] if count == 3 else made


class Global(Numbers):
    """Draws from the global generator."""

    def score(self, example: Example, given: str) -> float:
        np.random.random()  # noqa: NPY002 - that is what is wrong with it
        return super().score(example, given)


class Narrow(Numbers):
    """Makes the same few examples again and again."""

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        if count < 10:
            return super().make(path, count, rng)
        return super().make(path, 1, np.random.default_rng(99)) * count


def test_a_good_task_passes() -> None:
    check_subject(Numbers)


def test_a_benchmark_that_is_scored_otherwise_passes_if_the_check_is_told() -> None:
    check_subject(Looking, exact=False)
    check_subject(Unsolved, generates=False, targets=False)


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (Containing, "counts as a right answer"),
        (Looking, "counts as a right answer"),
        (Unsolved, "the target '' .* scores 0.0"),
        (Raising, "invalid literal"),
        (Wrong, "the target .* scores 0.0"),
        (Moody, "another validation set"),
        (Short, "2 examples of .* were made; expected 3"),
        (Global, "global generator"),
        (Narrow, "are different|held out"),
    ],
)
def test_a_bad_task_is_found(subject: Callable[[], Numbers], message: str) -> None:
    with pytest.raises((AssertionError, ValueError), match=message):
        check_subject(subject)
