"""A finished cell: what it cost, and the manifest of its files, which is written last and says that it is whole."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from teachgym.base.checksums import MANIFEST, check_manifest, write_manifest
from teachgym.base.files import read_json, write_json
from teachgym.base.settings import checked_dataclass
from teachgym.core.record import EPISODES, EVALUATIONS, SAMPLING, Record

RESULT = "result.json"


@checked_dataclass
class Result:
    """What a finished cell cost."""

    spent: int
    """World steps played."""
    episodes: int
    """Student episodes finished."""
    world_seconds: float
    """Time in the student's worlds."""
    teacher_seconds: float
    """Time in the teacher."""
    evaluation_seconds: float
    """Time in tests of the student."""
    total_seconds: float
    """All time, from making the environment to the last test."""


def finish(folder: Path, result: Result, others: Iterable[str]) -> None:
    """Store a cell's result, and then the manifest; before that the cell is not finished, and after it is whole.

    Args:
        folder: Of the cell, which holds its record.
        result: What it cost.
        others: Paths within the folder of the other files that belong to it.
    """
    write_json(folder / RESULT, asdict(result))
    write_manifest(folder, {RESULT, EPISODES, EVALUATIONS, SAMPLING, *others})


def begin_again(folder: Path) -> None:
    """Make a cell unfinished, before anything of it is written anew."""
    for name in (MANIFEST, RESULT):
        (folder / name).unlink(missing_ok=True)


def is_finished(folder: Path) -> bool:
    """Whether a folder says that it holds a finished cell; ``check_cell_is_whole`` looks whether that is so."""
    return (folder / MANIFEST).exists()


def check_cell_is_whole(folder: Path, *names: str) -> None:
    """Verify every file of a finished cell.

    Args:
        folder: Of the cell.
        names: Files that it must have, beside its result and record.

    Raises:
        OSError: If a file can't be read.
        ValueError: If one is missing or damaged; the message names it.
    """
    check_manifest(folder, (*names, RESULT, EPISODES, EVALUATIONS, SAMPLING))


def load_finished(folder: Path) -> tuple[Record, Result]:
    """Read the record and the result of a finished cell, once all of its files are verified.

    Raises:
        OSError: If a file can't be read.
        ValueError: If one is missing, damaged or of another version; the message names it.
    """
    check_cell_is_whole(folder)
    record, entries = Record.load(folder), read_json(folder / RESULT)
    try:
        result = Result(**entries)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{folder / RESULT} is not a result of this version ({error})") from error
    if not record.evaluations:
        raise ValueError(f"{folder / EVALUATIONS} holds no test, as every finished cell's does")
    return record, result
