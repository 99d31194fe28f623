"""What a study would do and take, without running it."""

import heapq
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from teachgym.study.calibration import Calibration, calibrate
from teachgym.study.cells.environment import make_pair
from teachgym.study.executors.runner import default_workers
from teachgym.study.executors.workers import check_workers_can_start
from teachgym.study.results.stored import CELLS, load_cell_folder
from teachgym.study.settings import Cell, StudySettings

UNCERTAINTY = 2.0
"""Times that are told may be wrong by this factor, either way: students that have learnt something play longer or
shorter episodes, and the machine may be busy with something else, then or now."""


@dataclass(frozen=True)
class PlannedCell:
    """A cell that a study would run."""

    number: int
    """Its place in the grid, from 0: what ``cells`` counts."""
    cell: Cell
    """The cell."""
    done: float
    """The share of it that there is already, as far as its tests tell; 1 if it is finished."""
    reason: str
    """Why it failed, if it did."""


@dataclass(frozen=True)
class DryRun:
    """What a study would do and take."""

    settings: StudySettings
    """The study."""
    cells: list[PlannedCell]
    """Those that the settings choose, finished or not, in the order of the grid."""
    calibrations: dict[str, Calibration]
    """By teacher, of those with cells to run; empty without a calibration."""
    workers: int | None
    """Cells at once; None where the cluster decides."""
    free_bytes: int
    """What is free on the disk of the study's folder."""

    @property
    def left(self) -> list[PlannedCell]:
        """The cells that are not finished."""
        return [planned for planned in self.cells if planned.done < 1.0]

    def cell_seconds(self, planned: PlannedCell) -> float:
        """Time that a cell would take; 0 if it is finished."""
        if planned.done >= 1.0:
            return 0.0
        return self.calibrations[planned.cell.teacher].seconds(planned.cell.evaluations, 1.0 - planned.done)

    @property
    def work_seconds(self) -> float:
        """Time of all cells, one after another."""
        return sum(self.cell_seconds(planned) for planned in self.left)

    @property
    def seconds(self) -> float | None:
        """Time of the study, each worker taking the next cell when it is done; None where the cluster decides."""
        if self.workers is None:
            return None
        free_at = [0.0] * self.workers
        for planned in self.left:
            heapq.heapreplace(free_at, free_at[0] + self.cell_seconds(planned))
        return max(free_at)

    @property
    def stored_bytes(self) -> int:
        """What the cells to run will hold when they are finished."""
        return sum(self.calibrations[planned.cell.teacher].stored_bytes for planned in self.left)

    @property
    def running_bytes(self) -> int:
        """What checkpoints add to that, at most, of as many cells as run at once: all where the cluster decides."""
        added = sorted((self.calibrations[planned.cell.teacher].running_bytes for planned in self.left), reverse=True)
        return sum(added[: self.workers])

    @property
    def fits(self) -> bool:
        """Whether that much is free."""
        return self.stored_bytes + self.running_bytes <= self.free_bytes


def dry_run(settings: StudySettings, *, calibrate_seconds: float = 10.0) -> DryRun:
    """Find out what a study would do and take. Nothing of it is run but for the calibration, which leaves no trace.

    Args:
        settings: The study; its folder is only looked at.
        calibrate_seconds: How long the beginning of a cell of each teacher is run; 0 for no calibration.

    Raises:
        ValueError: If a setting is not allowed, or a cell can't be made, or fails at once.
        RuntimeError: If worker processes can't be started, or a script without a main guard calls it in one of them.
    """
    check_workers_can_start()
    if calibrate_seconds < 0:
        raise ValueError(f"calibrate_seconds is {calibrate_seconds}; expected a time, or 0 for no calibration")
    cells = [
        PlannedCell(number, cell, *_standing(settings.folder / CELLS / cell.folder_name, cell))
        for number, cell in settings.chosen()
    ]
    for cell in _first_of_each_teacher(cells):
        make_pair(cell)
    workers = settings.workers or (default_workers() if settings.executor == "local" else None)
    left = [planned for planned in cells if planned.done < 1.0]
    first = list(_first_of_each_teacher(left))
    measured: list[Calibration] = []
    if calibrate_seconds and left:
        here = min(workers or default_workers(), default_workers(), len(left))
        measured = calibrate(first, calibrate_seconds, workers=here, trackers=settings.trackers)
    return DryRun(
        settings=settings,
        cells=cells,
        calibrations={cell.teacher: calibration for cell, calibration in zip(first, measured, strict=False)},
        workers=workers,
        free_bytes=_free_bytes(settings.folder),
    )


def _standing(folder: Path, cell: Cell) -> tuple[float, str]:
    """The share of a cell that is done, and why it failed, if it did."""
    run, reason = load_cell_folder(folder, cell)
    if run is None:
        return 0.0, reason
    if run.result is not None:
        return 1.0, ""
    # The last test comes with the result: a cell that has had it without one is not quite done.
    tests = sum(not test.untrained for test in run.record.evaluations)
    return min(tests, cell.evaluations - 1) / cell.evaluations, reason


def _first_of_each_teacher(cells: list[PlannedCell]) -> Iterator[Cell]:
    seen = set()
    for planned in cells:
        if planned.cell.teacher not in seen:
            seen.add(planned.cell.teacher)
            yield planned.cell


def _free_bytes(folder: Path) -> int:
    there = next(place for place in [folder, *folder.absolute().parents] if place.exists())
    return shutil.disk_usage(there).free
