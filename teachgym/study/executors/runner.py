"""Run cells in worker processes, one process and one thread each, and show how far they are."""

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from teachgym.base.files import write_json
from teachgym.base.settings import checked_dataclass
from teachgym.base.standard_streams import open_standard_streams
from teachgym.core.loop import Progress
from teachgym.study.cells.cell import FAILURE, LOG, CellOptions, run_cell
from teachgym.study.cells.lock import FolderInUseError
from teachgym.study.executors.workers import take_environment, worker_context
from teachgym.study.settings import Cell, StudySettings

REPORT_SECONDS = 0.25
"""A worker tells how far it is no more often than this."""
_ORPHANED = 70
"""Exit code of a worker whose parent is gone."""


@checked_dataclass
class RunOptions:
    """How cells are run; no result depends on it."""

    workers: int
    """Cells that run at once, at least 1."""
    retries: int = 2
    """How often a cell whose worker died goes on in a new one."""
    stalled_after: float = 0.0
    """Seconds without a decision after which a cell has failed; 0 for never."""
    cell: CellOptions = field(default_factory=CellOptions)
    """How each of them is run."""

    @classmethod
    def of(cls, settings: StudySettings) -> "RunOptions":
        """Those of a study, on this machine."""
        return cls(
            workers=settings.workers or default_workers(),
            retries=settings.retries,
            stalled_after=settings.stalled_after,
            cell=CellOptions(settings.checkpoint_seconds, settings.trackers),
        )


@dataclass(frozen=True)
class Standing:
    """How far a cell is."""

    cell: Cell
    spent: int
    """Student steps spent."""
    budget: int
    """Student steps that may be spent."""
    episodes: int
    """Student episodes finished."""
    curve: tuple[float, ...] = ()
    """The number that teachers are compared by, at each test so far."""


@dataclass(frozen=True)
class _Refusal:
    """Why a cell has come to nothing."""

    reason: str
    elsewhere: bool = False
    """Whether another process runs it, so that it has not failed."""


class Observer:
    """Is told what happens while cells run; this one keeps it to itself."""

    def noted(self, line: str) -> None:
        """There is something to know before cells run."""

    def kept(self, cells: Sequence[Cell]) -> None:
        """These cells are finished already, and are not run."""

    def started(self, cell: Cell) -> None:
        """A worker has begun this cell."""

    def moved(self, standing: Standing) -> None:
        """A cell has got this far."""

    def finished(self, cell: Cell) -> None:
        """A cell is complete."""

    def retried(self, cell: Cell, reason: str) -> None:
        """The cell's worker has died; it will go on from its last checkpoint."""

    def failed(self, cell: Cell, reason: str) -> None:
        """A cell has failed; the others go on."""


@dataclass
class _Worker:
    cell: Cell
    folder: Path
    process: BaseProcess
    heard_at: float
    """When it last said something."""


def run_cells(cells: Sequence[tuple[Cell, Path]], options: RunOptions, observer: Observer) -> None:
    """Run cells, or go on with those that have checkpoints.

    A worker that raises, hangs or dies again and again fails its own cell only: why is in ``failure.json``, and what it
    said in ``log.txt``, both in the cell's folder. On ``KeyboardInterrupt`` the workers are stopped, and the interrupt
    is passed on.

    Args:
        cells: Every cell with its folder.
        options: How.
        observer: Is told what happens.
    """
    _Pool(cells, options, observer).run()


