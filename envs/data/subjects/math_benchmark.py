"""MATH: competition mathematics with written solutions, read from files."""

import json
import re
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any, Literal, final

import numpy as np

from teachgym.base.ranges import PositiveInt
from teachgym.base.registry import unknown_name
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Answer, Example, Path
from teachgym.data.files import read_lines
from teachgym.data.skills import Skill
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects.math_answers import equivalent, final_answer, last_boxed

TOPICS = (
    "Algebra",
    "Counting & Probability",
    "Geometry",
    "Intermediate Algebra",
    "Number Theory",
    "Prealgebra",
    "Precalculus",
)
LEVELS = tuple(f"level {level}" for level in range(1, 6))
_TopicAndLevel = tuple[str, str]
"""Topic and level."""


@checked_dataclass
class MathBenchmarkSettings:
    """Settings of ``MathBenchmark``; the first is needed.

    Raises:
        ValueError: If a value is not allowed.
    """

    path: str = ""
    """Path of a folder with ``train`` and ``test``: each a folder of topics, or a file with the ending ``.jsonl``."""
    test_path: str = ""
    """Path of another folder of topics or JSONL file to test on, for instance MATH-500; empty takes ``path``'s."""
    validation_per_cell: PositiveInt = 50
    """Problems of each topic and level that feedback and reward come from: the first of the training problems."""
    test_per_cell: PositiveInt | None = None
    """Problems of each topic and level that results are reported on: the first; None takes all."""
    target: Literal["answer", "solution"] = "answer"
    """What a student learns to write: the final answer alone, or the whole solution with the answer in a box."""
    bare: bool = True
    """Whether a text with neither a box nor "final answer is" counts as an answer as it stands; if not, targets
    that are the answer alone stand in a box."""


