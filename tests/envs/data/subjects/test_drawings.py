"""Drawn pictures: answers are right by what can be read off the pixels, alike often, and no part is empty."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym.data.example import Example
from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.drawing import SHAPE_COLOURS
from teachgym.envs.data.subjects.drawings import VisualQuestions

TASK = VisualQuestions()


@dataclass
class Seen:
    """A shape as the pixels show it."""

    colour: str
    shape: str
    x: float
    y: float


def look(image: NDArray[np.uint8]) -> list[Seen]:
    """Find the shapes of a picture by its pixels alone: one in each quarter that is not all grey."""
    size, found = len(image), []
    half = size // 2
    for top in (0, half):
        for left in (0, half):
            quarter = image[top : top + half, left : left + half].astype(int)
            names = [name for name, rgb in SHAPE_COLOURS.items() if (quarter == rgb).all(axis=2).any()]
            if names:
                assert len(names) == 1
                filled = (quarter == SHAPE_COLOURS[names[0]]).all(axis=2)
                y, x = np.nonzero(filled)
                found.append(Seen(names[0], outline(filled), left + x.mean(), top + y.mean()))
    return found


def outline(filled: NDArray[np.bool_]) -> str:
    """A triangle is much wider below than above, a cross has bare corners and a full middle, a circle is full."""
    rows = np.flatnonzero(filled.any(axis=1))
    columns = np.flatnonzero(filled.any(axis=0))
    box = filled[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    quarter = max(len(box) // 4, 1)
    if box[-quarter:].sum() > 2 * box[:quarter].sum():
        return "triangle"
    return "circle" if box.mean() > 0.68 else "cross"


def expected(prompt: str, seen: list[Seen]) -> str:
    """The answer to a question, from what is seen."""
    if "colour" in prompt:
        return seen[0].colour
    if "What shape" in prompt:
        return seen[0].shape
    if "left or right" in prompt:
        return "left" if seen[0].x < 16 else "right"
    if "top or bottom" in prompt:
        return "top" if seen[0].y < 16 else "bottom"
    if prompt == "How many shapes are there?":
        return str(len(seen))
    counts = Counter(one.colour for one in seen)
    if found := re.fullmatch(r"How many are (\w+)\?", prompt):
        return str(counts[found[1]])
    if found := re.fullmatch(r"Are more (\w+) than (\w+)\?", prompt):
        assert counts[found[1]] != counts[found[2]]
        return "yes" if counts[found[1]] > counts[found[2]] else "no"
    found = re.fullmatch(r"Is (\w+) (left of|above) (\w+)\?", prompt)
    assert found is not None, prompt
    first, second = (next(one for one in seen if one.colour == name) for name in (found[1], found[3]))
    gap = first.x - second.x if found[2] == "left of" else first.y - second.y
    return "yes" if gap < 0 else "no"


def drawn(skill: str, count: int = 200) -> list[Example]:
    return TASK.make((skill,), count, np.random.default_rng(0))


@pytest.mark.parametrize("skill", TASK.skill_names)
def test_answers_are_what_the_pixels_show(skill: str) -> None:
    for example in drawn(skill):
        assert example.image is not None
        assert expected(example.prompt, look(example.image)) == example.target


@pytest.mark.parametrize("skill", TASK.skill_names)
def test_no_answer_is_much_more_frequent_than_the_others(skill: str) -> None:
    for part in next(one for one in TASK.skills if one.name == skill).parts:
        made = TASK.make((skill, part.name), 1000, np.random.default_rng(1))
        counts = Counter(example.target for example in made)
        assert max(counts.values()) < 1.3 * 1000 / len(counts)
        assert min(counts.values()) > 0.7 * 1000 / len(counts)


def test_the_answer_is_not_in_the_question() -> None:
    """Colours and questions tell nothing of the answer: the same question has many."""
    answers: dict[str, set[str]] = {}
    for skill in TASK.skill_names:
        for example in drawn(skill, 500):
            answers.setdefault(example.prompt, set()).add(example.target)
    assert min(map(len, answers.values())) > 1
    assert max(map(len, answers)) <= 40


def test_all_answers_occur_and_no_others() -> None:
    assert {example.target for skill in TASK.skill_names for example in drawn(skill)} == set(TASK.answers)


def test_examples_differ_and_none_is_held_out() -> None:
    held_out = {example.key for example in (*TASK.validation, *TASK.test)}
    for skill in TASK.skill_names:
        keys = [example.key for example in drawn(skill, 1000)]
        assert len(set(keys)) > 990
        assert not held_out & set(keys)


def test_pictures_have_the_size_that_is_asked_for() -> None:
    subject = make_subject("vqa", size=49)
    example = subject.make(("counting",), 1, np.random.default_rng(0))[0]
    assert example.image is not None
    assert example.image.shape == (49, 49, 3)
    assert str(len(look(example.image))) == example.target


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="size is 10; expected a whole number, at least 24"):
        make_subject("vqa", size=10)
    with pytest.raises(ValueError, match="did you mean 'relation'"):
        TASK.make(("relations",), 1, np.random.default_rng(0))
