"""Read a study back from its folder, without running, importing or unpickling anything that it names."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teachgym.base.checksums import read_checked
from teachgym.base.files import read_json
from teachgym.core.record import EVALUATIONS, Record
from teachgym.study.cells.cell import FAILURE, SETTINGS, load_settings
from teachgym.study.cells.finished import Result, check_cell_is_whole, is_finished, load_finished
from teachgym.study.results.measures import Measures
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

    @property
    def versions(self) -> list[str]:
        """The versions of teachgym that have run it, the first one first."""
        return list(dict.fromkeys(map(version_in, self.provenance)))


def version_in(provenance: dict[str, Any]) -> str:
    """The version of teachgym in one entry of what ran a study."""
    versions = provenance.get("versions")
    return str(versions.get("teachgym", "unknown")) if isinstance(versions, dict) else "unknown"


def load_study(folder: Path) -> StoredStudy:
    """Read a study.

    Raises:
        ValueError: If the folder holds no study of this version, or a file is damaged; the message names it.
    """
    path = folder / STUDY
    if not path.exists():
        raise ValueError(f"{folder} holds no study; give the folder of one, for instance runs/demo")
    entries = read_checked(path)
    try:
        measures = Measures.from_json(entries["measures"])
        cells = [Cell.from_json(cell) for cell in entries["cells"]]
        folders = [folder / CELLS / cell.folder_name for cell in cells]
        title, settings, provenance = entries["title"], entries["settings"], entries["provenance"]
        kinds = (str, dict, list, *(dict for _ in provenance))
        if not all(map(isinstance, (title, settings, provenance, *provenance), kinds)):
            raise TypeError("title, settings or provenance is of another type")
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} does not describe a study of this version ({error})") from error
    runs: dict[str, list[Run]] = {cell.teacher: [] for cell in cells}
    missing = []
    for cell, place in zip(cells, folders, strict=True):
        run, reason = load_cell_folder(place, cell)
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


def load_cell_folder(folder: Path, cell: Cell) -> tuple[Run | None, str]:
    """What there is of a cell, and why there is not more: a damaged file costs its own cell, and no other."""
    try:
        finished = load_finished(folder) if is_finished(folder) else None
        failure = read_json(folder / FAILURE) if (folder / FAILURE).exists() else {}
        reason = str(failure.get("reason", "")) if isinstance(failure, dict) else ""
        if not (folder / SETTINGS).exists():
            return None, reason
        if load_settings(folder) != cell:
            return None, ""
        if finished is not None:
            return Run(cell, *finished), ""
        return Run(cell, Record.load(folder), None) if (folder / EVALUATIONS).exists() else None, reason
    except (ValueError, OSError) as error:
        return None, str(error)


def damages(folder: Path) -> Iterator[str]:
    """What is wrong with the files of finished cells of a study, in a sentence for each cell."""
    for place in sorted((folder / CELLS).glob("*")):
        try:
            if is_finished(place):
                check_cell_is_whole(place)
        except (ValueError, OSError) as error:
            yield str(error)
