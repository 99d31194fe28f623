"""Run cells in worker processes, one process and one thread each, and show how far they are."""

import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from teachgym.loop import Progress
from teachgym.study.cell import LOG, run_cell
from teachgym.study.settings import Cell

REPORT_SECONDS = 0.25
"""A worker tells how far it is no more often than this."""


@dataclass(frozen=True)
class Standing:
    """How far a cell is."""

    cell: Cell
    student_steps: int
    """Student steps spent."""
    budget: int
    """Student steps that may be spent."""
    episodes: int
    """Student episodes finished."""


class Observer:
    """Is told what happens while cells run; this one keeps it to itself."""

    def started(self, cell: Cell) -> None:
        """A worker has begun this cell."""

    def moved(self, standing: Standing) -> None:
        """A cell has got this far."""

    def finished(self, cell: Cell) -> None:
        """A cell is complete."""

    def failed(self, cell: Cell, reason: str) -> None:
        """A cell has failed; the others go on."""


_Running = tuple[Cell, Path, BaseProcess]


def run_cells(cells: Sequence[tuple[Cell, Path]], *, workers: int, observer: Observer) -> None:
    """Run cells, at most ``workers`` at a time.

    A worker that raises or dies fails its own cell only; its output is in the cell's log. On
    ``KeyboardInterrupt`` the workers are stopped, and the interrupt is passed on.

    Args:
        cells: Every cell with its folder, which is emptied first.
        workers: From 1 up.
        observer: Is told what happens.
    """
    waiting = list(reversed(cells))
    running: dict[Connection, _Running] = {}
    context = multiprocessing.get_context("spawn")
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                cell, folder = waiting.pop()
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(cell, folder, sender), daemon=True)
                with _interrupts_ignored():
                    process.start()
                sender.close()
                running[receiver] = (cell, folder, process)
                observer.started(cell)
            for connection in wait(list(running), timeout=1.0):
                assert isinstance(connection, Connection)
                _listen(connection, running, observer)
    finally:
        for _, _, worker in running.values():
            worker.terminate()
        for _, _, worker in running.values():
            worker.join()


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


def _listen(connection: Connection, running: dict[Connection, _Running], observer: Observer) -> None:
    cell, folder, process = running[connection]
    try:
        message = connection.recv()
    except EOFError:  # the worker has ended without a word
        process.join()
        message = f"the worker ended with exit code {process.exitcode}; see {folder / LOG}"
    if isinstance(message, Standing):
        observer.moved(message)
        return
    process.join()
    connection.close()
    del running[connection]
    if message is None:
        observer.finished(cell)
    else:
        observer.failed(cell, message)


def _work(cell: Cell, folder: Path, connection: Connection) -> None:
    """The worker: everything it prints goes to the cell's log."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # not every system hands this on to a new process
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    torch.set_num_threads(1)  # more threads than cores slow every cell down
    threadpool_limits(1)
    told = 0.0

    def report(progress: Progress) -> None:
        nonlocal told
        if time.perf_counter() - told > REPORT_SECONDS:
            told = time.perf_counter()
            # A broken pipe means that the parent is gone; so is the reason to go on.
            connection.send(Standing(cell, progress.student_steps, progress.budget, progress.episodes))

    reason = None
    try:
        run_cell(cell, folder, report)
    except Exception as error:  # noqa: BLE001  # whatever it is, it fails this cell and no other
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}; see {folder / LOG}"
    connection.send(reason)
