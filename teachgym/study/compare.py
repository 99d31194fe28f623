"""Run a study from its settings to its table."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from teachgym import __version__
from teachgym.base.checksums import read_checked, write_checked
from teachgym.base.files import write_json
from teachgym.core.teacher_env import TeacherEnv
from teachgym.study import study_file
from teachgym.study.cells.environment import make_pair
from teachgym.study.cells.lock import LOCK, FolderInUseError, alone_in, together_in
from teachgym.study.cells.provenance import provenance
from teachgym.study.executors.runner import Observer, RunOptions, run_cells
from teachgym.study.executors.workers import check_workers_can_start
from teachgym.study.results.comparison import Comparison, compare_studies
from teachgym.study.results.measures import Measures
from teachgym.study.results.stored import CELLS, STUDY, Missing, StoredStudy, load_cell_folder, load_study, version_in
from teachgym.study.settings import Cell, StudySettings
from teachgym.study.trackers import check_installed
from teachgym.study.trust import check_links

SUMMARY = "summary.json"
_CLAIM = "claim.lock"
"""Held while a study's folder is looked at and taken; the other lock is shared by all who run cells of it."""
_PATIENCE = 20.0
"""Seconds to wait for a process that takes the folder, too."""

IfUsed = Literal["refuse", "resume", "overwrite"]


@dataclass(frozen=True)
class Study:
    """A study that has run, or been interrupted."""

    stored: StoredStudy
    """What its folder holds."""
    comparison: Comparison | None
    """What was found; None if no cell is finished."""
    missing: list[Missing]
    """Cells that were to be run and are not finished; where only some of the grid were to be, not the others."""
    interrupted: bool
    """Whether Ctrl-C ended it."""


def compare(settings: StudySettings, *, if_used: IfUsed = "refuse", observer: Observer | None = None) -> Study:
    """Run every cell of a study, and summarise what was found.

    Ctrl-C stops the workers; what is finished is kept and reported, and ``if_used="resume"`` continues, each cell
    from its last checkpoint. On CPU the study then equals, bit for bit, one that has never stopped.

    Args:
        settings: The study.
        if_used: What to do when its folder holds a study already.
        observer: Is told how far the cells are.

    Returns:
        The study; its folder holds the cells and ``summary.json``.

    Raises:
        ValueError: If a setting is not allowed, or the folder can't be used, for instance as another process runs the
            study that is to be overwritten; nothing has been run then.
        ImportError: If a tracker or Ray is not installed; nothing has been run then.
        RuntimeError: If worker processes can't be started, or a script without a main guard calls it in one of them.
    """
    check_workers_can_start()
    observer = observer or Observer()
    cells = [(cell, settings.folder / CELLS / cell.folder_name) for _, cell in settings.chosen()]
    check_installed(settings.trackers)
    if settings.executor == "ray":
        from teachgym.study.executors.ray_executor import check_ray

        check_ray(settings.ray_address)
    measures = Measures.of(make_each_teacher(settings))
    interrupted = False
    with _claimed(settings, measures, if_used, observer):
        waiting = [(cell, folder) for cell, folder in cells if not _is_finished(cell, folder)]
        left = {cell for cell, _ in waiting}
        observer.kept([cell for cell, _ in cells if cell not in left])
        try:
            _run(settings, waiting, observer)
        except KeyboardInterrupt:
            interrupted = True
        stored = load_study(settings.folder)
        comparison = compare_studies([stored])
        write_json(settings.folder / SUMMARY, [asdict(row) for row in comparison.rows] if comparison else [])
    chosen = {cell for cell, _ in cells}
    return Study(stored, comparison, [one for one in stored.missing if one.cell in chosen], interrupted)


def _run(settings: StudySettings, cells: Sequence[tuple[Cell, Path]], observer: Observer) -> None:
    if settings.executor == "ray":
        from teachgym.study.executors.ray_executor import run_cells_on_ray

        options, address = RunOptions.of(settings), settings.ray_address
        run_cells_on_ray(cells, options, observer, address=address, gpus=settings.gpus)
    else:
        run_cells(cells, RunOptions.of(settings), observer)


