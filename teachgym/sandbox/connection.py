"""The outer end of a sandbox: starts the warden, hands it programs, and takes what it says of them."""

import base64
import json
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from teachgym.sandbox.command import ENVIRONMENT, bubblewrap, bubblewrap_command, python_command, readable_paths
from teachgym.sandbox.limits import Limits, Outcome, Program
from teachgym.sandbox.syscall_filter import syscall_filter

_PATIENCE = 30.0
"""Seconds to start in, and seconds beyond a program's own limit before the sandbox is taken to hang."""
_LONGEST_FRAME = 1 << 28


class SandboxError(RuntimeError):
    """Programs can't be run here at all, or not in the kind of sandbox that was asked for."""


class Connection:
    """One sandbox at work; everything in it is gone when the block ends.

    Args:
        kind: ``"bubblewrap"`` or ``"process"``.
        limits: For each program.

    Raises:
        SandboxError: If it does not start.
    """

    def __init__(self, kind: str, limits: Limits) -> None:
        self._limits = limits
        self._directory = tempfile.mkdtemp(prefix="teachgym-sandbox-") if kind == "process" else None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        executable = bubblewrap() if kind == "bubblewrap" else None
        try:
            self._process = subprocess.Popen(
                python_command() if executable is None else bubblewrap_command(executable),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=ENVIRONMENT,
                cwd=self._directory,
                start_new_session=True,
            )
        except OSError as error:
            self._clear_up()
            raise SandboxError(f"the sandbox does not start: {error}") from error
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        steps = syscall_filter()
        settings = {
            "cpu_seconds": limits.cpu_seconds,
            "wall_seconds": limits.wall_seconds,
            "memory_mb": limits.memory_mb,
            "output_kb": limits.output_kb,
            "filter": None if steps is None else base64.b64encode(steps).decode(),
            "readable": readable_paths() if kind == "process" else None,
        }
        ready = self._exchange(_frame(json.dumps(settings).encode()), _PATIENCE)
        if ready is None:
            self.close()
            raise SandboxError(f"the sandbox does not start: {self._last_words}")
        self.filters_calls, self.hides_files = bool(ready["syscalls"]), bool(ready["files"]) or kind == "bubblewrap"
        """What was found to hold: see ``teachgym.sandbox.kinds.Protection``."""

    def run(self, program: Program) -> Outcome | None:
        """Run a program; None if the sandbox itself was lost meanwhile."""
        source, stdin = program.source.encode("utf-8", "surrogatepass"), program.stdin.encode("utf-8", "replace")
        found = self._exchange(b"." + _frame(source) + _frame(stdin), self._limits.wall_seconds + _PATIENCE)
        return None if found is None else Outcome(**found)

    def close(self) -> None:
        """End everything that is left in it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        self._last_words = lines[-1] if lines else f"it ended at once ({self._process.returncode})"
        self._clear_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, sent: bytes, patience: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + patience
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(sent)
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        length = self._read(4, deadline)
        if length is None or int.from_bytes(length, "big") > _LONGEST_FRAME:
            return None
        answer = self._read(int.from_bytes(length, "big"), deadline)
        found = None if answer is None else json.loads(answer)
        return found if isinstance(found, dict) else None

    def _read(self, count: int, deadline: float) -> bytes | None:
        assert self._process.stdout is not None
        parts = bytearray()
        while len(parts) < count:
            if not self._selector.select(max(deadline - time.monotonic(), 0.0)):
                return None
            found = os.read(self._process.stdout.fileno(), count - len(parts))
            if not found:
                return None
            parts += found
        return bytes(parts)

    def _clear_up(self) -> None:
        self._errors.close()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)


def _frame(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content
