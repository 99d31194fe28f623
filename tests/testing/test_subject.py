"""The check of subjects passes a good one, and finds what is wrong with bad ones."""

from collections.abc import Callable

import numpy as np
import pytest

from teachgym.data.example import Example, Path
from teachgym.testing import check_subject
from tests.data.toy import Numbers


class Containing(Numbers):
    """Takes every answer that contains the target."""

    def score(self, example: Example, given: str) -> float:
        return float(example.target in given)


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


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (Containing, "counts as a right answer"),
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
