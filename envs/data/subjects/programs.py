"""Writing programs: short expressions for a student that starts from nothing, or functions for a language model."""

import ast
import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from teachgym.base.ranges import PositiveInt
from teachgym.base.setting_checks import check_choice
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Example, Path
from teachgym.data.skills import Skill, find_skill
from teachgym.data.subject import HeldOut, Subject
from teachgym.envs.data.subjects.program_language import PARTS, Exercise, inputs
from teachgym.envs.data.subjects.program_tests import Calls, code_blocks, results
from teachgym.sandbox import SANDBOX_KINDS, Limits, Sandbox
from teachgym.sandbox.kinds import AUTO

_SKILLS = tuple(Skill(name, tuple(map(Skill, parts))) for name, parts in PARTS.items())
_LONGEST = {"compact": 120, "python": 20_000}
"""Characters of an answer; longer ones are wrong and not run."""


@checked_dataclass
class CodeSettings(HeldOut):
    """Settings of ``Code``.

    Raises:
        ValueError: If a value is not allowed.
    """

    style: Literal["compact", "python"] = "compact"
    """``"compact"``: a phrase of up to 45 characters, answered by an expression in ``x`` of up to 27;
    ``"python"``: a request in words with an example, answered by the definition of a function ``solve``."""
    sandbox: str = AUTO
    """Kind of sandbox that answers run in; ``"bubblewrap"`` to have that or none."""
    cpu_seconds: PositiveInt = 1
    """Time that an answer may take for its five tests together."""

    def __post_init__(self) -> None:
        check_choice("sandbox", self.sandbox, (AUTO, *SANDBOX_KINDS))


@final
class Code(Subject):
    """Writes small programs on texts and lists, which are tested by running them.

    An answer is right if it gives what it should on every test of the example, in a sandbox (``teachgym.sandbox``),
    so that any program that does the same counts as well as the target. What is expected stays outside. Scores are 0
    or 1, and remembered: the same answer to the same example is run once. Skills are unequally hard, from one slice to
    three calls on top of each other. Targets and tests do not come from the same code: expectations are worked out by
    a reference for each operation.

    The tests are in ``facts["tests"]``, ``[[input, expected], ...]``. An example without them, as a language model may
    write, is scored by its target, and verified by having the form of an answer.

    Args:
        settings: A ``CodeSettings``; None takes the defaults.

    Raises:
        SandboxError: If an answer is to be run and the sandbox that is asked for does not work here.
    """

    Settings = CodeSettings
    settings: CodeSettings

    def __init__(self, settings: CodeSettings | None = None) -> None:
        super().__init__(settings)
        self._verdicts: dict[bytes, bool] = {}

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Kinds of programs."""
        return _SKILLS

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Draw programs, ask for them, and work out tests."""
        leaves = find_skill(self.skills, path).leaves()
        chosen = rng.integers(len(leaves), size=count).tolist()
        return [self._example((*path[:-1], *leaves[leaf]), rng) for leaf in chosen]

    def score(self, example: Example, given: str) -> float:
        """1 if the program passes all tests, else 0."""
        return float(self.scores([example], [given])[0])

    def scores(self, examples: Sequence[Example], given: Sequence[str]) -> NDArray[np.float64]:
        """``(m,)`` scores of many answers; those that are not known yet run together."""
        asked = [(example, self._bare(words)) for example, words in zip(examples, given, strict=True)]
        keys = [_digest(example, answer) for example, answer in asked]
        new = {
            key: (example, answer)
            for key, (example, answer) in zip(keys, asked, strict=True)
            if key not in self._verdicts
        }
        self._run({key: pair for key, pair in new.items() if self._settle(key, *pair)})
        return np.array([self._verdicts[key] for key in keys], dtype=np.float64)

    def parses(self, example: Example) -> bool:
        """Whether the target is an expression, or, in Python style, says ``solve``."""
        return self._has_form(self._bare(example.target))

    def verify(self, examples: Sequence[Example]) -> list[bool]:
        """Which targets are programs that pass their example's tests."""
        verified = super().verify(examples)
        return [right and self.parses(example) for right, example in zip(verified, examples, strict=True)]

    @cached_property
    def _sandbox(self) -> Sandbox:
        limits = Limits(cpu_seconds=self.settings.cpu_seconds, wall_seconds=20.0, memory_mb=256, output_kb=64)
        return Sandbox(limits, kind=self.settings.sandbox)

    def _example(self, path: Path, rng: np.random.Generator) -> Example:
        exercise = PARTS[path[0]][path[1]](rng)
        tests = [[value, exercise.run(value)] for value in inputs(exercise, rng)]
        if self.settings.style == "compact":
            example = Example(exercise.asked, exercise.code, path, facts={"tests": tests})
        else:
            example = Example(_request(exercise, tests[-1]), _definition(exercise.code), path, facts={"tests": tests})
        # The target is right by construction; the project's tests run it.
        self._verdicts[_digest(example, self._bare(example.target))] = True
        return example

    def _bare(self, words: str) -> str:
        """The program in an answer."""
        if self.settings.style == "python":
            blocks = code_blocks(words)
            words = next((block for block in blocks if "solve" in block), blocks[0] if blocks else words)
        return words.strip()

    def _has_form(self, answer: str) -> bool:
        if not answer or len(answer) > _LONGEST[self.settings.style] or "\0" in answer:
            return False
        if self.settings.style == "python":
            return "solve" in answer
        try:
            ast.parse(answer, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        return answer.isascii() and answer.isprintable()

    def _settle(self, key: bytes, example: Example, answer: str) -> bool:
        """Decide what needs no running; whether it needs to be run."""
        if not self._has_form(answer):
            self._verdicts[key] = False
        elif not example.facts.get("tests"):
            self._verdicts[key] = answer == self._bare(example.target)
        return key not in self._verdicts

    def _run(self, asked: dict[bytes, tuple[Example, str]]) -> None:
        programs = []
        for example, answer in asked.values():
            arguments = [[value] for value, _ in example.facts["tests"]]
            compact = self.settings.style == "compact"
            calls = Calls("", f"lambda x: ({answer})", arguments) if compact else Calls(answer, "solve", arguments)
            programs.append(calls.program())
        outcomes = self._sandbox.run_many(programs) if programs else []
        for (key, (example, _)), outcome in zip(asked.items(), outcomes, strict=True):
            expected = [json.dumps(value) for _, value in example.facts["tests"]]
            self._verdicts[key] = outcome.finished and results(outcome.stdout) == expected


def _digest(example: Example, answer: str) -> bytes:
    """What stands for an answer to an example."""
    told = [answer, None if example.facts.get("tests") else example.target, example.facts.get("tests")]
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).digest()


def _definition(code: str) -> str:
    return f"def solve(x):\n    return {code}"


def _request(exercise: Exercise, shown: list[object]) -> str:
    kind = {"text": "str", "list": "list[int]"}[exercise.takes]
    return (
        f"Write a Python function solve(x: {kind}). It gets a {exercise.takes} x and returns what comes of this: "
        f"{exercise.words}.\nExample: solve({shown[0]!r}) == {shown[1]!r}\n"
        "Answer with the definition of the function only."
    )
