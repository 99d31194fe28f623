"""What a study would run, and about how long it takes: the first seconds of each teacher's cell, multiplied."""

import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from teachgym.study.compare import make_each_teacher
from teachgym.study.executors.runner import Observer, RunOptions, Standing, default_workers, run_cells
from teachgym.study.executors.workers import check_workers_can_start
from teachgym.study.results.stored import CELLS, load_cell_folder
from teachgym.study.settings import Cell, StudySettings

TIMED_SECONDS = 10.0
"""How long cells are run; what has begun by then, a long episode, say, is waited for."""


class _EnoughSeenError(Exception):
    """Every teacher at work has been timed."""


class _Stopwatch(Observer):
    def __init__(self, teachers: int) -> None:
        self.seconds: dict[str, float] = {}
        self._teachers, self._began = teachers, time.monotonic()
        self._first: dict[Cell, tuple[float, int]] = {}

    def moved(self, standing: Standing) -> None:
        now, spent = time.monotonic() - self._began, standing.spent
        then, before = self._first.setdefault(standing.cell, (now, spent))  # starting up is not multiplied
        if spent > before:
            self.seconds[standing.cell.teacher] = now + (standing.budget - spent) * (now - then) / (spent - before)
        if now > TIMED_SECONDS and len(self.seconds) == self._teachers:
            raise _EnoughSeenError

    def finished(self, cell: Cell) -> None:
        self.seconds[cell.teacher] = time.monotonic() - self._began

    def failed(self, cell: Cell, reason: str) -> None:
        raise ValueError(f"{cell.teacher} fails: {reason.partition('; see ')[0]}")


def dry_run(settings: StudySettings) -> Iterator[str]:
    """Say in lines what a study would run and take. Cells are timed in a temporary folder.

    Raises:
        ValueError: If a setting is not allowed, or a cell can't be made, or fails at once.
        RuntimeError: If worker processes can't be started, or a script without a main guard calls it in one of them.
    """
    check_workers_can_start()
    env, left = make_each_teacher(settings), list[Cell]()
    for number, cell in settings.chosen():
        run, reason = load_cell_folder(settings.folder / CELLS / cell.folder_name, cell)
        finished = run is not None and run.result is not None
        left += [] if finished else [cell]
        yield f"{number:>5}  {cell.teacher} seed {cell.seed}  {'finished' if finished else reason}".rstrip()
    yield f"{len(left)} cells to run in {settings.folder}, each with {env.budget:,} {env.lifetime.budget_unit}"
    if left:
        workers = (settings.workers if settings.executor == "local" else 0) or default_workers()
        seconds = _timed(left, workers)
        mean = sum(seconds[cell.teacher] for cell in left) / len(left)
        yield f"a cell takes about: {', '.join(f'{name} {_text(each)}' for name, each in seconds.items())}"
        yield f"all take about {_text(mean * math.ceil(len(left) / workers))}, {workers} at once, to a factor of two"
        yield (
            f"left out: tests on the way, what checkpoints save, and what changes after the first {TIMED_SECONDS:.0f} "
            "seconds, as students begin to learn or play longer episodes"
        )


def _timed(cells: Sequence[Cell], workers: int) -> dict[str, float]:
    """Seconds of a whole cell by teacher; as many run at once as in the study, where they slow each other down."""
    found: dict[str, float] = {}
    for first in range(0, len(cells), workers):
        batch = cells[first : first + workers]
        teachers = {cell.teacher for cell in batch}
        if not teachers <= found.keys():
            watch = _Stopwatch(len(teachers))
            with tempfile.TemporaryDirectory() as place, suppress(_EnoughSeenError):
                run_cells([(cell, Path(place) / cell.folder_name) for cell in batch], RunOptions(workers), watch)
            found |= watch.seconds
    return found


def _text(seconds: float) -> str:
    unit, size = ("h", 3600) if seconds > 7200 else ("min", 60) if seconds > 120 else ("s", 1)
    return f"{max(seconds / size, 1):.0f} {unit}"
