"""Runs inside the sandbox: gives each program a process that has never held anything of another program.

It is started as text (``python -c``), after that of ``restrictions``, and imports nothing else of this package. Three
processes take part, because forking is much faster than starting an interpreter for each program, and a forked process
can read whatever its parent has held:

- The *warden* reads the settings and then, for each program, a single byte that announces it. It never reads a program,
  an input or an outcome.
- For each program the warden forks a *supervisor*, which forks the program's process before it reads anything. It then
  collects what the program writes, ends it at its limits, tells what came of it, and exits.
- The *program's process* reads its own source and input, restricts itself, and becomes the program.

A program can't touch what is told of others: it arrives when the one before it is gone, its process has three pipes of
its own and no other descriptor, and the warden and the supervisor are closed to it (not "dumpable", and the warden,
where it is process 1 of its namespace, not to be killed from within).

Frames are four bytes of length and so many bytes. In: the settings as JSON, then for each program a byte and two
frames, its source and its input. Out: as JSON what holds, then the outcomes.
"""

import atexit
import base64
import builtins
import contextlib
import gc
import importlib
import json
import os
import random
import resource
import select
import signal
import sys
import threading
import time
import traceback
import types
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from teachgym.sandbox.restrictions import apply_filter, drop_privileges, end_with, filter_holds, hide_files

_LOADED = "bisect collections functools heapq itertools math re string"
"""Modules that programs often use: they find them loaded."""

_DESCRIPTORS = 64


