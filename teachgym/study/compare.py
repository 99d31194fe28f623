"""Run a study from its settings to its table."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from teachgym.files import read_json, write_json
from teachgym.study import study_file
from teachgym.study.cell import make_cell_teacher
from teachgym.study.comparison import Comparison, compare_studies
from teachgym.study.environment import make_environment
from teachgym.study.measures import Measures
from teachgym.study.provenance import provenance
from teachgym.study.runner import Observer, RunOptions, run_cells
from teachgym.study.settings import Cell, StudySettings
from teachgym.study.stored import CELLS, STUDY, Missing, StoredStudy, load_cell_folder, load_study
from teachgym.study.summary import summary_entries

SUMMARY = "summary.json"

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
        ValueError: If a setting is not allowed, or the folder can't be used; nothing has been run then.
    """
    cells = [(cell, settings.folder / CELLS / cell.folder_name) for _, cell in settings.chosen()]
    measures = Measures.of(_check(settings))
    _claim(settings, measures, if_used)
    waiting = [(cell, folder) for cell, folder in cells if not _is_finished(cell, folder)]
    interrupted = False
    try:
        _run(settings, waiting, observer or Observer())
    except KeyboardInterrupt:
        interrupted = True
    stored = load_study(settings.folder)
    comparison = compare_studies([stored])
    write_json(settings.folder / SUMMARY, summary_entries(comparison))
    chosen = {cell for cell, _ in cells}
    return Study(stored, comparison, [one for one in stored.missing if one.cell in chosen], interrupted)


def _run(settings: StudySettings, cells: Sequence[tuple[Cell, Path]], observer: Observer) -> None:
    if settings.executor == "ray":
        from teachgym.study.ray_executor import RayOptions, run_cells_on_ray

        on = RayOptions(settings.ray_address, settings.gpus)
        run_cells_on_ray(cells, RunOptions.of(settings), observer, on=on)
    else:
        run_cells(cells, RunOptions.of(settings), observer)


def _check(settings: StudySettings) -> Any:
    """Make everything once, so that what can't be made is refused before anything runs."""
    environment = None
    for cell in settings.grid():
        if cell.seed == settings.first_seed:
            environment = make_environment(cell)
            make_cell_teacher(cell, environment)
    return environment


def _claim(settings: StudySettings, measures: Measures, if_used: IfUsed) -> None:
    folder, entries = settings.folder, _entries(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"run folder {folder} can't be written: {error}; choose another with --runs") from error
    used = any(folder.iterdir())
    if settings.cells and if_used == "refuse" and (folder / STUDY).exists():
        if_used = "resume"  # another slice of the grid has begun
    if used and if_used == "refuse":
        raise ValueError(f"run folder {folder} is in use; give --resume, --overwrite or another --name")
    if used and not (folder / STUDY).exists():
        raise ValueError(f"{folder} holds files but no study; choose another --name")
    if used and if_used == "overwrite":
        shutil.rmtree(folder)
    earlier = []
    if used and if_used == "resume":
        _check_same(folder / STUDY, entries)
        earlier = read_json(folder / STUDY).get("provenance", [])
    study = {
        "title": settings.title,
        "settings": entries,
        "measures": measures.to_json(),
        "cells": [cell.to_json() for cell in settings.grid()],
        "provenance": [*earlier, provenance()],
    }
    write_json(folder / STUDY, study)
    study_file.write(folder / study_file.STUDY_FILE, settings)


def _check_same(path: Path, new: dict[str, Any]) -> None:
    """Teachers, seeds and workers may change between runs of a study; whatever changes a cell may not."""
    stored = read_json(path)
    old = stored.get("settings") if isinstance(stored, dict) else None
    if not isinstance(old, dict):
        raise ValueError(f"{path} does not describe a study; give --overwrite or another --name")
    for name in ("env", "task", "student", "student_steps", "evaluations"):
        if old.get(name) != new[name]:
            raise ValueError(
                f"the study was begun with {name}={old.get(name)!r}, and is now given {new[name]!r}; "
                "resume it with the same, or choose another --name"
            )


def _entries(settings: StudySettings) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads(json.dumps(asdict(settings), default=str))
    return entries


def _is_finished(cell: Cell, folder: Path) -> bool:
    """Whether the cell has its result, and everything of it can be read; what is damaged is run again."""
    run, _ = load_cell_folder(folder, cell)
    return run is not None and run.result is not None
