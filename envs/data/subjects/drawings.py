"""Questions about pictures of coloured shapes, drawn by code: visual question answering without any download."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, final

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example, Path
from teachgym.data.skills import Skill, find_skill
from teachgym.data.subject import HeldOut, Subject
from teachgym.envs.data.subjects.drawing import PICTURE_SIDE, SHAPE_COLOURS, SHAPES, Scenes, draw

_COLOURS = tuple(SHAPE_COLOURS)
_COLUMNS, _ROWS = ("left", "right"), ("top", "bottom")
_NUMBERS = tuple("01234")
_YES_NO = ("no", "yes")

Asked = tuple[Scenes, list[str], list[str]]
"""Pictures, a question about each, and the answers."""
_Ask = Callable[[int, np.random.Generator], Asked]


def _some(n: int, k: int, rng: np.random.Generator) -> Scenes:
    """Pictures with k shapes each, of any kind."""
    return Scenes(
        shapes=rng.integers(len(SHAPES), size=(n, k)),
        colours=rng.integers(len(SHAPE_COLOURS), size=(n, k)),
        cells=_different(n, k, PICTURE_SIDE**2, rng),
        counts=np.full(n, k),
    )


def _different(n: int, k: int, among: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``(n, k)`` numbers below ``among``, no two in a row the same."""
    return rng.permuted(np.tile(np.arange(among), (n, 1)), axis=1)[:, :k]


def _colour(n: int, rng: np.random.Generator, *, shapes: int) -> Asked:
    scenes = _some(n, shapes, rng)
    scenes = replace(scenes, colours=np.repeat(scenes.colours[:, :1], shapes, axis=1))
    question = "What colour is it?" if shapes == 1 else "What colour are they?"
    return scenes, [question] * n, [_COLOURS[colour] for colour in scenes.colours[:, 0]]


def _shape(n: int, rng: np.random.Generator, *, shapes: int) -> Asked:
    scenes = _some(n, shapes, rng)
    scenes = replace(scenes, shapes=np.repeat(scenes.shapes[:, :1], shapes, axis=1))
    question = "What shape is it?" if shapes == 1 else "What shape are they?"
    return scenes, [question] * n, [SHAPES[shape] for shape in scenes.shapes[:, 0]]


def _place(n: int, rng: np.random.Generator, *, across: bool) -> Asked:
    scenes = _some(n, 1, rng)
    if across:
        return scenes, ["Is it left or right?"] * n, [_COLUMNS[column] for column in scenes.columns[:, 0]]
    return scenes, ["Is it at the top or bottom?"] * n, [_ROWS[row] for row in scenes.rows[:, 0]]


def _count(n: int, rng: np.random.Generator, *, most: int) -> Asked:
    scenes = replace(_some(n, most, rng), counts=rng.integers(1, most + 1, size=n))
    return scenes, ["How many shapes are there?"] * n, [_NUMBERS[count] for count in scenes.counts]


def _count_colour(n: int, rng: np.random.Generator, *, among: int) -> Asked:
    kinds, counts = _different(n, len(SHAPE_COLOURS), len(SHAPE_COLOURS), rng), rng.integers(among + 1, size=n)
    others = np.take_along_axis(kinds, rng.integers(1, len(SHAPE_COLOURS), size=(n, among)), axis=1)
    colours = np.where(np.arange(among) < counts[:, None], kinds[:, :1], others)
    questions = [f"How many are {_COLOURS[colour]}?" for colour in kinds[:, 0]]
    return replace(_some(n, among, rng), colours=colours), questions, [_NUMBERS[count] for count in counts]


def _more(n: int, rng: np.random.Generator, *, shapes: int, colours: int) -> Asked:
    kinds = _different(n, colours, len(SHAPE_COLOURS), rng)
    drawn = rng.integers(colours, size=(n, shapes))
    while len(tied := np.flatnonzero((drawn == 0).sum(axis=1) == (drawn == 1).sum(axis=1))):
        drawn[tied] = rng.integers(colours, size=(len(tied), shapes))
    more = (drawn == 0).sum(axis=1) > (drawn == 1).sum(axis=1)
    questions = [f"Are more {_COLOURS[first]} than {_COLOURS[second]}?" for first, second in kinds[:, :2]]
    scenes = replace(_some(n, shapes, rng), colours=np.take_along_axis(kinds, drawn, axis=1))
    return scenes, questions, [_YES_NO[int(yes)] for yes in more]


