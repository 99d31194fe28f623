"""Read a study back from its folder, without running, importing or unpickling anything that it names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teachgym.files import read_json
from teachgym.record import EVALUATIONS, Record
from teachgym.study.cell import FAILURE, SETTINGS, Result, load_result
from teachgym.study.measures import Measures
from teachgym.study.settings import Cell

STUDY = "study.json"
CELLS = "cells"


@dataclass(frozen=True)
class Run:
    """A cell that finished, or got as far as a test."""

    cell: Cell
    record: Record
    result: Result | None
    """None if the cell is not finished."""


@dataclass(frozen=True)
class Missing:
    """A cell of the study that is not finished."""

    cell: Cell
    reason: str
    """Why it failed; empty if it was interrupted, or has not been begun."""


@dataclass(frozen=True)
class StoredStudy:
    """A study as its folder has it."""

    folder: Path
    title: str
    """What is studied, in a line."""
    measures: Measures
    """What its numbers are about."""
    settings: dict[str, Any]
    """The merged settings, as plain values."""
    provenance: list[dict[str, Any]]
    """What ran it, once for every time that it was started or resumed: command, versions, commit, machine."""
    runs: dict[str, list[Run]]
    """By teacher, in the order of the settings: every cell that got as far as a test, finished or not."""
    missing: list[Missing]
    """Cells that are not finished."""


def load_study(folder: Path) -> StoredStudy:
    """Read a study.

    Raises:
        ValueError: If the folder holds no study of this version, or a file is damaged; the message names it.
    """
    if not (folder / STUDY).exists():
        raise ValueError(f"{folder} holds no study; give the folder of one, for instance runs/demo")
    entries = read_json(folder / STUDY)
    try:
        measures = Measures.from_json(entries["measures"])
        cells = [Cell.from_json(cell) for cell in entries["cells"]]
        title, settings, provenance = entries["title"], entries["settings"], entries["provenance"]
    except (TypeError, KeyError) as error:
        raise ValueError(
            f"{folder / STUDY} does not describe a study of this version ({error!r}); run it again with --resume"
        ) from error
    runs: dict[str, list[Run]] = {cell.teacher: [] for cell in cells}
    missing = []
    for cell in cells:
        run, reason = load_cell_folder(folder / CELLS / cell.folder_name, cell)
        if run is not None:
            runs[cell.teacher].append(run)
        if run is None or run.result is None:
            missing.append(Missing(cell, reason))
    return StoredStudy(
        folder=folder,
        title=title,
        measures=measures,
        settings=settings,
        provenance=provenance,
        runs={teacher: done for teacher, done in runs.items() if done},
        missing=missing,
    )


def is_cell(folder: Path, cell: Cell) -> bool:
    """Whether a folder is that of this cell, with the same settings.

    Raises:
        ValueError: If its settings are damaged.
    """
    return (folder / SETTINGS).exists() and Cell.from_json(read_json(folder / SETTINGS)) == cell


def load_cell_folder(folder: Path, cell: Cell) -> tuple[Run | None, str]:
    """What there is of a cell, and why there is not more: a damaged file costs its own cell, and no other."""
    try:
        if not is_cell(folder, cell):
            return None, ""
        run = Run(cell, Record.load(folder), load_result(folder)) if (folder / EVALUATIONS).exists() else None
        failure = read_json(folder / FAILURE) if (folder / FAILURE).exists() else {}
    except (ValueError, OSError) as error:
        return None, str(error)
    return run, str(failure.get("reason", "")) if isinstance(failure, dict) else ""
