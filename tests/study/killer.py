"""Kills the workers of a study at random moments, as a machine that runs out of memory or loses power would."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from teachgym.study.cells.cell import CellOptions
from teachgym.study.executors.runner import Observer, RunOptions, Standing, run_cells
from teachgym.study.replay import differences
from teachgym.study.settings import Cell

OPTIONS = RunOptions(workers=2, retries=10_000, cell=CellOptions(checkpoint_seconds=0.1))


class Killer(Observer):
    """Sends SIGKILL to every worker some random time after it has begun to work, until all kills are spent."""

    def __init__(self, rng: np.random.Generator, kills: int, *, longest: float) -> None:
        self._rng, self.left, self._longest = rng, kills, longest
        self.killed: list[int] = []
        """Student steps that were told last of each cell that was killed."""
        self.failed_cells: list[str] = []
        self._doomed: set[Cell] = set()
        self._lock = threading.Lock()

    def moved(self, standing: Standing) -> None:
        with self._lock:
            if standing.cell in self._doomed or not self.left:
                return
            self.left -= 1
            self._doomed.add(standing.cell)
        delay = float(self._rng.uniform(0.0, self._longest))
        workers = [child.pid for child in multiprocessing.active_children() if standing.cell.folder_name in child.name]
        threading.Thread(target=self._kill, args=(standing, workers, delay), daemon=True).start()

    def _kill(self, standing: Standing, workers: list[int | None], delay: float) -> None:
        time.sleep(delay)
        for worker in workers:
            assert worker is not None
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                self.killed.append(standing.spent)

    def retried(self, cell: Cell, reason: str) -> None:
        with self._lock:
            self._doomed.discard(cell)

    def failed(self, cell: Cell, reason: str) -> None:
        self.failed_cells.append(reason)


def check_kills(cells: list[Cell], folder: Path, *, kills: int, longest: float, seed: int) -> Killer:
    """Run cells as they are and under the killer, and compare the files they leave bit for bit.

    Raises:
        AssertionError: If they differ, or a cell failed.
    """
    whole, killed = ([(cell, folder / name / cell.folder_name) for cell in cells] for name in ("whole", "killed"))
    run_cells(whole, replace(OPTIONS, cell=CellOptions(checkpoint_seconds=float("inf"))), Observer())
    killer = Killer(np.random.default_rng(seed), kills, longest=longest)
    run_cells(killed, OPTIONS, killer)
    assert not killer.failed_cells, killer.failed_cells
    for (cell, expected), (_, found) in zip(whole, killed, strict=True):
        assert list(differences(expected, found)) == [], cell
        assert not list(found.glob("checkpoints/*")), "checkpoints of finished cells are deleted"
        assert not list(found.rglob(".*")), "nothing half-written is left"
    return killer