@final
class MathBenchmark(Subject):
    r"""Solves competition problems in seven topics and five levels, with final answers that can be checked.

    MATH (Hendrycks et al. 2021, arXiv:2103.03874). The skills are the topics, their parts the levels. The first
    problems of every topic and level of ``train`` are for validation; the rest of it is the pool to select from. The
    subject makes no examples of its own; engines are ``pool`` and ``language-model``.

    Files are as they were published: a folder for each topic with a JSON object in each file (``problem``, ``level``,
    ``type``, ``solution``), or JSON lines with the same fields, where ``subject`` may stand for ``type``, a number for
    ``"Level 3"``, and ``answer``, if it is there, is the final answer. Problems of the level ``"Level ?"``, of which
    MATH has a few, are left out, and so are training problems that stand in the test set or stand there twice.

    An answer is what is in the last box, or follows "final answer is", as with Minerva (Lewkowycz et al. 2022,
    arXiv:2206.14858); units and ornaments do not count. Two differences from common scorers: a full stop after "the
    final answer is 5." is no part of the answer, and values are compared at a few points, exactly or to 30 digits, by a
    reader of formulas that runs nothing of what a model wrote as code, not by symbolic algebra, which may never end.
    Lists without brackets, and sets, may stand in any order.

    Args:
        settings: A ``MathBenchmarkSettings``, with at least the path.

    Raises:
        ValueError: If the path is missing, something can't be read, or is no problem; the message names file and line.
    """

    Settings = MathBenchmarkSettings
    settings: MathBenchmarkSettings
    student = "causal-lm"

    def __init__(self, settings: MathBenchmarkSettings | None = None) -> None:
        super().__init__(settings)
        chosen = self.settings
        if not chosen.path:
            raise ValueError("path is empty; MathBenchmark is read from files: give subject setting path")
        folder = FilePath(chosen.path)
        train = self._read(_part(folder, "train"))
        test = self._read(FilePath(chosen.test_path) if chosen.test_path else _part(folder, "test"))
        known = {example.key for cell in test.values() for example in cell}
        train = {cell: [one for one in found if one.key not in known] for cell, found in train.items()}
        first = chosen.validation_per_cell
        self._validation = [example for found in train.values() for example in found[:first]]
        self._pool = [example for found in train.values() for example in found[first:]]
        self._test = [example for found in test.values() for example in found[: chosen.test_per_cell]]

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Topics of the validation problems, with those of their levels, in order."""
        found = {example.path for example in self._validation}
        return tuple(
            Skill(topic, tuple(Skill(level) for level in LEVELS if (topic, level) in found))
            for topic in TOPICS
            if any(path[0] == topic for path in found)
        )

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Not possible."""
        raise NotImplementedError("MathBenchmark makes no examples; use the engine 'pool', or a model")

    def score(self, example: Example, given: str) -> float:
        """1 if the final answer is the right one, else 0."""
        right = str(example.facts.get("answer", "")) or final_answer(example.target)
        return float(equivalent(final_answer(given, bare=self.settings.bare), right))

    def parses(self, example: Example) -> bool:
        """Whether the target has a final answer, and its braces match."""
        answer = final_answer(example.target, bare=self.settings.bare)
        return bool(answer) and answer.count("{") == answer.count("}")

    def metrics(self, answers: Sequence[Answer]) -> dict[str, float]:
        """Accuracy by level."""
        found: dict[str, list[bool]] = {}
        for answer in answers:
            if len(answer.example.path) > 1:
                found.setdefault(answer.example.path[1], []).append(answer.correct)
        return {level: float(np.mean(found[level])) for level in LEVELS if level in found}

    def pool(self) -> Sequence[Example]:
        """Training problems that are not for validation."""
        return self._pool

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        return self._validation, self._test

    def _read(self, source: FilePath) -> dict[_TopicAndLevel, list[Example]]:
        """Problems by topic and level, in order, no two the same."""
        found: dict[_TopicAndLevel, list[Example]] = {(topic, level): [] for topic in TOPICS for level in LEVELS}
        seen: set[str] = set()
        for place, entry in _entries(source):
            example = self._example(entry, place)
            if example is not None and example.key not in seen:
                seen.add(example.key)
                found[example.path[0], example.path[1]].append(example)
        if not seen:
            raise ValueError(
                f"{source} holds no problems; expected folders of topics with files like 12.json, or JSONL"
            )
        return found

    def _example(self, entry: dict[str, Any], place: str) -> Example | None:
        problem, solution = entry.get("problem"), entry.get("solution")
        if not isinstance(problem, str) or not problem.strip() or not isinstance(solution, str):
            raise ValueError(f"{place}: problem is {problem!r} and solution is {solution!r}; expected two texts")
        topic = entry.get("type", entry.get("subject"))
        if topic not in TOPICS:
            raise ValueError(f"{place}: {unknown_name('topic', str(topic), TOPICS)}")
        level = re.fullmatch(r"(?:Level )?([1-5?])", str(entry.get("level")))
        if level is None:
            raise ValueError(f"{place}: level is {entry.get('level')!r}; expected 'Level 1' to 'Level 5', or a number")
        answer = entry.get("answer", last_boxed(solution))
        if not isinstance(answer, str) or not answer.strip():
            raise ValueError(
                f"{place}: the solution has no \\boxed{{...}} with the final answer, and there is no answer"
            )
        if level[1] == "?":
            return None
        if self.settings.target == "solution":
            target = solution
        else:
            target = answer if self.settings.bare else f"\\boxed{{{answer}}}"
        return Example(problem, target, (topic, f"level {level[1]}"), facts={"answer": answer})


def _part(folder: FilePath, name: str) -> FilePath:
    """The folder or file of this name in a folder."""
    for found in (folder / name, folder / f"{name}.jsonl"):
        if found.exists():
            return found
    raise ValueError(f"{folder} has neither a folder {name!r} nor a file {name}.jsonl; expected the files of MATH")


def _entries(source: FilePath) -> Sequence[tuple[str, dict[str, Any]]]:
    """The JSON objects of a file of lines, or of a folder of folders of files, by number, each with its place."""
    if not source.is_dir():
        return list(read_lines(source))
    entries: list[tuple[str, dict[str, Any]]] = []
    for file in sorted(source.glob("*/*.json"), key=lambda file: (file.parent.name, _number(file), file.name)):
        try:
            entry = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{file} can't be read as JSON ({error})") from error
        if not isinstance(entry, dict):
            raise ValueError(f"{file}: {entry!r} is no JSON object")
        entries.append((str(file), entry))
    return entries


def _number(file: FilePath) -> int:
    return int(file.stem) if file.stem.isascii() and file.stem.isdigit() else 0
