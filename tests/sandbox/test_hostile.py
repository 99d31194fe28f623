"""Programs that mean harm do none, in every kind of sandbox that works here."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from teachgym.sandbox import SANDBOX_KINDS, Limits, Outcome, Program, Sandbox, protection
from teachgym.sandbox.kinds import why_no_sandbox
from tests.sandbox import hostile
from tests.waiting import wait_for

_LIMITS = Limits(cpu_seconds=1, wall_seconds=40.0, memory_mb=256, output_kb=16)
_MARK = "TEACHGYM_TEST_SECRET"


@pytest.fixture(params=list(SANDBOX_KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """A kind that works here."""
    reason = why_no_sandbox(request.param)
    if reason:
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture
def filtered(kind: str) -> str:
    """A kind that filters system calls here."""
    if not protection(kind).filters_calls:
        pytest.skip("there is no filter of system calls here")
    return kind


@pytest.fixture
def hidden(kind: str) -> str:
    """A kind that hides files here."""
    if not protection(kind).hides_files:
        pytest.skip("files are not hidden here")
    return kind


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """After every test, no process that it began is left, and no folder of the sandbox's."""
    before = _children()
    yield
    deadline = time.monotonic() + 60
    while (left := _children() - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left


def _children() -> set[str]:
    """Processes, anywhere, that run the warden's text, but for those of other test processes beside this one."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline") if sys.platform == "linux" else ():
        try:
            if b"Runs inside the sandbox: gives each program" in entry.read_bytes():
                above = _ancestors(entry.parent.name)
                if str(os.getpid()) in above or str(os.getppid()) not in above:
                    found.add(entry.parent.name)
        except OSError:
            continue
    return found


def _ancestors(pid: str) -> list[str]:
    """Parent, grandparent and so on; a process whose parent has died is a child of process 1."""
    above = []
    while pid not in ("0", "1"):
        pid = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[1]
        above.append(pid)
    return above


def run(kind: str, source: str, *, stdin: str = "", limits: Limits = _LIMITS) -> Outcome:
    """Run a hostile program between two good ones, which must not notice."""
    good = "print(sum(map(int, input().split())))"
    outcomes = Sandbox(limits, kind=kind).run_many(
        [Program(good, "2 3"), Program(source, stdin), Program(good, "20 30")]
    )
    assert [(outcomes[i].stdout, outcomes[i].reason) for i in (0, 2)] == [("5\n", "finished"), ("50\n", "finished")]
    return outcomes[1]


def test_fork_bomb(filtered: str) -> None:
    outcome = run(filtered, hostile.FORK_BOMB)
    assert outcome.stdout == "start\nrefused\n"
    assert outcome.exit_code == 3


@pytest.mark.parametrize("source", [hostile.EXEC, hostile.DAEMON])
def test_no_other_processes(filtered: str, source: str) -> None:
    outcome = run(filtered, source)
    assert outcome.stdout == ""
    assert "PermissionError" in outcome.stderr or "BlockingIOError" in outcome.stderr


def test_memory(kind: str) -> None:
    if sys.platform != "linux":
        pytest.skip("memory is limited on Linux only")
    outcome = run(kind, hostile.MEMORY_BOMB)
    assert (outcome.reason, outcome.exit_code) == ("memory", 1)


def test_deep_recursion(kind: str) -> None:
    assert run(kind, hostile.DEEP_RECURSION).reason in ("memory", "crashed", "cpu-time")


def test_threads_end_at_the_memory_limit(filtered: str) -> None:
    assert not run(filtered, hostile.THREAD_BOMB, limits=Limits(wall_seconds=3.0, memory_mb=256)).finished


@pytest.mark.parametrize(("source", "stream"), [(hostile.ENDLESS_OUTPUT, "stdout"), (hostile.ENDLESS_ERRORS, "stderr")])
def test_output_ends_at_the_limit(kind: str, source: str, stream: str) -> None:
    outcome = run(kind, source)
    assert outcome.reason == "output"
    assert len(getattr(outcome, stream)) == 16 * 1024


@pytest.mark.parametrize("source", [hostile.BUSY, hostile.BUSY_AND_DEAF])
def test_busy_loops_end_by_cpu_time(kind: str, source: str) -> None:
    outcome = run(kind, source)
    assert outcome.reason == "cpu-time"
    assert outcome.exit_code < 0


@pytest.mark.parametrize("source", [hostile.SLEEP, hostile.SLEEP_WITHOUT_STREAMS])
def test_waiting_ends_by_the_clock(kind: str, source: str) -> None:
    started = time.monotonic()
    outcome = run(kind, source, limits=Limits(wall_seconds=1.0))
    assert outcome.reason == "wall-time"
    assert time.monotonic() - started >= 1.0
    assert outcome.stdout in ("before\n", "")


def test_no_signals_to_others(filtered: str) -> None:
    assert set(run(filtered, hostile.KILL_PARENT).stdout.split()) == {"PermissionError"}
    assert set(run(filtered, hostile.SIGNAL_BY_FCNTL).stdout.split()) == {"PermissionError"}


def test_ctypes_is_no_way_out(filtered: str) -> None:
    lines = run(filtered, hostile.KILL_BY_CTYPES).stdout.splitlines()
    assert lines == ["-1 1"] * 6  # every call fails with EPERM


def test_limits_can_not_be_raised(kind: str) -> None:
    assert "raised" not in run(kind, hostile.UNLIMIT).stdout


def test_environment_is_empty(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_MARK, "hunter2")
    program = "import os; print(sorted(os.environ))"
    assert _MARK not in run(kind, program).stdout


def test_environment_of_other_processes(hidden: str) -> None:
    # It is the environment that this process was started with that /proc shows.
    command = "import sys; from tests.sandbox.test_hostile import run; print(run(sys.argv[1], sys.stdin.read()))"
    done = subprocess.run(
        [sys.executable, "-c", command, hidden],
        input=hostile.ENVIRONMENT % os.getpid(),
        env={**os.environ, _MARK: "hunter2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "LC_ALL" in done.stdout
    assert "hunter2" not in done.stdout
    assert "pytest" not in done.stdout


def test_files_are_hidden(hidden: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    here = Path(__file__).resolve()
    paths = [tmp_path, tmp_path / "secret", here, here.parent, here.parents[2] / "pyproject.toml", "/etc/passwd"]
    assert set(run(hidden, hostile.READ, stdin="\n".join(map(str, paths))).stdout.split()) == {"closed"}


def test_nothing_is_written(filtered: str, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    mode = (tmp_path / "kept").stat().st_mode
    outcome = run(filtered, hostile.WRITE, stdin="\n".join([str(tmp_path), "/tmp", ".", str(Path.home())]))
    assert set(outcome.stdout.split()) == {"refused"}
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "kept"
    assert (tmp_path / "kept").stat().st_mode == mode


def test_the_disk_is_not_filled(kind: str) -> None:
    outcome = run(kind, hostile.FILL_THE_DISK)
    assert outcome.stdout == "0\n"
    Path("/tmp/teachgym-hostile-filler").unlink(missing_ok=True)


def test_no_network(filtered: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        outcome = run(filtered, hostile.NETWORK, stdin=str(server.getsockname()[1]))
        with pytest.raises(TimeoutError):
            server.accept()
    assert outcome.stdout == "refused\n" * 2


def test_outcomes_can_not_be_forged(kind: str) -> None:
    outcome = run(kind, hostile.FORGE_FRAMES)
    assert outcome.stderr == ""
    assert outcome.stdout.count("forged") == 3
    assert outcome.reason == "finished"


def test_a_program_sees_nothing_of_others(kind: str) -> None:
    programs = [Program(f"print(input()) # {_MARK}", _MARK), Program(hostile.LOOK_FOR_OTHERS)] * 2
    outcomes = Sandbox(kind=kind).run_many(programs)
    assert [outcome.stdout for outcome in outcomes] == [f"{_MARK}\n", "False\n"] * 2


@pytest.mark.parametrize("source", [hostile.DEEP_SOURCE, hostile.CRASH, "1 +", "\0", "\ud800", "raise SystemExit(7)"])
def test_broken_programs_crash_alone(kind: str, source: str) -> None:
    outcome = run(kind, source)
    assert outcome.reason in ("crashed", "memory", "output")
    assert outcome.exit_code != 0


@pytest.mark.parametrize("source", [hostile.CLOSED_STDOUT, hostile.SPOILS_BUILTINS])
def test_spoilt_interpreters_spoil_nothing_else(kind: str, source: str) -> None:
    assert run(kind, source).stdout == ""


def test_many_hostile_programs_in_one_batch(filtered: str) -> None:
    sources = [hostile.FORK_BOMB, hostile.FORGE_FRAMES, hostile.KILL_PARENT, hostile.CRASH, hostile.SPOILS_BUILTINS]
    programs = [Program(f"print({number})") if number % 2 else Program(sources[number % 5]) for number in range(40)]
    outcomes = Sandbox(_LIMITS, kind=filtered).run_many(programs)
    assert [outcomes[number].stdout for number in range(1, 40, 2)] == [f"{number}\n" for number in range(1, 40, 2)]


def test_a_sandbox_that_dies_is_replaced(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from teachgym.sandbox.connection import Connection

    true_run: Callable[[Connection, Program], Outcome | None] = Connection.run

    def run_and_shoot(self: Connection, program: Program) -> Outcome | None:
        if "shoot" in program.source:
            self._process.kill()
        return true_run(self, program)

    monkeypatch.setattr(Connection, "run", run_and_shoot)
    outcomes = Sandbox(_LIMITS, kind=kind).run_many([Program(s) for s in ("print(1)", "'shoot'; print(2)", "print(3)")])
    assert [outcome.stdout for outcome in outcomes] == ["1\n", "", "3\n"]
    assert (outcomes[1].reason, outcomes[1].exit_code) == ("crashed", -9)


def test_nothing_outlives_a_process_that_is_killed(kind: str) -> None:
    if sys.platform != "linux":
        pytest.skip("the kernel ends children with their parent on Linux only")
    command = "import sys; from teachgym.sandbox import Sandbox; sandbox = Sandbox(kind=sys.argv[1]); "
    command += "print(1, flush=True); sandbox.run('import time; time.sleep(300)')"
    before = _children()
    expected = 3 + (kind == "bubblewrap")  # the warden, a supervisor and the program, and bwrap itself
    with subprocess.Popen([sys.executable, "-c", command, kind], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        wait_for(lambda: len(_children() - before) >= expected, while_running=lambda: process.poll() is None)
        process.kill()
