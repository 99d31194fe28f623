"""A program finds nothing of the programs that ran before it in the same sandbox, in any kind that works here."""

import functools
import hashlib

import pytest

from teachgym.sandbox import SANDBOX_KINDS, Limits, Outcome, Program, Sandbox
from teachgym.sandbox.kinds import why_no_sandbox
from tests.sandbox.neighbours import DUMP_CORE, ELSEWHERE, FAIL, LEAVE, MEMORY

_SEEKERS = MEMORY | ELSEWHERE


def _mark(name: str) -> str:
    return f"MARK-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


@functools.cache
def outcomes(kind: str) -> dict[str, Outcome]:
    """What came of programs that run one after the other in one sandbox; each has a mark of its own as input."""
    if why_no_sandbox(kind):
        pytest.skip(str(why_no_sandbox(kind)))
    sources = {"leave": LEAVE, "fail": FAIL, "dump core": DUMP_CORE} | _SEEKERS
    programs = [Program(f"{source}\n# {_mark(name)[::-1]}", _mark(name)) for name, source in sources.items()]
    limits = Limits(cpu_seconds=10, wall_seconds=20.0, memory_mb=512)
    return dict(zip(sources, Sandbox(limits, kind=kind).run_many(programs), strict=True))


@pytest.mark.parametrize("kind", list(SANDBOX_KINDS))
def test_marks_are_left(kind: str) -> None:
    found = outcomes(kind)
    assert found["leave"].stdout.split() == found["leave"].stderr.split() == [_mark("leave")]
    assert found["fail"].stderr.endswith(f"ValueError: {_mark('fail')}\n")
    assert found["dump core"].stdout == f"{_mark('dump core')}\n"
    assert found["dump core"].exit_code < 0


@pytest.mark.parametrize("kind", list(SANDBOX_KINDS))
@pytest.mark.parametrize("name", list(_SEEKERS))
def test_marks_of_others_are_not_found(kind: str, name: str) -> None:
    outcome = outcomes(kind)[name]
    assert outcome.finished, outcome.stderr
    assert set(outcome.stdout.split()) <= {_mark(name)}
    assert name not in MEMORY or outcome.stdout  # it does see what is there