class _Pool:
    """Workers, and the cells that wait for one."""

    def __init__(self, cells: Sequence[tuple[Cell, Path]], options: RunOptions, observer: Observer) -> None:
        self._waiting = list(reversed(cells))
        self._options, self._observer = options, observer
        self._working: dict[Connection, _Worker] = {}
        self._deaths: dict[Cell, int] = {}
        open_standard_streams()
        self._context = worker_context()

    def run(self) -> None:
        """Until no cell waits or works."""
        try:
            while self._waiting or self._working:
                while self._waiting and len(self._working) < self._options.workers:
                    self._start(*self._waiting.pop())
                for connection in wait(list(self._working), timeout=1.0):
                    assert isinstance(connection, Connection)
                    self._listen(connection)
                self._stop_stalled()
        finally:
            for worker in self._working.values():
                worker.process.terminate()
            for worker in self._working.values():
                worker.process.join()

    def _start(self, cell: Cell, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._observer.failed(cell, f"its folder can't be made: {error}")
            return
        receiver, sender = self._context.Pipe(duplex=False)
        arguments = (cell, folder, self._options.cell, sender, dict(os.environ))
        process = self._context.Process(target=_work, args=arguments, name=cell.folder_name, daemon=True)
        with _interrupts_ignored():
            process.start()
        sender.close()
        self._working[receiver] = _Worker(cell, folder, process, time.monotonic())
        self._observer.started(cell)

    def _listen(self, connection: Connection) -> None:
        worker = self._working[connection]
        worker.heard_at = time.monotonic()
        try:
            message = connection.recv()
        except (EOFError, OSError):  # the worker has ended without a word
            self._bury(connection)
            return
        if isinstance(message, Standing):
            self._observer.moved(message)
            return
        self._end(connection)
        if message is None:
            self._observer.finished(worker.cell)
        elif message.elsewhere:
            self._observer.failed(worker.cell, message.reason)
        else:
            self._fail(worker, message.reason)

    def _bury(self, connection: Connection) -> None:
        worker = self._working[connection]
        self._end(connection)
        code = worker.process.exitcode or 0
        how = f"signal {-code}{', as when memory runs out' if code == -signal.SIGKILL else ''}" if code < 0 else code
        log = worker.folder / LOG
        more = f"; see {log}" if log.exists() else " before its cell began, and printed why beside this study's errors"
        reason = f"the worker ended with {'' if code < 0 else 'exit code '}{how}{more}"
        deaths = self._deaths[worker.cell] = self._deaths.get(worker.cell, 0) + 1
        if deaths <= self._options.retries:
            self._observer.retried(worker.cell, reason)
            self._waiting.append((worker.cell, worker.folder))
        else:
            self._fail(worker, reason + (f" ({deaths} times)" if deaths > 1 else ""))

    def _stop_stalled(self) -> None:
        limit = self._options.stalled_after
        for connection, worker in list(self._working.items()):
            if limit and time.monotonic() - worker.heard_at > limit:
                worker.process.kill()
                self._end(connection)
                self._fail(worker, f"no decision for {limit:g} seconds: it hangs; see {worker.folder / LOG}")

    def _end(self, connection: Connection) -> None:
        self._working.pop(connection).process.join()
        connection.close()

    def _fail(self, worker: _Worker, reason: str) -> None:
        with suppress(OSError):  # a disk that is full, say, which may be what it failed of
            write_json(worker.folder / FAILURE, {"reason": reason})
        self._observer.failed(worker.cell, reason)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started in the block ignore Ctrl-C from their first moment on: it is the parent's business."""
    if threading.current_thread() is not threading.main_thread():  # where Python delivers no signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def default_workers() -> int:
    """One for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _work(
    cell: Cell, folder: Path, options: CellOptions, connection: Connection, environment: Mapping[str, str]
) -> None:
    """The worker: everything it prints goes to the cell's log."""
    take_environment(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # not every system hands this on to a new process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    told = 0.0

    def report(progress: Progress) -> None:
        nonlocal told
        if time.perf_counter() - told > REPORT_SECONDS:
            told = time.perf_counter()
            curve = tuple(test.score for test in progress.record.evaluations)
            connection.send(Standing(cell, progress.spent, progress.budget, progress.episodes, curve))

    refusal = None
    try:
        _print_into(folder / LOG)
        torch.set_num_threads(1)  # more threads than cores slow every cell down
        threadpool_limits(1)
        run_cell(cell, folder, report, options)
    except FolderInUseError as error:
        refusal = _Refusal(str(error), elsewhere=True)
    except Exception as error:  # noqa: BLE001  # whatever it is, it fails this cell and no other
        with suppress(OSError):  # the log may be on the disk that is full
            traceback.print_exc()
        refusal = _Refusal(f"{type(error).__name__}: {error}; see {folder / LOG}")
    connection.send(refusal)


def _print_into(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(log, number)
        if getattr(sys, name) is None:  # it was closed when this process began
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", buffering=1, closefd=False))
    os.close(log)


def _end_with_parent() -> None:
    """A worker whose parent is gone must not go on writing: somebody may resume the study at any moment."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(_ORPHANED)
