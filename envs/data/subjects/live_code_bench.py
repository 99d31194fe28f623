"""LiveCodeBench: programming contests' problems, read from the published files, scored by running all tests."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from teachgym.base.ranges import NonNegativeInt, PositiveInt
from teachgym.base.setting_checks import check_choice
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example, Path
from teachgym.data.files import read_lines
from teachgym.data.skills import Skill
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects.code_problems import Problem, read_problem
from teachgym.envs.data.subjects.program_tests import Calls, code_blocks, results
from teachgym.sandbox import SANDBOX_KINDS, Limits, Outcome, Program, Sandbox
from teachgym.sandbox.kinds import AUTO

_LEVELS = ("easy", "medium", "hard")
_AT_HAND = """
import bisect, collections, copy, functools, heapq, itertools, math, random, re, string
from bisect import bisect_left, bisect_right, insort
from collections import Counter, OrderedDict, defaultdict, deque
from functools import cache, cmp_to_key, lru_cache, reduce
from heapq import heapify, heappop, heappush, heapreplace, nlargest, nsmallest
from itertools import accumulate, chain, combinations, groupby, pairwise, permutations, product
from math import ceil, comb, factorial, floor, gcd, inf, isqrt, lcm, log2, sqrt
from typing import *
"""
"""What solutions with a given signature take for granted."""


@checked_dataclass
class LiveCodeBenchSettings:
    """Settings of ``LiveCodeBench``; the first two are needed.

    Raises:
        ValueError: If a value is not allowed.
    """

    validation: str = ""
    """Path of the problems that feedback and reward come from, for instance of ``test2.jsonl``."""
    test: str = ""
    """Path of the problems that results are reported on, for instance of ``test.jsonl``; may be the same file with
    ``test_from``."""
    train: str = ""
    """Path of further problems to select from; without one there are none. They have no solutions."""
    test_from: str = ""
    """A date such as 2024-01-01: validation takes only problems of contests before it, the test only others."""
    skill: Literal["difficulty", "platform"] = "difficulty"
    """What of a problem is its skill; the other is the part of it."""
    most_tests: NonNegativeInt = 0
    """Tests that a problem keeps, the public ones first. 0 keeps all, as results should; files unpack to gigabytes."""
    sandbox: str = AUTO
    """Kind of sandbox that answers run in; ``"bubblewrap"`` to have that or none."""
    workers: PositiveInt = 1
    """Answers that run at once."""
    cpu_seconds: int = 6
    """Time that an answer may take for each test."""
    memory_mb: int = 1024
    """Address space in MiB that it may take."""

    def __post_init__(self) -> None:
        check_choice("sandbox", self.sandbox, (AUTO, *SANDBOX_KINDS))
        Limits(cpu_seconds=self.cpu_seconds, memory_mb=self.memory_mb)
        if self.test_from:
            try:
                date.fromisoformat(self.test_from)
            except ValueError as error:
                raise ValueError(f"test_from is {self.test_from!r}; expected a date such as 2024-01-01") from error


@final
class LiveCodeBench(Subject):
    """Solves LiveCodeBench's contest problems in Python; skills are their difficulties.

    LiveCodeBench (Jain et al. 2024, arXiv:2403.07974) collects problems of LeetCode, AtCoder and Codeforces with the
    day of their contest. Files are read as published, one JSON object a line; private tests may be packed (base64 of
    zlib of a pickled string: nothing is unpickled, any other pickle is refused). An answer's last block between fences
    is the program, or else all of it. It is right if it passes all tests in the sandbox (pass@1). Programs that read
    standard input must print the expected words on each line, where numbers count by value; those with a signature
    must return the expected value, lists and tuples being the same.

    As in DataEnvGym (Khan et al. 2024, arXiv:2410.06215), validation can be what release v2 added to v1, and the test
    release v1. The subject makes no examples of its own, and knows no solutions: targets are empty.

    Args:
        settings: A ``LiveCodeBenchSettings``, with at least the first two paths.

    Raises:
        ValueError: If a path is missing, a file can't be read, a line is no problem, or the two sets share a problem
            or differ in their skills; the message names file and line.
    """

    Settings = LiveCodeBenchSettings
    settings: LiveCodeBenchSettings
    student = "hugging-face"

    def __init__(self, settings: LiveCodeBenchSettings | None = None) -> None:
        super().__init__(settings)
        for name in ("validation", "test"):
            if not getattr(self.settings, name):
                raise ValueError(
                    f"{name} is empty; LiveCodeBench is read from files: give the subject settings validation and test"
                )
        border = self.settings.test_from
        self._validation = self._read(self.settings.validation, before=border)
        self._test = self._read(self.settings.test, since=border)
        shared = {example.key for example in self._validation} & {example.key for example in self._test}
        if shared:
            raise ValueError(
                f"{self.settings.validation} and {self.settings.test} share {len(shared)} problems; validation and "
                "test must be disjoint, so give files of different releases, or set test_from"
            )
        self._skills = _tree([*self._validation, *self._test])
        for kind, examples in (("validation", self._validation), ("test", self._test)):
            lacking = set(self.skill_names) - {example.skill for example in examples}
            if lacking:
                raise ValueError(
                    f"the {kind} set has no problem of {self.settings.skill} {', '.join(sorted(lacking))}; both sets "
                    "need problems of every skill, so choose another split or the other skill setting"
                )

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Difficulties from easy to hard, or platforms by name."""
        return self._skills

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Not possible."""
        raise NotImplementedError(
            "LiveCodeBench makes no examples; use the engine 'pool', with subject setting train, or a model"
        )

    def pool(self) -> Sequence[Example]:
        """The problems of ``train``."""
        return self._train

    def score(self, example: Example, given: str) -> float:
        """1 if the program passes all tests, else 0."""
        return float(self.scores([example], [given])[0])

    def scores(self, examples: Sequence[Example], given: Sequence[str]) -> NDArray[np.float64]:
        """``(m,)`` scores. The first test of each answer is run before the others, as most wrong ones fail it."""
        answers = [_bare(words) for words in given]
        passed = np.zeros(len(answers), dtype=np.float64)
        running = []
        for number, (example, answer) in enumerate(zip(examples, answers, strict=True)):
            if not example.facts.get("tests"):
                passed[number] = bool(answer) and answer == _bare(example.target)
            elif answer:
                running.append(number)
        for stage in (slice(0, 1), slice(1, None)):
            pairs = [(number, test) for number in running for test in examples[number].facts["tests"][stage]]
            programs = [_program(answers[number], test, examples[number]) for number, test in pairs]
            failed = {
                number
                for (number, test), outcome in zip(pairs, self._sandbox.run_many(programs), strict=True)
                if not _passes(test, outcome)
            }
            running = [number for number in running if number not in failed]
        passed[running] = 1.0
        return passed

    @cached_property
    def _sandbox(self) -> Sandbox:
        settings = self.settings
        wall, memory = 10.0 * settings.cpu_seconds, settings.memory_mb
        limits = Limits(settings.cpu_seconds, wall_seconds=wall, memory_mb=memory, output_kb=1 << 14)
        return Sandbox(limits, kind=settings.sandbox, workers=settings.workers)

    @cached_property
    def _train(self) -> list[Example]:
        return self._read(self.settings.train) if self.settings.train else []

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        return self._validation, self._test

    def _read(self, file: str, *, before: str = "", since: str = "") -> list[Example]:
        """Problems of a file, grouped by skill."""
        found: dict[str, Example] = {}
        for problem in _problems(FilePath(file), self.settings.most_tests):
            day = problem.day.isoformat()
            if (before and day >= before) or (since and day < since):
                continue
            own = (problem.difficulty, problem.platform)
            example = problem.example(own if self.settings.skill == "difficulty" else (own[1], own[0]))
            found.setdefault(example.key, example)
        if not found:
            raise ValueError(
                f"{file} holds no problem" + (f" on that side of {before or since}" * bool(before or since))
            )
        return sorted(found.values(), key=lambda example: _rank(example.path))


def _problems(path: FilePath, most_tests: int) -> Iterator[Problem]:
    for place, entry in read_lines(path):
        try:
            yield read_problem(entry, most_tests=most_tests)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error


def _rank(path: Path) -> tuple[tuple[int, str], ...]:
    """Sorts difficulties as such, and all else by name."""
    return tuple((_LEVELS.index(name) if name in _LEVELS else len(_LEVELS), name) for name in path)


def _tree(examples: Sequence[Example]) -> tuple[Skill, ...]:
    paths = sorted({example.path for example in examples}, key=_rank)
    names = dict.fromkeys(path[0] for path in paths)
    return tuple(Skill(name, tuple(Skill(path[1]) for path in paths if path[0] == name)) for name in names)


def _bare(words: str) -> str:
    blocks = code_blocks(words)
    return (blocks[-1] if blocks else words).strip()


def _program(answer: str, test: dict[str, str], example: Example) -> Program:
    if test["testtype"] == "stdin":
        return Program(answer, test["input"])
    arguments = [json.loads(line) for line in test["input"].split("\n") if line.strip()]
    return Calls(f"{_AT_HAND}\n{answer}", f"Solution().{example.facts['function']}", [arguments]).program()


def _passes(test: dict[str, str], outcome: Outcome) -> bool:
    if not outcome.finished:
        return False
    if test["testtype"] == "stdin":
        return _same_text(outcome.stdout, test["output"])
    made = results(outcome.stdout)
    try:
        return len(made) == 1 and bool(json.loads(made[0]) == json.loads(test["output"]))
    except (ValueError, RecursionError):
        return False


def _same_text(given: str, expected: str) -> bool:
    """Line by line and word by word, but for space around them and empty lines at the end."""
    one, other = ([line.split() for line in text.rstrip().split("\n")] for text in (given, expected))
    return len(one) == len(other) and all(
        len(words) == len(wanted) and all(map(_same_word, words, wanted))
        for words, wanted in zip(one, other, strict=True)
    )


def _same_word(given: str, wanted: str) -> bool:
    if given == wanted:
        return True
    numbers: list[Any] = []
    for word in (given, wanted):
        try:
            numbers.append(Decimal(word))
        except InvalidOperation:
            return False
    return all(number.is_finite() for number in numbers) and bool(numbers[0] == numbers[1])