def _main() -> None:
    """Serve until the other side closes."""
    jobs, results = os.dup(0), os.dup(1)
    settings = json.loads(b"".join(_frame(jobs)))
    if settings["filter"] is not None:
        settings["filter"] = base64.b64decode(settings["filter"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
    drop_privileges()
    held = {"files": hide_files(settings["readable"]), "syscalls": filter_holds(settings["filter"])}
    end_with(os.getppid())
    for name in _LOADED.split():
        importlib.import_module(name)
    gc.freeze()
    _send(results, held)
    while os.read(jobs, 1) and _serve(jobs, results, settings):
        pass


def _serve(jobs: int, results: int, settings: dict[str, Any]) -> bool:
    """Have the next program run; False if what was sent of it may still be in the way of the one after it."""
    warden = os.getpid()
    supervisor = os.fork()
    if supervisor == 0:
        code = 1
        try:
            end_with(warden)
            _supervise(jobs, results, settings)
            code = 0
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(code)
    status = os.waitpid(supervisor, 0)[1]
    if os.getpid() == 1:
        _clear_namespace()
    return status == 0


def _clear_namespace() -> None:
    """End whatever has escaped from its supervisor. Only process 1 of a namespace may do this."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _supervise(jobs: int, results: int, settings: dict[str, Any]) -> None:
    """Run one program, see that it ends, and tell what came of it.

    Raises:
        RuntimeError: If the program's process did not get as far as the program.
    """
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    (out, out_end), (err, err_end), (begun, begin) = os.pipe(), os.pipe(), os.pipe()
    supervisor = os.getpid()
    child = os.fork()
    if child == 0:
        end_with(supervisor)
        _become(jobs, (out_end, err_end, begin), settings)
    for descriptor in (jobs, out_end, err_end, begin):
        os.close(descriptor)
    if not os.read(begun, 1):
        raise RuntimeError("a program's process ended before it could begin")
    started = time.monotonic()
    written: dict[int, bytearray] = {out: bytearray(), err: bytearray()}
    open_pipes, most = [out, err], settings["output_kb"] * 1024
    ended: tuple[int, Any] | None = None
    reason = ""
    while not reason and ended is None:
        left = started + settings["wall_seconds"] - time.monotonic()
        ready = select.select([*open_pipes, woken], [], [], max(left, 0.0))[0]
        if woken in ready:
            _empty(woken)
        pid, status, used = os.wait4(child, os.WNOHANG)
        if pid:
            ended = status, used
        elif not ready and left <= 0:
            reason = "wall-time"
        if _read(ready, open_pipes, written, most):
            reason = "output"
    if ended is None:
        os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # its group is gone
        os.killpg(child, signal.SIGKILL)
    status, used = ended if ended is not None else os.wait4(child, 0)[1:]
    while open_pipes and reason != "output":
        ready = select.select(open_pipes, [], [], 0)[0]
        if not ready:  # something that escaped holds the other end
            break
        if _read(ready, open_pipes, written, most):
            reason = "output"
    code = os.waitstatus_to_exitcode(status)
    stderr = written[err].decode("utf-8", "replace")
    outcome = {
        "stdout": written[out].decode("utf-8", "replace"),
        "stderr": stderr,
        "exit_code": code,
        "reason": reason or _reason(code, used.ru_utime + used.ru_stime, stderr, settings),
    }
    _send(results, outcome)


def _reason(code: int, cpu: float, stderr: str, settings: dict[str, Any]) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL) and cpu >= settings["cpu_seconds"] - 0.1:
        return "cpu-time"
    lines = stderr.rstrip().splitlines()
    if code and lines and lines[-1].startswith("MemoryError"):
        return "memory"
    return "crashed" if code else "finished"


def _read(ready: list[int], open_pipes: list[int], written: dict[int, bytearray], most: int) -> bool:
    """Take what is there; whether it is more than is allowed."""
    for pipe in [pipe for pipe in open_pipes if pipe in ready]:
        found = os.read(pipe, 65536)
        if not found:
            open_pipes.remove(pipe)
        written[pipe] += found
        if len(written[pipe]) > most:
            del written[pipe][most:]
            return True
    return False


def _become(jobs: int, ends: tuple[int, int, int], settings: dict[str, Any]) -> NoReturn:
    """Take a program, and turn this process into it. The last of ``ends`` is told when nothing is left to do."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        source = b"".join(_frame(jobs)).decode("utf-8", "surrogatepass")
        stdin = _file_with(_frame(jobs))
        for target, descriptor in enumerate((stdin, *ends)):
            os.dup2(descriptor, target)
        os.closerange(4, _DESCRIPTORS)
        memory = settings["memory_mb"] << 20
        seconds = settings["cpu_seconds"]
        for limit, most in (
            (resource.RLIMIT_CPU, seconds),
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(limit)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            try:
                resource.setrlimit(limit, (most, most))
            except (ValueError, OSError):
                if sys.platform == "linux":  # other systems know no limit on memory
                    raise
        if sys.platform == "linux":
            _, hard = resource.getrlimit(resource.RLIMIT_STACK)
            most = memory // 2 if hard == resource.RLIM_INFINITY else min(memory // 2, hard)
            resource.setrlimit(resource.RLIMIT_STACK, (most, hard))
        if settings["filter"] is not None and not apply_filter(settings["filter"]):
            os._exit(1)
        os.write(3, b".")
        os.close(3)
    except BaseException:  # noqa: BLE001
        os._exit(1)
    code = 1
    try:
        code = _execute(source)
    finally:
        os._exit(code)


def _execute(source: str) -> int:
    """Run a program as Python runs a script; its exit code."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"], sys.argv = module, ["program.py"]
    vars(builtins).update(exit=sys.exit, quit=sys.exit)
    random.seed(0)
    code = 0
    try:
        exec(compile(source.removeprefix("\ufeff"), "program.py", "exec"), vars(module))
    except SystemExit as asked:
        if isinstance(asked.code, int):
            code = asked.code & 255
        elif asked.code is not None:
            print(asked.code, file=sys.stderr)  # noqa: T201
            code = 1
    except BaseException:  # noqa: BLE001
        code = 1
        traceback.print_exc()
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or 120
    return code


def _empty(pipe: int) -> None:
    try:
        while os.read(pipe, 4096):
            pass
    except BlockingIOError:
        pass


def _frame(descriptor: int) -> Iterator[bytes]:
    """The content of a frame, in pieces.

    Raises:
        EOFError: If the other side closes before its end.
    """
    left = int.from_bytes(_read_exactly(descriptor, 4), "big")
    while left:
        yield (piece := _read_exactly(descriptor, min(left, 1 << 20)))
        left -= len(piece)


def _read_exactly(descriptor: int, count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count:
        found = os.read(descriptor, count - len(pieces))
        if not found:
            raise EOFError("the other side closed in the middle of a frame")
        pieces += found
    return bytes(pieces)


def _file_with(pieces: Iterable[bytes]) -> int:
    """A nameless file in memory, where the system has that, ready to be read."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("stdin")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.writelines(pieces)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _send(descriptor: int, frame: dict[str, Any]) -> None:
    content = json.dumps(frame).encode()
    view = memoryview(len(content).to_bytes(4, "big") + content)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    _main()
