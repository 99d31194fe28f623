"""GQA: questions about photographs, by what kind of question it is, read from the published files."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, Literal, final

import numpy as np

from teachgym.base.files import read_json
from teachgym.base.ranges import NonNegativeInt, PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example, Path
from teachgym.data.files import read_lines
from teachgym.data.skills import Skill
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects.picture_files import PictureFolder


@checked_dataclass
class GqaSettings:
    """Settings of ``Gqa``; the first three are needed.

    Raises:
        ValueError: If a value is not allowed.
    """

    validation: str = ""
    """Path of the questions that feedback and reward come from, for instance of ``val_balanced_questions.json``."""
    test: str = ""
    """Path of the questions that results are reported on, for instance of ``testdev_balanced_questions.json``."""
    images: str = ""
    """Path of the folder with an image ``<imageId>.jpg`` for every question, or ``.png``."""
    train: str = ""
    """Path of real questions to select from; without one there are none."""
    skill: Literal["structural", "semantic"] = "structural"
    """Which of a question's types is its skill; the detailed type is the part of it."""
    validation_per_type: NonNegativeInt = 5
    """Validation questions of each detailed type: the first in the file. 0 takes all."""
    test_per_type: NonNegativeInt = 0
    """Test questions of each detailed type, likewise."""
    train_per_type: NonNegativeInt = 100
    """Training questions of each detailed type, likewise."""
    ignore_case: bool = False
    """Whether an answer is right that differs from the target in upper and lower case."""
    image_size: PositiveInt = 224
    """Pixels along each side that images are brought to."""


@final
class Gqa(Subject):
    """Answers GQA's questions about photographs in a word; skills are the types of questions.

    GQA (Hudson and Manning 2019, arXiv:1902.09506) says of every question what it asks for structurally (query,
    verify, choose, logical, compare), semantically (object, attribute, relation, category, global), and in detail.
    Question files are read as published, one JSON object from question id to question, or as JSON lines with the
    same fields; used are ``question``, ``answer``, ``imageId`` and ``types``. An answer is right if it equals the
    target character by character, as in DataEnvGym (Khan et al. 2024, arXiv:2410.06215), spaces at its ends aside.

    Differs from DataEnvGym, which has fixed samples of 502 validation and 430 testdev questions: here the first so
    many of each detailed type are taken from the files that are given, by default 5 for validation and all for the
    test. A question that stands in a file twice is taken once. The subject makes no examples of its own; engines are
    ``pool``, with ``train``, and ``language-model``.

    Args:
        settings: A ``GqaSettings``, with at least the first three paths.

    Raises:
        ValueError: If a path is missing, a file can't be read, a question is no question, an image is missing, or
            the two sets share a question; the message names file, and line or question.
    """

    Settings = GqaSettings
    settings: GqaSettings
    student = "vision-lm"

    def __init__(self, settings: GqaSettings | None = None) -> None:
        super().__init__(settings)
        for name in ("validation", "test", "images"):
            if not getattr(self.settings, name):
                raise ValueError(
                    f"{name} is empty; GQA is read from files: give the subject settings validation, test and images"
                )
        self._pictures = PictureFolder(FilePath(self.settings.images), self.settings.image_size)
        self._validation = self._read(self.settings.validation, self.settings.validation_per_type)
        self._test = self._read(self.settings.test, self.settings.test_per_type)
        shared = {example.key for example in self._validation} & {example.key for example in self._test}
        if shared:
            raise ValueError(
                f"{self.settings.validation} and {self.settings.test} share {len(shared)} questions; validation and "
                "test must be disjoint, so give files of different splits"
            )
        self._skills = _tree(self._validation)

    @property
    def skills(self) -> tuple[Skill, ...]:
        """The types of the validation questions, in alphabetical order."""
        return self._skills

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Not possible."""
        raise NotImplementedError("GQA makes no examples; use the engine 'pool', with the setting train, or a model")

    def score(self, example: Example, given: str) -> float:
        """1 if it equals the target, else 0."""
        given, target = given.strip(), example.target.strip()
        return float(given.lower() == target.lower() if self.settings.ignore_case else given == target)

    def pool(self) -> Sequence[Example]:
        """The questions of ``train``."""
        return self._train

    @cached_property
    def _train(self) -> list[Example]:
        return self._read(self.settings.train, self.settings.train_per_type) if self.settings.train else []

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        return self._validation, self._test

    def _read(self, file: str, per_type: int) -> list[Example]:
        """The first questions of each detailed type, by skill."""
        found: dict[str, Example] = {}
        taken: Counter[Path] = Counter()
        for place, entry in _entries(FilePath(file)):
            question, answer, image, path = self._fields(entry, place)
            if per_type and taken[path] == per_type:
                continue
            pixels = self._pictures.read((f"{image}.jpg", f"{image}.png"), place)
            example = Example(question, answer, path, pixels)
            if example.key not in found:
                found[example.key] = example
                taken[path] += 1
        if not found:
            raise ValueError(f"{file} holds no question")
        return sorted(found.values(), key=lambda example: example.path)

    def _fields(self, entry: dict[str, Any], place: str) -> tuple[str, str, str, Path]:
        question, answer, image = (entry.get(name) for name in ("question", "answer", "imageId"))
        types = entry.get("types")
        for name, value in (("question", question), ("answer", answer), ("imageId", image)):
            if not isinstance(value, str) or not value.strip():
                raise ValueError(f"{place}: {name} is {value!r}; expected some text")
        kinds = [types.get(name) if isinstance(types, dict) else None for name in (self.settings.skill, "detailed")]
        if not all(isinstance(kind, str) and kind for kind in kinds):
            raise ValueError(f"{place}: types is {types!r}; expected names for {self.settings.skill!r} and 'detailed'")
        return str(question), str(answer), str(image), (str(kinds[0]), str(kinds[1]))


def _entries(path: FilePath) -> Iterator[tuple[str, dict[str, Any]]]:
    """Questions, and where each stands."""
    if path.suffix != ".json":
        yield from read_lines(path)
        return
    try:
        questions = read_json(path)
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error})") from error
    if not isinstance(questions, dict):
        raise ValueError(f"{path} holds a {type(questions).__name__}; expected an object from question id to question")
    for name, entry in questions.items():
        place = f"{path}, question {name}"
        if not isinstance(entry, dict):
            raise ValueError(f"{place}: {entry!r} is no JSON object")
        yield place, entry


def _tree(examples: Sequence[Example]) -> tuple[Skill, ...]:
    paths = sorted({example.path for example in examples})
    names = dict.fromkeys(path[0] for path in paths)
    return tuple(Skill(name, tuple(Skill(path[1]) for path in paths if path[0] == name)) for name in names)
