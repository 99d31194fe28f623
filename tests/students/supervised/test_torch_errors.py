"""An error that torch raises from C++ is an error in Python, wherever the student's loop was started from."""

import ctypes
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from teachgym.students.lifetimes import stack_end
from teachgym.students.lifetimes.coroutine import Coroutine
from tests.students.supervised.torch_errors import KINDS, PLACES


def test_every_kind_of_error_surfaces_or_is_caught_from_everywhere() -> None:
    command = [sys.executable, "-m", "tests.students.supervised.torch_errors"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = {
        f"{kind} | {catches} | {place} | {'went on' if catches else 'raised'}"
        for kind in KINDS
        for catches in (True, False)
        for place in ("script", *PLACES)
    } | {"all | True | SB3 | went on", "shapes | False | SB3 | raised"}
    assert done.returncode == 0, f"{done.returncode}: {done.stdout[-300:]}{done.stderr[-2000:]}"
    assert set(done.stdout.splitlines()) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="unwinders elsewhere keep to the bounds of the stack")
def test_a_native_backtrace_ends_at_the_students_first_frame() -> None:
    backtrace = ctypes.CDLL(None).backtrace
    found: list[tuple[int, int]] = []

    def learn(ask: Callable[[Any], Any]) -> None:
        addresses = (ctypes.c_void_p * 200)()
        for _ in range(2):
            ask(None)
            found.append((count := backtrace(addresses, 200), addresses[count - 1] or 0))

    coroutine: Coroutine[None, None] = Coroutine(learn, seed=0)
    coroutine.resume(None)
    coroutine.resume(None)
    sorted([0], key=lambda _: coroutine.resume(None))  # type: ignore[arg-type,return-value]
    (first, end), (second, same_end) = found
    assert first == second < 100
    assert end == same_end
    assert stack_end.CODE is not None
    assert 0 < end - stack_end.CODE.ctypes.data < len(stack_end.CODE)


def test_an_error_and_its_traceback_are_not_kept_alive() -> None:
    class GoneError(Exception):
        def __del__(self) -> None:
            deleted.append(True)

    def fail() -> None:
        raise GoneError

    deleted: list[bool] = []
    with pytest.raises(GoneError) as caught:
        stack_end.call_at_stack_end(fail)
    del caught
    assert deleted
