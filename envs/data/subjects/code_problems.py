"""Problems of LiveCodeBench, read from the published lines."""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from keyword import iskeyword
from typing import Any

from teachgym.base.control_characters import without_control_characters
from teachgym.data.example import Example
from teachgym.envs.data.subjects.pickled_text import pickled_text

_LARGEST = 1 << 30
"""Bytes of tests that one problem may unpack to."""
_STDIN, _FUNCTIONAL = "stdin", "functional"


@dataclass(frozen=True)
class Problem:
    """One problem."""

    name: str
    """Its ``question_id``."""
    platform: str
    difficulty: str
    day: date
    prompt: str
    tests: list[dict[str, str]]
    """``{"input", "output", "testtype"}``, public ones first."""
    function: str
    """The method of ``Solution`` to call; empty where programs read standard input."""

    def example(self, path: tuple[str, str]) -> Example:
        """The problem as an example; no solution is published, so that the target is empty."""
        return Example(self.prompt, "", path, facts={"tests": self.tests, "function": self.function})


def read_problem(entry: Mapping[str, Any], *, most_tests: int) -> Problem:
    """Read one line's object.

    Args:
        entry: The object.
        most_tests: How many tests to keep, the public ones first; 0 keeps all.

    Raises:
        ValueError: If a field is missing or no such thing; says which.
    """
    texts = {
        name: _text(entry, name)
        for name in ("question_content", "question_id", "platform", "difficulty", "contest_date")
    }
    try:
        day = date.fromisoformat(texts["contest_date"][:10])
    except ValueError as error:
        raise ValueError(f"contest_date is {texts['contest_date']!r}; expected a date such as 2023-08-21") from error
    tests = _tests("public_test_cases", entry.get("public_test_cases"))
    hidden = entry.get("private_test_cases") or "[]"
    if not most_tests or len(tests) < most_tests:
        tests += _tests("private_test_cases", _unpacked(hidden))
    tests = tests[:most_tests] if most_tests else tests
    kinds = {test["testtype"] for test in tests}
    if len(kinds) != 1:
        raise ValueError(f"the tests are of the kinds {sorted(kinds)}; expected some, all of one kind")
    function = _function(entry.get("metadata")) if kinds == {_FUNCTIONAL} else ""
    starter, title = entry.get("starter_code") or "", entry.get("question_title") or ""
    prompt = without_control_characters(_prompt(str(title), texts["question_content"], str(starter), function))
    return Problem(texts["question_id"], texts["platform"], texts["difficulty"], day, prompt, tests, function)


def _text(entry: Mapping[str, Any], name: str) -> str:
    found = entry.get(name)
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"{name} is {found!r}; expected some text")
    return found


def _unpacked(found: Any) -> Any:
    """Private tests as JSON text: as they are, or from base64 of zlib of a pickled string."""
    if not isinstance(found, str) or found.lstrip().startswith("["):
        return found
    try:
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(base64.b64decode(found, validate=True), _LARGEST)
        if not unpacking.eof:
            raise ValueError(f"it is cut off, or unpacks to more than {_LARGEST} bytes")
        return pickled_text(content)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ValueError(f"private_test_cases is neither JSON nor a packed string ({error})") from error


def _tests(name: str, text: Any) -> list[dict[str, str]]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is no JSON ({error})") from error
    if not isinstance(found, list):
        raise ValueError(f"{name} is {found!r}; expected a list of tests")
    for test in found:
        fields = [test.get(field) for field in ("input", "output")] if isinstance(test, dict) else [None]
        if not all(isinstance(field, str) for field in fields) or test.get("testtype") not in (_STDIN, _FUNCTIONAL):
            raise ValueError(f"{name} has {test!r}; expected input, output and testtype, {_STDIN!r} or {_FUNCTIONAL!r}")
        if test["testtype"] == _FUNCTIONAL:
            for field in fields:
                _check_json_lines(name, str(field))
    return [{field: test[field] for field in ("input", "output", "testtype")} for test in found]


def _check_json_lines(name: str, text: str) -> None:
    for line in text.split("\n"):
        try:
            json.loads(line or "null")
        except json.JSONDecodeError as error:
            raise ValueError(f"{name}: {line!r} of a functional test is no JSON ({error})") from error


def _function(metadata: Any) -> str:
    try:
        found = json.loads(metadata) if isinstance(metadata, str) else metadata
    except json.JSONDecodeError as error:
        raise ValueError(f"metadata is no JSON ({error})") from error
    name = found.get("func_name") if isinstance(found, dict) else None
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise ValueError(f"metadata is {metadata!r}; expected the name of the method to test as func_name")
    return name


def _prompt(title: str, content: str, starter: str, function: str) -> str:
    asked = f"{title}\n\n{content.strip()}" if title else content.strip()
    if function:
        how = f"Complete this Python 3 code; the method {function} will be called.\n```python\n{starter.rstrip()}\n```"
    else:
        how = "Write a Python 3 program that reads from standard input and prints the result."
        how += f" Begin with this code.\n```python\n{starter.rstrip()}\n```" if starter.strip() else ""
    return f"{asked}\n\n{how}\nAnswer with the whole code, between ```python and ```."
