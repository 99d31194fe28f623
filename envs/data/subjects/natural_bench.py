"""NaturalBench: pairs of images and pairs of questions that no blind guess gets right, read from a file."""

import re
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any, final

import numpy as np
from annotated_types import MinLen

from teachgym.base.ranges import PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Answer, Example, Path
from teachgym.data.files import read_lines
from teachgym.data.skills import Skill
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects.picture_files import PictureFolder

YES_NO, CHOICE = "yes_no", "multiple_choice"
_ANSWERS = {YES_NO: ("Yes", "No"), CHOICE: ("A", "B")}
_FIRST = {YES_NO: re.compile(r"\b(yes|no)\b", re.IGNORECASE), CHOICE: re.compile(r"\b([AB])\b|^\W*([ab])\W*$")}
_REQUESTS = {YES_NO: "Answer Yes or No.", CHOICE: "Answer A or B."}


@checked_dataclass
class NaturalBenchSettings:
    """Settings of ``NaturalBench``; the first two are needed.

    Raises:
        ValueError: If a value is not allowed.
    """

    groups: str = ""
    """Path of a file with a group in every line, as JSON with the published fields; images by file name."""
    images: str = ""
    """Path of the folder that the images are in."""
    skill: Annotated[str, MinLen(1)] = "Question_Type"
    """Field of a group that names its skill."""
    validation_groups: PositiveInt = 51
    """Groups that feedback and reward come from: the first in the file."""
    test_groups: PositiveInt = 50
    """Groups that results are reported on: the last in the file."""
    request: bool = True
    """Whether a question is followed by what answers there are, in words."""
    image_size: PositiveInt = 224
    """Pixels along each side that images are brought to."""


