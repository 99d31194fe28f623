"""Handwritten digits, upright and changed in five ways: a subject that a small classifier learns in a second."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from teachgym.base.ranges import PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.data.example import Example, Path
from teachgym.data.skills import Skill, find_skill
from teachgym.data.subject import HeldOut, Subject

PROMPT = "Which digit is this?"
_VALIDATION, _TEST = 300, 500
"""Handwritten originals that are kept for the two held-out sets; the rest, 997, is for training."""

Change = Callable[[FloatArray, np.random.Generator], FloatArray]
"""From images ``(m, 8, 8)`` with ink from 0 to 1, to images of the same shape."""


def _noisy(images: FloatArray, rng: np.random.Generator, std: float) -> FloatArray:
    return np.clip(images + std * rng.standard_normal(images.shape), 0.0, 1.0)


def _blurred(images: FloatArray) -> FloatArray:
    """Every pixel the mean of the nine around it, on blank paper."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2)).mean(axis=(3, 4)))


_CHANGES: dict[str, dict[str, Change]] = {
    "upright": {"": lambda images, rng: images},
    "faint": {
        "on black": lambda images, rng: 0.5 * images,
        "on grey": lambda images, rng: 0.25 + 0.5 * images,
    },
    "noisy": {
        "a little": lambda images, rng: _noisy(images, rng, 0.15),
        "a lot": lambda images, rng: _noisy(images, rng, 0.3),
    },
    "blurred": {"": lambda images, rng: _blurred(images)},
    "inverted": {
        "fully": lambda images, rng: 1 - images,
        "and faint": lambda images, rng: 0.75 - 0.5 * images,
    },
    "turned": {
        "to the left": lambda images, rng: np.rot90(images, 1, axes=(1, 2)),
        "to the right": lambda images, rng: np.rot90(images, -1, axes=(1, 2)),
        "left to right": lambda images, rng: images[:, :, ::-1],
        "upside down": lambda images, rng: images[:, ::-1],
    },
}
"""Skill -> subskill -> what is done to an image; a skill whose only subskill has no name has none."""


@checked_dataclass
class DigitSettings(HeldOut):
    """Settings of ``Digits``.

    Raises:
        ValueError: If a number is below 1, or more held-out images are asked for than there are originals.
    """

    magnification: PositiveInt = 1
    """Pixels along each side that a pixel of the original becomes."""

    def __post_init__(self) -> None:
        for name, most in (("validation_per_skill", _VALIDATION), ("test_per_skill", _TEST)):
            if getattr(self, name) > most:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; expected at most {most}, as no handwritten digit is shown twice"
                )


@final
class Digits(Subject):
    """Reads 8x8 handwritten digits that are upright, faint, noisy, blurred, inverted or turned: six skills.

    A multilayer perceptron learns it in a second, so a whole study of teachers takes a minute. The first four help
    each other; the last is hard, as it is four: turned to the left or right, and mirrored in two ways. A student with
    too little capacity, ``logistic-regression``, does better with equal shares of data than with shares in proportion
    to errors, which are spent on what it can't learn; for ``mlp`` the latter are a little better.

    The images are the 1,797 that come with scikit-learn, a part of Alpaydin and Kaynak's (1998, UCI repository).
    Three disjoint parts of the originals, fixed for good, give training, validation and test images, so that no
    student is tested on a digit that it has seen in another form. Images are grey, ``(8, 8, 3)`` at magnification 1,
    ink bright; the question is always the same and says nothing of what was done to the image.

    Args:
        settings: A ``DigitSettings``; None takes the defaults.
    """

    Settings = DigitSettings
    settings: DigitSettings
    student = "mlp"
    answers = tuple("0123456789")

    @property
    def skills(self) -> tuple[Skill, ...]:
        """What is done to the image, and how."""
        return _SKILLS

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Images of a skill or of a part of one, from originals that are for training."""
        leaves = find_skill(self.skills, path).leaves()
        chosen = rng.integers(len(leaves), size=count)
        originals = _parts()[0][rng.integers(len(_parts()[0]), size=count)]
        made: list[Example | None] = [None] * count
        for number, below in enumerate(leaves):
            places = np.flatnonzero(chosen == number)
            examples = self._change((*path[:-1], *below), originals[places], rng)
            for place, example in zip(places.tolist(), examples, strict=True):
                made[place] = example
        return [example for example in made if example is not None]

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        validation, test = (
            self._draw_part(originals, wanted, part)
            for part, (originals, wanted) in enumerate(
                [(_parts()[1], self.settings.validation_per_skill), (_parts()[2], self.settings.test_per_skill)], 1
            )
        )
        return validation, test

    def _draw_part(self, originals: NDArray[np.int64], wanted: int, part: int) -> list[Example]:
        """Of every skill so many, its leaves in turn, no original twice in a skill."""
        examples: list[Example] = []
        for number, skill in enumerate(self.skills):
            rng = np.random.default_rng([number, part, 1_797])
            chosen = rng.permutation(originals)[:wanted]
            leaves = skill.leaves()
            by_leaf = [iter(self._change(path, chosen[turn :: len(leaves)], rng)) for turn, path in enumerate(leaves)]
            examples.extend(next(by_leaf[place % len(leaves)]) for place in range(wanted))
        return examples

    def _change(self, leaf: Path, originals: NDArray[np.int64], rng: np.random.Generator) -> list[Example]:
        images, labels = _load()
        changed = _CHANGES[leaf[0]][leaf[1] if len(leaf) > 1 else ""](images[originals], rng)
        pixels = np.round(255 * changed).astype(np.uint8)
        pixels = pixels.repeat(self.settings.magnification, axis=1).repeat(self.settings.magnification, axis=2)
        pixels = np.repeat(pixels[..., None], 3, axis=3)
        return [
            Example(PROMPT, str(label), leaf, image)
            for image, label in zip(pixels, labels[originals].tolist(), strict=True)
        ]


_SKILLS = tuple(Skill(name, tuple(Skill(part) for part in changes if part)) for name, changes in _CHANGES.items())


@cache
def _load() -> tuple[FloatArray, NDArray[np.int64]]:
    """``(1797, 8, 8)`` images with ink from 0 to 1, and ``(1797,)`` labels."""
    from sklearn.datasets import load_digits  # here, as it takes a second

    found = load_digits()
    return np.asarray(found.images / 16, dtype=np.float64), np.asarray(found.target, dtype=np.int64)


@cache
def _parts() -> Sequence[NDArray[np.int64]]:
    """Numbers of the originals for training, validation and test; writers stand together in the file, so mixed."""
    order = np.random.default_rng(8_128).permutation(len(_load()[0]))
    validation, test, train = np.split(order, [_VALIDATION, _VALIDATION + _TEST])
    return train, validation, test
