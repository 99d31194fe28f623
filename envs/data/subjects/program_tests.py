"""Tests of programs: inputs go into the sandbox, what the program made of them comes out, and is compared outside."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from teachgym.sandbox import Program

_FENCED = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_HARNESS = """
import io, json, sys
job, out = json.load(sys.stdin), sys.stdout
sys.stdout, sys.stdin = io.StringIO(), io.StringIO()
scope = {"__name__": "answer"}
exec(compile(job["source"], "answer.py", "exec"), scope)
for arguments in job["arguments"]:
    try:
        line = "made " + json.dumps(eval(job["call"], scope)(*arguments))
    except Exception as error:
        line = "raised " + type(error).__name__
    out.write(line + "\\n")
    out.flush()
"""


@dataclass(frozen=True)
class Calls:
    """A function of a program, and what it is to be called with. Expected results are not part of it."""

    source: str
    """Python; it is executed first."""
    call: str
    """An expression for the function, evaluated afresh for every call."""
    arguments: Sequence[Sequence[Any]]
    """Plain JSON values, for each call."""

    def program(self) -> Program:
        """What to run in a sandbox. What the source prints is dropped; each result comes as a line of JSON."""
        job = {"source": self.source, "call": self.call, "arguments": [list(given) for given in self.arguments]}
        return Program(_HARNESS, json.dumps(job))


def results(stdout: str) -> list[str]:
    """What each call made, as JSON, or ``"raised ..."``; fewer than there were calls if the program ended before."""
    return [line.removeprefix("made ") for line in stdout.split("\n") if line]


def code_blocks(words: str) -> list[str]:
    """What stands between fences of three backticks; the last may lack its end."""
    return [str(found) for found in _FENCED.findall(words)]