def _relation(n: int, rng: np.random.Generator, *, across: bool) -> Asked:
    scenes = replace(_some(n, 2, rng), colours=_different(n, 2, len(SHAPE_COLOURS), rng))
    cells, step = scenes.cells, 1 if across else PICTURE_SIDE
    while len(level := np.flatnonzero(cells[:, 0] // step % PICTURE_SIDE == cells[:, 1] // step % PICTURE_SIDE)):
        cells[level] = _different(len(level), 2, PICTURE_SIDE**2, rng)
    word, lines = ("left of", scenes.columns) if across else ("above", scenes.rows)
    questions = [f"Is {_COLOURS[first]} {word} {_COLOURS[second]}?" for first, second in scenes.colours]
    return scenes, questions, [_YES_NO[int(first < second)] for first, second in lines]


_ASK: dict[str, dict[str, _Ask]] = {
    "colour": {"of one": partial(_colour, shapes=1), "of two": partial(_colour, shapes=2)},
    "shape": {"of one": partial(_shape, shapes=1), "of two": partial(_shape, shapes=2)},
    "place": {"left or right": partial(_place, across=True), "top or bottom": partial(_place, across=False)},
    "counting": {"up to two": partial(_count, most=2), "up to four": partial(_count, most=4)},
    "counting a colour": {"among two": partial(_count_colour, among=2), "among four": partial(_count_colour, among=4)},
    "comparing": {
        "two colours": partial(_more, shapes=3, colours=2),
        "three colours": partial(_more, shapes=4, colours=3),
    },
    "relation": {"left of": partial(_relation, across=True), "above": partial(_relation, across=False)},
}
_SKILLS = tuple(Skill(name, tuple(map(Skill, parts))) for name, parts in _ASK.items())


@checked_dataclass
class VisualQuestionSettings(HeldOut):
    """Settings of ``VisualQuestions``.

    Raises:
        ValueError: If a value is not allowed.
    """

    size: Annotated[int, Ge(24)] = 32
    """Pixels along each side of a picture."""


@final
class VisualQuestions(Subject):
    """Answers questions about drawn pictures: colours, shapes, places, counting, comparing, relations.

    Up to four circles, triangles and crosses in four colours, one in each quarter of a small picture, and a question
    with an answer of one word. The labels are what the pictures were drawn from, so they are right. About 80,000
    examples are drawn in a second. Seven skills with two parts each are of unequal difficulty: colour, place and
    counting take a hundred examples to learn, counting a colour, comparing numbers and relations several hundred.
    There is room to teach in that: after 6 rounds of 350 examples a ``cnn`` answers 0.92 of the test questions
    correctly with equal shares, 0.94 with shares in proportion to errors, 0.37 with shares in proportion to successes.

    Args:
        settings: A ``VisualQuestionSettings``; None takes the defaults.
    """

    Settings = VisualQuestionSettings
    settings: VisualQuestionSettings
    student = "cnn"
    answers = tuple(dict.fromkeys((*_COLOURS, *SHAPES, *_COLUMNS, *_ROWS, *_NUMBERS, *_YES_NO)))

    @property
    def skills(self) -> tuple[Skill, ...]:
        """What is asked about, and how hard it is made."""
        return _SKILLS

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Draw pictures, and ask about them."""
        leaves = find_skill(self.skills, path).leaves()
        chosen = rng.integers(len(leaves), size=count)
        made: dict[int, Example] = {}
        for number, below in enumerate(leaves):
            places = np.flatnonzero(chosen == number).tolist()
            leaf = (*path[:-1], *below)
            scenes, questions, answers = _ASK[leaf[0]][leaf[1]](len(places), rng)
            images = draw(scenes, self.settings.size, rng)
            for place, question, answer, image in zip(places, questions, answers, images, strict=True):
                made[place] = Example(question, answer, leaf, image)
        return [made[place] for place in range(count)]
