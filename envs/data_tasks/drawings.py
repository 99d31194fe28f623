"""Questions about pictures of coloured shapes, drawn by code: visual question answering without any download."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import numpy as np
from numpy.typing import NDArray

from teachgym.data.example import Example, Path
from teachgym.data.skills import Skill, find_skill
from teachgym.data.task import DataTask, HeldOut
from teachgym.envs.data_tasks.drawing import COLOURS, SHAPES, SIDE, Scenes, draw
from teachgym.setting_checks import check_whole

_COLOURS = tuple(COLOURS)
_COLUMNS, _ROWS = ("left", "middle", "right"), ("top", "middle", "bottom")
_NUMBERS = tuple("0123456")
_YES_NO = ("no", "yes")

Asked = tuple[Scenes, list[str], list[str]]
"""Pictures, a question about each, and the answers."""
Ask = Callable[[int, np.random.Generator], Asked]


def _some(n: int, k: int, rng: np.random.Generator) -> Scenes:
    """Pictures with k shapes each, of any kind."""
    return Scenes(
        shapes=rng.integers(len(SHAPES), size=(n, k)),
        colours=rng.integers(len(COLOURS), size=(n, k)),
        cells=_different(n, k, SIDE**2, rng),
        counts=np.full(n, k),
    )


def _different(n: int, k: int, among: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``(n, k)`` numbers below ``among``, no two in a row the same."""
    return rng.permuted(np.tile(np.arange(among), (n, 1)), axis=1)[:, :k]


def _colour(n: int, rng: np.random.Generator, *, shapes: int) -> Asked:
    scenes = replace(_some(n, shapes, rng), shapes=_different(n, shapes, len(SHAPES), rng))
    questions = [f"What colour is the {SHAPES[shape]}?" for shape in scenes.shapes[:, 0]]
    return scenes, questions, [_COLOURS[colour] for colour in scenes.colours[:, 0]]


def _shape(n: int, rng: np.random.Generator, *, shapes: int) -> Asked:
    scenes = replace(_some(n, shapes, rng), colours=_different(n, shapes, len(COLOURS), rng))
    questions = [f"What shape is the {_COLOURS[colour]} one?" for colour in scenes.colours[:, 0]]
    return scenes, questions, [SHAPES[shape] for shape in scenes.shapes[:, 0]]


def _place(n: int, rng: np.random.Generator, *, across: bool) -> Asked:
    scenes = replace(_some(n, 3, rng), shapes=_different(n, 3, len(SHAPES), rng))
    line = "column" if across else "row"
    questions = [f"In which {line} is the {SHAPES[shape]}?" for shape in scenes.shapes[:, 0]]
    if across:
        return scenes, questions, [_COLUMNS[column] for column in scenes.columns[:, 0]]
    return scenes, questions, [_ROWS[row] for row in scenes.rows[:, 0]]


def _count(n: int, rng: np.random.Generator, *, most: int) -> Asked:
    scenes = replace(_some(n, most, rng), counts=rng.integers(1, most + 1, size=n))
    return scenes, ["How many shapes are there?"] * n, [_NUMBERS[count] for count in scenes.counts]


def _count_colour(n: int, rng: np.random.Generator, *, others: int) -> Asked:
    wanted, counts = rng.integers(len(COLOURS), size=n), rng.integers(4, size=n)
    scenes = _of_colours([(wanted, counts)], others, rng)
    questions = [f"How many are {_COLOURS[colour]}?" for colour in wanted]
    return scenes, questions, [_NUMBERS[count] for count in counts]


def _more(n: int, rng: np.random.Generator, *, others: int) -> Asked:
    colours, counts = _different(n, 2, len(COLOURS), rng), _different(n, 2, 4, rng)
    scenes = _of_colours([(colours[:, 0], counts[:, 0]), (colours[:, 1], counts[:, 1])], others, rng)
    questions = [f"Are more {_COLOURS[first]} than {_COLOURS[second]}?" for first, second in colours]
    return scenes, questions, [_YES_NO[int(first > second)] for first, second in counts]


