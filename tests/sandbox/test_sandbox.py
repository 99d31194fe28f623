"""Ordinary programs run as they do outside, and the same way every time."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from teachgym.sandbox import (
    SANDBOX_KINDS,
    Limits,
    Program,
    Sandbox,
    SandboxError,
    choose_kind,
    kinds,
    protection,
    sandbox_in_use,
)
from teachgym.sandbox.kinds import why_no_sandbox
from teachgym.sandbox.syscall_filter import ARCHITECTURES, syscall_filter, syscall_numbers

_HEADERS = {
    "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}


@pytest.fixture(params=list(SANDBOX_KINDS))
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox of each kind that works here."""
    reason = why_no_sandbox(request.param)
    if reason:
        pytest.skip(reason)
    return Sandbox(kind=request.param)


@pytest.mark.parametrize(
    ("source", "stdout", "exit_code"),
    [
        ("print('one'); print('two')", "one\ntwo\n", 0),
        ("import sys; sys.exit(3)", "", 3),
        ("exit()", "", 0),
        ("print(__name__); quit(256 + 2)", "__main__\n", 2),
        ("import os; print('lost'); os._exit(9)", "", 9),
        ("import os, signal; signal.raise_signal", "", 0),
        ("import threading\nthreading.Thread(target=lambda: print('from a thread')).start()", "from a thread\n", 0),
        ("import sys; print(sys.stdin.buffer.read(3), input())", "", 1),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xfea')", "\ufffd\ufffda", 0),
        ("from dataclasses import dataclass\n@dataclass\nclass A:\n    x: 'int' = 3\nprint(A())", "A(x=3)\n", 0),
        ("import sys; print(sys.argv, sys.flags.no_site)", "['program.py'] 1\n", 0),
        ("import decimal, fractions, heapq, datetime, statistics, sqlite3.dump; print(1)", "1\n", 0),
        ("import atexit; atexit.register(print, 'bye'); print('at work')", "at work\nbye\n", 0),
        ("\ufeffprint('after a byte order mark')", "after a byte order mark\n", 0),
        ("import numpy", "", 1),
    ],
)
def test_programs_run_as_scripts_do(sandbox: Sandbox, source: str, stdout: str, exit_code: int) -> None:
    outcome = sandbox.run(source)
    assert (outcome.stdout, outcome.exit_code, outcome.finished) == (stdout, exit_code, exit_code == 0)


def test_tracebacks_name_the_program(sandbox: Sandbox) -> None:
    outcome = sandbox.run("x = 1\n[][x]")
    assert (outcome.reason, outcome.exit_code) == ("crashed", 1)
    assert '"program.py", line 2' in outcome.stderr
    assert outcome.stderr.endswith("IndexError: list index out of range\n")


def test_exit_with_words(sandbox: Sandbox) -> None:
    outcome = sandbox.run("raise SystemExit('not today')")
    assert (outcome.stderr, outcome.exit_code) == ("not today\n", 1)


def test_signals_show_as_negative_codes(sandbox: Sandbox) -> None:
    outcome = sandbox.run("import ctypes; ctypes.string_at(0)")
    assert (outcome.reason, outcome.exit_code) == ("crashed", -11)


def test_large_input_and_output_pass_whole() -> None:
    text = "äöü\n" * 300_000
    source = "import sys; sys.stdout.write(sys.stdin.read())"
    assert Sandbox(Limits(output_kb=4096)).run(source, stdin=text).stdout == text


def test_outputs_up_to_the_limit_and_no_further(sandbox: Sandbox) -> None:
    most = sandbox.limits.output_kb * 1024
    exact, over = sandbox.run_many([Program(f"print('x' * {length}, end='')") for length in (most, most + 1)])
    assert (exact.stdout, exact.reason) == ("x" * most, "finished")
    assert (over.stdout, over.reason) == ("x" * most, "output")


def test_same_programs_same_outcomes(sandbox: Sandbox) -> None:
    source = "import random; print(random.random(), {str(i) for i in range(50)}, hash('x'), hash(b'y'))"
    first, second = sandbox.run_many([Program(source)] * 2)
    assert first == second == sandbox.run(source)


def test_programs_do_not_see_what_others_changed(sandbox: Sandbox) -> None:
    spoil = "import math, builtins, sys; math.pi = 3; builtins.sum = None; sys.setrecursionlimit(50)"
    outcomes = sandbox.run_many(
        [Program(spoil), Program("import math, sys; print(math.pi, sum([1]), len(sys.path) > 0)")]
    )
    assert outcomes[1].stdout == "3.141592653589793 1 True\n"


