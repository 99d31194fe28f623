"""Run a cell again, and say whether it gives the same to the last bit."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from teachgym.base.files import read_arrays, read_json, read_state
from teachgym.core.record import EPISODES, EVALUATIONS, SAMPLING
from teachgym.study.cells.cell import FAILURE, LOG, PROVENANCE, SETTINGS, STUDENT, TEACHER, CellOptions, load_settings
from teachgym.study.cells.cells_there import cells_there
from teachgym.study.cells.finished import check_cell_is_whole, is_finished
from teachgym.study.cells.provenance import provenance
from teachgym.study.executors.runner import Observer, RunOptions, run_cells
from teachgym.study.executors.workers import check_workers_can_start
from teachgym.study.trust import check_cell

_READERS = {
    EPISODES: read_arrays,
    EVALUATIONS: read_arrays,
    SAMPLING: read_json,
    TEACHER: read_state,
    STUDENT: read_state,
}
"""The files that the same settings, seed and versions give again, bit for bit on CPU."""


@dataclass(frozen=True)
class Replayed:
    """What came of running a cell again."""

    differences: list[str]
    """Where it is not the same; empty where it is."""
    changed: list[str]
    """What is not as it was when the cell was run: versions, commit, machine."""


def replay(folder: Path, *, trust: bool = False) -> Replayed:
    """Run a finished cell again, in a folder of its own that is deleted afterwards, and compare everything.

    Args:
        folder: Of the cell; it is only read.
        trust: Whether the cell may use more than teachgym's own code: import modules, call hosts, read environment
            variables and files elsewhere, as its settings say.

    Raises:
        ValueError: If it is not a finished cell, a file is damaged, or the cell would need trust.
        RuntimeError: If the new run fails, worker processes can't be started, or a script without a main guard calls
            it in one of them.
    """
    check_workers_can_start()
    if not is_finished(folder):
        raise ValueError(
            f"{folder} holds no finished cell; give one, for instance runs/demo/cells/random-seed-0"
            f"{cells_there(folder)}"
        )
    check_cell_is_whole(folder, SETTINGS, PROVENANCE, TEACHER)
    cell, then = load_settings(folder), _last_run(folder)
    check_cell(folder, cell, trust=trust)
    with tempfile.TemporaryDirectory() as place:
        again = Path(place) / "cell"
        options = RunOptions(workers=1, cell=CellOptions(checkpoint_seconds=float("inf")))
        run_cells([(cell, again)], options, Observer())
        if (again / FAILURE).exists():
            log = (again / LOG).read_text().strip().rpartition("\n")[2] if (again / LOG).exists() else ""
            raise RuntimeError(f"{folder} can't be run again: {read_json(again / FAILURE)['reason']}. {log}")
        return Replayed(list(differences(folder, again)), list(_changed(then)))


def differences(folder: Path, other: Path) -> Iterator[str]:
    """Where two cells' records, teachers or students are not the same, in words."""
    for name, read in _READERS.items():
        there = [(place / name).exists() for place in (folder, other)]
        if all(there):
            yield from _different(read(folder / name), read(other / name), name)
        elif any(there):
            yield f"{name} is there in one only"


def _different(left: Any, right: Any, place: str) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            if key in left and key in right:
                yield from _different(left[key], right[key], f"{place}, {key}")
            else:
                yield f"{place}, {key} is there in one only"
    elif isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            yield f"{place} has {len(left)} and {len(right)} entries"
        for number, (one, another) in enumerate(zip(left, right, strict=False)):
            yield from _different(one, another, f"{place}, {number}")
    elif isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        if left.shape != right.shape or left.dtype != right.dtype:
            yield f"{place} is {left.shape} {left.dtype} and {right.shape} {right.dtype}"
        elif left.tobytes() != right.tobytes():
            unequal = np.flatnonzero(left.ravel() != right.ravel())
            where = f" from number {unequal[0]} on" if len(unequal) else " in the signs of zeros or NaN"
            yield f"{place} differs{where}"
    elif left != right and not (left != left and right != right):
        yield f"{place} is {left!r} and {right!r}"


def _last_run(folder: Path) -> dict[str, Any]:
    """What ran the cell last."""
    runs = read_json(folder / PROVENANCE)
    last = runs[-1] if isinstance(runs, list) and runs else None
    if not (isinstance(last, dict) and all(isinstance(last.get(part), dict) for part in ("versions", "machine"))):
        raise ValueError(f"{folder / PROVENANCE} does not say what ran the cell")
    return last


def _changed(then: dict[str, Any]) -> Iterator[str]:
    """What differs between the machine and versions of an earlier run, and those of now."""
    now = provenance()
    for part in ("versions", "machine"):
        for name in sorted(now[part]):
            if then[part].get(name) != now[part][name]:
                yield f"{name} was {then[part].get(name)}, and is {now[part][name]}"
    if then.get("commit") != now["commit"]:
        yield f"the commit was {then.get('commit')}, and is {now['commit']}"