def _of_colours(
    wanted: list[tuple[NDArray[np.int64], NDArray[np.int64]]], others: int, rng: np.random.Generator
) -> Scenes:
    """Pictures with so many shapes of each colour wanted, and from 1 to ``others`` of any other colour."""
    n, k = len(wanted[0][0]), 3 * len(wanted) + others
    scenes = _some(n, k, rng)
    free = np.stack([np.setdiff1d(np.arange(len(COLOURS)), taken) for taken in zip(*(c for c, _ in wanted), strict=True)])
    colours = np.take_along_axis(free, rng.integers(free.shape[1], size=(n, k)), axis=1)
    ends = np.zeros(n, dtype=np.int64)
    for colour, count in wanted:
        place = np.arange(k)
        mine = (place >= ends[:, None]) & (place < (ends + count)[:, None])
        colours = np.where(mine, colour[:, None], colours)
        ends = ends + count
    return replace(scenes, colours=colours, counts=ends + rng.integers(1, others + 1, size=n))


def _relation(n: int, rng: np.random.Generator, *, across: bool) -> Asked:
    scenes = replace(_some(n, 2, rng), shapes=_different(n, 2, len(SHAPES), rng))
    cells = scenes.cells
    while True:
        lines = cells % SIDE if across else cells // SIDE
        level = np.flatnonzero(lines[:, 0] == lines[:, 1])
        if not len(level):
            break
        cells[level] = _different(len(level), 2, SIDE**2, rng)
    word = "left of" if across else "above"
    questions = [f"Is the {SHAPES[first]} {word} the {SHAPES[second]}?" for first, second in scenes.shapes]
    return scenes, questions, [_YES_NO[int(first < second)] for first, second in lines]


def _same(n: int, rng: np.random.Generator, *, colour: bool) -> Asked:
    scenes, k = _some(n, 3, rng), len(COLOURS if colour else SHAPES)
    alike, kinds = rng.integers(2, size=n), _different(n, 2, k, rng)
    found = np.repeat(kinds[:, :1], 3, axis=1)
    found[:, 0] = np.where(alike, found[:, 0], kinds[:, 1])
    scenes = replace(scenes, colours=found) if colour else replace(scenes, shapes=found)
    question = f"Are all of the same {'colour' if colour else 'shape'}?"
    return scenes, [question] * n, [_YES_NO[yes] for yes in alike]


_ASK: dict[str, dict[str, Ask]] = {
    "colour": {"alone": partial(_colour, shapes=1), "among others": partial(_colour, shapes=3)},
    "shape": {"alone": partial(_shape, shapes=1), "among others": partial(_shape, shapes=3)},
    "place": {"column": partial(_place, across=True), "row": partial(_place, across=False)},
    "counting": {"up to three": partial(_count, most=3), "up to six": partial(_count, most=6)},
    "counting a colour": {
        "one other": partial(_count_colour, others=1),
        "several others": partial(_count_colour, others=4),
    },
    "comparing numbers": {"one other": partial(_more, others=1), "several others": partial(_more, others=3)},
    "relation": {"left of": partial(_relation, across=True), "above": partial(_relation, across=False)},
    "sameness": {"of colour": partial(_same, colour=True), "of shape": partial(_same, colour=False)},
}
_SKILLS = tuple(Skill(name, tuple(map(Skill, parts))) for name, parts in _ASK.items())


@dataclass(frozen=True)
class VisualQuestionSettings(HeldOut):
    """Settings of ``VisualQuestions``.

    Raises:
        ValueError: If a value is not allowed.
    """

    size: int = 32
    """Pixels along each side of a picture."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("size", self.size, 24, "pixels")


@final
class VisualQuestions(DataTask):
    """Answers questions about pictures of coloured shapes."""

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
