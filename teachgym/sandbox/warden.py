"""Runs inside the sandbox: takes programs one by one, gives each a process of its own, and tells what came of it.

It is started as text (``python -c``), so it imports nothing of this package. Programs are forked from it, which is much
faster than to start an interpreter for each. A program can't touch what is told of others: it arrives when the one
before it is gone, its process has three pipes of its own and no other descriptor, and the warden is closed to it (not
"dumpable", and where it is process 1 of its namespace, not to be killed from within).

Both directions carry frames: four bytes of length and JSON. In: the settings, then programs. Out: what holds, then
outcomes.
"""

import base64
import builtins
import contextlib
import ctypes
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
from typing import Any, NoReturn

_LOADED = "bisect collections functools heapq itertools math re string"
"""Modules that programs often use: they find them loaded."""

_DESCRIPTORS = 64
_NO_NEW_PRIVILEGES, _SECCOMP, _DUMPABLE, _PARENT_DEATH_SIGNAL = 38, 22, 4, 1
_LANDLOCK_RIGHTS, _LANDLOCK_READ = (1 << 13) - 1, 1 << 2 | 1 << 3
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_UNPROTECTED = 125
_LIBRARY = ctypes.CDLL(None)


def main() -> None:
    """Serve until the other side closes; in a program's process, run it and exit."""
    jobs, results = os.dup(0), os.dup(1)
    settings = _receive(jobs)
    if settings is None:
        return
    if settings["filter"] is not None:
        settings["filter"] = base64.b64decode(settings["filter"])
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
    held = {"files": _hide_files(settings["readable"]), "syscalls": _filter_holds(settings)}
    _control(_DUMPABLE, 0)
    _control(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for name in _LOADED.split():
        importlib.import_module(name)
    gc.freeze()
    _send(results, held)
    while (job := _receive(jobs)) is not None:
        _send(results, _supervise(job, settings, woken))


def _supervise(job: dict[str, Any], settings: dict[str, Any], woken: int) -> dict[str, Any]:
    """Run one program and see that it ends."""
    stdin = _file_with(job["stdin"].encode("utf-8", "replace"))
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _become(job["source"], (stdin, out_end, err_end), settings)
    for descriptor in (stdin, out_end, err_end):
        os.close(descriptor)
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
    _kill_all(child)
    status, used = ended if ended is not None else os.wait4(child, 0)[1:]
    _reap()
    while open_pipes and reason != "output":
        ready = select.select(open_pipes, [], [], 0)[0]
        if not ready:  # something that escaped holds the other end
            break
        if _read(ready, open_pipes, written, most):
            reason = "output"
    os.close(out)
    os.close(err)
    code = os.waitstatus_to_exitcode(status)
    stderr = written[err].decode("utf-8", "replace")
    return {
        "stdout": written[out].decode("utf-8", "replace"),
        "stderr": stderr,
        "exit_code": code,
        "reason": reason or _reason(code, used.ru_utime + used.ru_stime, stderr, settings),
    }


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


def _kill_all(child: int) -> None:
    """End whatever the program started."""
    for kill, target in ((os.killpg, child), (os.kill, -1)):
        if target > 0 or os.getpid() == 1:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it is gone, or there is nothing else
                kill(target, signal.SIGKILL)


def _reap() -> None:
    try:
        while os.waitpid(-1, 0 if os.getpid() == 1 else os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become(source: str, streams: tuple[int, int, int], settings: dict[str, Any]) -> NoReturn:
    """Turn this process into the program."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for target, descriptor in enumerate(streams):
            os.dup2(descriptor, target)
        os.closerange(3, _DESCRIPTORS)
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
        _control(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if settings["filter"] is not None and not _apply_filter(settings["filter"]):
            os._exit(_UNPROTECTED)
    except BaseException:  # noqa: BLE001
        os._exit(_UNPROTECTED)
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
        exec(compile(source, "program.py", "exec"), vars(module))
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
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or 120
    return code


def _control(*arguments: int) -> int:
    """Linux: ask the kernel something about this process."""
    if sys.platform != "linux":
        return -1
    padded = [ctypes.c_ulong(argument) for argument in (*arguments[1:], 0, 0, 0, 0)[:4]]
    return int(_LIBRARY.prctl(ctypes.c_int(arguments[0]), *padded))


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]


def _apply_filter(steps: bytes) -> bool:
    """From now on, only the system calls that the filter allows."""
    kept = ctypes.create_string_buffer(steps, len(steps))
    program = _Filter(len(steps) // 8, ctypes.addressof(kept))
    return _control(_NO_NEW_PRIVILEGES, 1) == 0 and _control(_SECCOMP, 2, ctypes.addressof(program)) == 0


def _filter_holds(settings: dict[str, Any]) -> bool:
    """Try the filter in a process of its own: it must let that go on, and must not let it make another."""
    if settings["filter"] is None:
        return False
    child = os.fork()
    if child == 0:
        try:
            if _apply_filter(settings["filter"]):
                os.fork()
            os._exit(1)
        except PermissionError:
            os._exit(0)
        except BaseException:  # noqa: BLE001
            os._exit(1)
    holds = os.waitpid(child, 0)[1] == 0
    return holds


def _hide_files(readable: list[str] | None) -> bool:
    """Linux with Landlock: from now on, neither this process nor its children read files but those below."""
    if readable is None or sys.platform != "linux":
        return False
    if _LIBRARY.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1) < 1:
        return False
    rights = ctypes.c_uint64(_LANDLOCK_RIGHTS)
    rules = _LIBRARY.syscall(_CREATE_RULESET, ctypes.byref(rights), ctypes.c_size_t(8), 0)
    if rules < 0:
        return False
    for path in readable:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        allowed = _LANDLOCK_READ if os.path.isdir(path) else _LANDLOCK_READ & 1 << 2
        rule = allowed.to_bytes(8, sys.byteorder) + opened.to_bytes(4, sys.byteorder)
        _LIBRARY.syscall(_ADD_RULE, rules, 1, ctypes.create_string_buffer(rule, len(rule)), 0)
        os.close(opened)
    done = _control(_NO_NEW_PRIVILEGES, 1) == 0 and _LIBRARY.syscall(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return bool(done)


def _file_with(content: bytes) -> int:
    """A nameless file in memory, where the system has that, ready to be read."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("stdin")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _empty(pipe: int) -> None:
    try:
        while os.read(pipe, 4096):
            pass
    except BlockingIOError:
        pass


def _receive(descriptor: int) -> dict[str, Any] | None:
    length = _read_exactly(descriptor, 4)
    content = _read_exactly(descriptor, int.from_bytes(length, "big")) if length is not None else None
    return None if content is None else json.loads(content)


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        found = os.read(descriptor, min(count - len(parts), 1 << 20))
        if not found:
            return None
        parts += found
    return bytes(parts)


def _send(descriptor: int, frame: dict[str, Any]) -> None:
    content = json.dumps(frame).encode()
    view = memoryview(len(content).to_bytes(4, "big") + content)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    main()