@final
class NaturalBench(Subject):
    """Answers two questions about each of two images, where the answers differ: guessing without looking fails.

    A group of NaturalBench (Li et al. 2024, arXiv:2410.14669) is four examples: two images with two questions each,
    of yes or no, or of A or B. An answer counts by the first of its words that is one of the two. ``metrics`` are the
    benchmark's: ``binary`` (share of examples right), ``question`` (of questions right for both images), ``image`` (of
    images with both questions right), and ``group`` (of groups with all four right).

    The file has the published fields as JSON lines: ``Question_0``, ``Question_1``, ``Image_0``, ``Image_1`` (names of
    files), the answers ``Image_0_Question_0``, ``Image_1_Question_0``, ``Image_0_Question_1``,
    ``Image_1_Question_1``, and ``Question_Type``, ``yes_no`` or ``multiple_choice``.

    The defaults are the sets of DataEnvGym (Khan et al. 2024, arXiv:2410.06215): the last 50 groups for the test, and
    51 for validation, which are 204 examples, although there they go by the name of 200. Groups between the two are
    the pool to select from. The subject makes no examples of its own; engines are ``pool`` and ``language-model``.

    Args:
        settings: A ``NaturalBenchSettings``, with at least the first two paths.

    Raises:
        ValueError: If a path is missing, the file can't be read, holds too few groups or the same example twice, a
            line is no group, or an image is missing; the message names file and line.
    """

    Settings = NaturalBenchSettings
    settings: NaturalBenchSettings
    student = "vision-lm"
    answers = ("Yes", "No", "A", "B")

    def __init__(self, settings: NaturalBenchSettings | None = None) -> None:
        super().__init__(settings)
        chosen = self.settings
        for name in ("groups", "images"):
            if not getattr(chosen, name):
                raise ValueError(
                    f"{name} is empty; NaturalBench is read from files: give subject settings groups and images"
                )
        self._pictures = PictureFolder(FilePath(chosen.images), chosen.image_size)
        lines = list(read_lines(FilePath(chosen.groups)))
        if len(lines) < chosen.validation_groups + chosen.test_groups:
            raise ValueError(
                f"{chosen.groups} holds {len(lines)} groups; validation_groups is {chosen.validation_groups} and "
                f"test_groups is {chosen.test_groups}, which must not overlap"
            )
        groups = [self._group(number, entry, place) for number, (place, entry) in enumerate(lines)]
        _refuse_repeats(groups, [place for place, _ in lines])
        ends = chosen.validation_groups, len(groups) - chosen.test_groups
        self._validation, self._pool, self._test = (
            sorted((example for group in part for example in group), key=lambda example: example.path)
            for part in (groups[: ends[0]], groups[ends[0] : ends[1]], groups[ends[1] :])
        )

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Those of the validation groups, in alphabetical order."""
        return tuple(Skill(name) for name in sorted({example.skill for example in self._validation}))

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Not possible."""
        raise NotImplementedError("NaturalBench makes no examples; use the engine 'pool', or a model")

    def score(self, example: Example, given: str) -> float:
        """1 if the first word of the answer that is one of the two possible ones is the target, else 0."""
        kind = YES_NO if example.target in _ANSWERS[YES_NO] else CHOICE
        found = _FIRST[kind].search(given)
        return float(found is not None and next(filter(None, found.groups())).lower() == example.target.lower())

    def parses(self, example: Example) -> bool:
        """Whether the target is one of the four answers."""
        return example.target in self.answers

    def metrics(self, answers: Sequence[Answer]) -> dict[str, float]:
        """The four scores, of the groups of which all four answers are there."""
        marks: dict[int, dict[tuple[int, int], bool]] = {}
        for answer in answers:
            facts = answer.example.facts
            if "group" in facts:
                marks.setdefault(facts["group"], {})[facts["image"], facts["question"]] = answer.correct
        whole = [[[group[i, q] for q in (0, 1)] for i in (0, 1)] for group in marks.values() if len(group) == 4]
        if not whole:
            return {}
        right = np.array(whole)  # (groups, images, questions)
        return {
            "binary": float(right.mean()),
            "question": float(right.all(axis=1).mean()),
            "image": float(right.all(axis=2).mean()),
            "group": float(right.all(axis=(1, 2)).mean()),
        }

    def pool(self) -> Sequence[Example]:
        """The groups that are neither for validation nor for the test."""
        return self._pool

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        return self._validation, self._test

    def _group(self, number: int, entry: dict[str, Any], place: str) -> list[Example]:
        """The four examples of a line."""
        kind = entry.get("Question_Type")
        if kind not in _ANSWERS:
            raise ValueError(f"{place}: Question_Type is {kind!r}; expected one of {', '.join(map(repr, _ANSWERS))}")
        skill = _text(entry, self.settings.skill, place)
        examples = []
        for question in (0, 1):
            prompt = _text(entry, f"Question_{question}", place)
            if self.settings.request:
                prompt = f"{prompt} {_REQUESTS[kind]}"
            for image in (0, 1):
                field = f"Image_{image}_Question_{question}"
                target = _text(entry, field, place).capitalize()
                if target not in _ANSWERS[kind]:
                    raise ValueError(f"{place}: {field} is {target!r}; expected {' or '.join(_ANSWERS[kind])}")
                pixels = self._pictures.read((_text(entry, f"Image_{image}", place),), place)
                facts = {"group": number, "image": image, "question": question}
                examples.append(Example(prompt, target, (skill,), pixels, facts))
        return examples


def _text(entry: dict[str, Any], field: str, place: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place}: {field} is {value!r}; expected some text")
    return value.strip()


def _refuse_repeats(groups: Sequence[Sequence[Example]], places: Sequence[str]) -> None:
    """Raise ``ValueError`` if two examples are the same, as they would be in validation and test set."""
    seen: dict[str, str] = {}
    for group, place in zip(groups, places, strict=True):
        for example in group:
            if example.key in seen:
                raise ValueError(f"{place}: the same question and image as in {seen[example.key]}")
            seen[example.key] = place