def make_each_teacher(settings: StudySettings) -> TeacherEnv:
    """Make a cell of each teacher, so that what can't be made is refused before anything runs.

    Returns:
        The environment of the last.
    """
    for cell in islice(settings.grid(), len(settings.teachers)):
        environment, _ = make_pair(cell)
    return environment


@contextmanager
def _claimed(settings: StudySettings, measures: Measures, if_used: IfUsed, observer: Observer) -> Iterator[None]:
    """Write what the study is, and keep others from overwriting it in the block; they may run other cells of it."""
    folder = settings.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"run folder {folder} can't be written: {error}; choose another with --runs") from error
    if _contents(folder) and not (folder / STUDY).exists():
        raise ValueError(f"{folder} holds files but no study; choose another --name")
    with ExitStack() as held:
        try:
            with alone_in(folder, patience=_PATIENCE, name=_CLAIM):
                _claim(settings, measures, if_used, observer)
                held.enter_context(together_in(folder))
        except FolderInUseError as error:
            raise ValueError(f"{error}, or choose another --name") from error
        yield


def _claim(settings: StudySettings, measures: Measures, if_used: IfUsed, observer: Observer) -> None:
    folder, entries = settings.folder, {**asdict(settings), "runs": str(settings.runs)}
    used = (folder / STUDY).exists()
    if used and if_used == "refuse" and not settings.cells:  # another slice of the grid may have begun
        done = sum(_is_finished(cell, folder / CELLS / cell.folder_name) for cell in settings.grid())
        raise ValueError(
            f"{folder} holds a study already ({done} of these {len(list(settings.grid()))} cells are finished); give "
            "--resume to run what it lacks, --overwrite to delete it first, or another --name"
        )
    if used and if_used == "overwrite":
        with alone_in(folder, patience=0.0):
            for path in _contents(folder):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        used = False
    earlier: list[dict[str, Any]] = []
    if used:
        check_links(folder)
        earlier = _check_same(folder / STUDY, entries)
        before = version_in(earlier[-1]) if earlier else __version__
        if before != __version__:
            observer.noted(
                f"teachgym {before} has run this study so far, and {__version__} goes on with it: finished cells stay "
                "as they are, the others begin again"
            )
    study = {
        "title": settings.title,
        "settings": entries,
        "measures": measures.to_json(),
        "cells": [cell.to_json() for cell in settings.grid()],
        "provenance": [*earlier, provenance()],
    }
    write_checked(folder / STUDY, study)
    study_file.write(folder / study_file.STUDY_FILE, settings)


def _contents(folder: Path) -> list[Path]:
    """What is in the folder of a study, beside its locks."""
    return [path for path in folder.iterdir() if path.name not in (LOCK, _CLAIM)]


def _check_same(path: Path, new: dict[str, Any]) -> list[dict[str, Any]]:
    """Refuse settings that would change a cell; teachers, seeds and workers may change between runs of a study.

    Returns:
        What has run the study so far.
    """
    stored = read_checked(path)
    old, earlier = stored.get("settings"), stored.get("provenance")
    if not isinstance(old, dict) or not isinstance(earlier, list) or not all(isinstance(run, dict) for run in earlier):
        raise ValueError(f"{path} does not describe a study; give --overwrite or another --name")
    for name in ("env", "subject", "student", "budget", "evaluations"):
        if old.get(name) != new[name]:
            raise ValueError(
                f"the study was begun with {name}={old.get(name)!r}, and is now given {new[name]!r}; "
                "resume it with the same, or choose another --name"
            )
    return earlier


def _is_finished(cell: Cell, folder: Path) -> bool:
    """Whether the cell has its result, and everything of it can be read; what is damaged is run again."""
    run, _ = load_cell_folder(folder, cell)
    return run is not None and run.result is not None
