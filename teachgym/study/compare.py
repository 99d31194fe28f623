"""Run a study from its settings to its table and figures."""

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from teachgym import __version__
from teachgym.files import read_json, write_json
from teachgym.study.cell import load_result, make_cell_teacher
from teachgym.study.curriculum_figure import plot_curriculum
from teachgym.study.environment import make_environment
from teachgym.study.figure_style import MOST_LOOKS
from teachgym.study.learning_curves import plot_learning_curves
from teachgym.study.runner import Observer, default_workers, run_cells
from teachgym.study.settings import Cell, StudySettings
from teachgym.study.summary import Measures, Row, Run, load_runs, summarise

STUDY = "study.json"
SUMMARY = "summary.json"

IfUsed = Literal["refuse", "resume", "overwrite"]


@dataclass(frozen=True)
class Study:
    """A study that has run, or been interrupted."""

    folder: Path
    runs: dict[str, list[Run]]
    """By teacher: every cell that got as far as a test."""
    rows: list[Row]
    """One a teacher with a finished cell."""
    figures: list[Path]
    """The figures that were drawn; none where there are more teachers than can be told apart."""
    unfinished: list[Cell]
    """Cells that failed or were interrupted."""
    interrupted: bool
    """Whether Ctrl-C ended it."""
    measures: Measures
    """What its numbers are called."""


def compare(settings: StudySettings, *, if_used: IfUsed = "refuse", observer: Observer | None = None) -> Study:
    """Run every cell of a study, and report what was found.

    Ctrl-C stops the workers; what is finished is kept and reported, and ``if_used="resume"`` continues.
    A cell that was interrupted is run again from its beginning: as its settings and seed fix it, the
    study is the same as if it had never stopped.

    Args:
        settings: The study.
        if_used: What to do when its folder holds a study already.
        observer: Is told how far the cells are.

    Returns:
        The study; its folder holds the cells, ``summary.json`` and the figures.

    Raises:
        ValueError: If a setting is not allowed, or the folder can't be used; nothing has been run then.
    """
    cells = [(cell, settings.folder / "cells" / cell.folder_name) for cell in settings.cells()]
    environment = _check(settings)
    _claim(settings, if_used)
    waiting = [(cell, folder) for cell, folder in cells if not _is_finished(cell, folder)]
    interrupted = False
    try:
        run_cells(waiting, workers=settings.workers or default_workers(), observer=observer or Observer())
    except KeyboardInterrupt:
        interrupted = True
    runs = load_runs(cells)
    rows = summarise(runs, environment.headline)
    write_json(settings.folder / SUMMARY, [asdict(row) for row in rows])
    figures = []
    if 0 < len(runs) <= MOST_LOOKS:
        records = {teacher: [run.record for run in done] for teacher, done in runs.items()}
        title = settings.title
        figures = [settings.folder / "learning_curves.png", settings.folder / "curriculum.png"]
        plot_learning_curves(records, figures[0], title=title, outcome_name=environment.outcome_name)
        outcome_range = environment.problem.outcome_range
        plot_curriculum(records, environment.record_space, figures[1], title=title, outcome_range=outcome_range)
    unfinished = [cell for cell, folder in cells if not _is_finished(cell, folder)]
    measures = Measures(environment.outcome_name, environment.headline, environment.problem.outcome_range)
    return Study(settings.folder, runs, rows, figures, unfinished, interrupted, measures)


def _check(settings: StudySettings) -> Any:
    """Make everything once, so that what can't be made is refused before anything runs."""
    environment = None
    for cell in settings.cells():
        if cell.seed == settings.first_seed:
            environment = make_environment(cell)
            make_cell_teacher(cell, environment)
    return environment


def _claim(settings: StudySettings, if_used: IfUsed) -> None:
    folder, entries = settings.folder, _entries(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"run folder {folder} can't be written: {error}; choose another with --runs") from error
    used = any(folder.iterdir())
    if used and if_used == "refuse":
        raise ValueError(f"run folder {folder} is in use; give --resume, --overwrite or another --name")
    if used and not (folder / STUDY).exists():
        raise ValueError(f"{folder} holds files but no study; choose another --name")
    if used and if_used == "overwrite":
        shutil.rmtree(folder)
    if used and if_used == "resume":
        _check_same(folder / STUDY, entries)
    write_json(folder / STUDY, {"teachgym": __version__, "settings": entries})


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
    return load_result(folder) is not None and Cell.from_json(read_json(folder / "cell.json")) == cell