def test_workers_keep_the_order() -> None:
    programs = [Program(f"print({number})") for number in range(25)]
    one, three = Sandbox().run_many(programs), Sandbox(workers=3).run_many(programs)
    assert one == three
    assert [outcome.stdout for outcome in one] == [f"{number}\n" for number in range(25)]
    assert Sandbox(workers=3).run_many([]) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cpu_seconds": 0}, "cpu_seconds is 0; expected a whole number, at least 1"),
        ({"wall_seconds": -1}, "wall_seconds is -1"),
        ({"wall_seconds": 1e300}, "wall_seconds is 1e+300; expected a number in (0, 86,400]"),
        ({"memory_mb": 64}, "at least 128"),
        ({"memory_mb": 2**62}, "at most 16,777,216"),
        ({"output_kb": 1.5}, "output_kb is 1.5"),
    ],
)
def test_limits_that_are_not_allowed(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Limits(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: Sandbox(5), "expected a Limits"),  # type: ignore[arg-type]
        (lambda: Sandbox().run(5), "source of a program is 5; expected text"),  # type: ignore[arg-type]
        (lambda: Sandbox().run("", stdin=b""), "stdin of a program is b''; expected text"),  # type: ignore[arg-type]
        (lambda: Sandbox().run_many(["print(1)"]), "expected Program"),  # type: ignore[list-item]
    ],
)
def test_what_is_no_program_is_refused(use: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        use()


def test_unknown_kind_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'bubblewrap'"):
        Sandbox(kind="bublewrap")


@pytest.fixture
def no_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where it is not installed."""
    tried = kinds._tried.__wrapped__
    monkeypatch.setattr(kinds, "_tried", tried)
    monkeypatch.setattr(kinds, "bubblewrap", lambda: None)


@pytest.mark.usefixtures("no_bubblewrap")
def test_without_bubblewrap_the_weaker_kind_says_what_it_is() -> None:
    assert choose_kind("auto") == "process"
    with pytest.raises(SandboxError, match=r"bwrap is not installed.*apt-get install bubblewrap"):
        Sandbox(kind="bubblewrap")
    assert sandbox_in_use().startswith("process, because bwrap is not installed. Beside its limits: ")


@pytest.mark.usefixtures("no_bubblewrap")
def test_what_is_not_held_back_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.sandbox.connection.syscall_filter", lambda: None)
    monkeypatch.setattr("teachgym.sandbox.connection.readable_paths", lambda: None)
    found = protection("process")
    assert not found.filters_calls
    assert not found.hides_files
    assert "NOT held back: the network, processes, writing files, READING EVERY FILE" in sandbox_in_use()
    assert "nothing; NOT" in sandbox_in_use()
    limits = Limits(cpu_seconds=1, wall_seconds=5.0, memory_mb=256)
    weak = Sandbox(limits, kind="process")
    loop, sleep, grow, good = weak.run_many(
        [Program(s) for s in ("while 1: pass", "import time; time.sleep(99)", "bytearray(1 << 30)", "print(1)")]
    )
    assert (loop.reason, sleep.reason, good.stdout) == ("cpu-time", "wall-time", "1\n")
    assert grow.reason == "memory" or sys.platform != "linux"


@pytest.mark.usefixtures("no_bubblewrap")
def test_root_has_no_privileges_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root of Linux has privileges to lose")
    monkeypatch.setattr("teachgym.sandbox.connection.syscall_filter", lambda: None)
    monkeypatch.setattr("teachgym.sandbox.connection.readable_paths", lambda: None)
    source = """
for line in open("/proc/self/status"):
    if line.startswith(("CapPrm", "CapEff", "CapInh", "CapAmb", "NoNewPrivs")):
        print(*line.split())
try:
    open(f"/proc/{input()}/environ").read()
except OSError as error:
    print(type(error).__name__)
"""
    lines = Sandbox(kind="process").run(source, stdin=str(os.getpid())).stdout.splitlines()
    assert lines == [f"{name}: {0:016x}" for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] + [
        "NoNewPrivs: 1",
        "PermissionError",
    ]


def test_a_bubblewrap_that_does_not_work_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(kinds, "_tried", kinds._tried.__wrapped__)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert why_no_sandbox("bubblewrap") == "the sandbox does not start: bwrap: No permissions to create new namespace"
    assert choose_kind("auto") == "process"


@pytest.mark.parametrize("machine", list(ARCHITECTURES))
def test_numbers_of_system_calls_are_the_kernels(machine: str) -> None:
    header = Path(_HEADERS[machine])
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    text = header.read_text()
    known = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)\b", text)}
    # In the generic table, some calls have a number of 32 and 64 bits under an older name.
    known |= {"newfstatat": known["fstatat"]} if "fstatat" in known else {}
    for name, number in syscall_numbers(machine).items():
        assert known[name] == number, name


def test_the_filter_allows_no_dangerous_call() -> None:
    allowed = set(syscall_numbers("x86_64")) | set(syscall_numbers("aarch64"))
    dangerous = "fork vfork execve execveat kill tkill tgkill ptrace socket socketpair connect bind mount unshare setns"
    dangerous += " unlink unlinkat rename mkdir truncate ftruncate chmod chown bpf io_uring_setup memfd_create openat2"
    dangerous += (
        " process_vm_readv process_vm_writev pidfd_open pidfd_getfd setrlimit prctl seccomp keyctl setuid creat"
    )
    assert not allowed & set(dangerous.split())


def test_machines_without_a_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert syscall_filter() is None
    with pytest.raises(KeyError):
        syscall_numbers("riscv64")
