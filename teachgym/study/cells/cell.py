"""Run one cell of a study, and read back what it left."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from teachgym import __version__
from teachgym.base.checksums import check_file
from teachgym.base.files import clear_leftovers, read_json, read_state, write_json, write_state
from teachgym.base.settings import checked_dataclass
from teachgym.core.loop import Progress, Teaching
from teachgym.core.teacher_env import TeacherEnv
from teachgym.study.cells.cells_there import cells_there
from teachgym.study.cells.checkpoints import Checkpoints
from teachgym.study.cells.environment import make_environment, make_pair
from teachgym.study.cells.finished import Result, begin_again, check_cell_is_whole, finish, is_finished, load_finished
from teachgym.study.cells.lock import alone_in
from teachgym.study.cells.log import say
from teachgym.study.cells.provenance import provenance
from teachgym.study.results.measures import Measures
from teachgym.study.settings import Cell
from teachgym.study.trackers import Tracking
from teachgym.study.trust import check_cell

SETTINGS = "cell.json"
TEACHER = "teacher.npz"
STUDENT = "student.npz"
FAILURE = "failure.json"
"""Why a cell failed."""
LOG = "log.txt"
PROVENANCE = "provenance.json"
"""What ran the cell, once for every time that it was begun or gone on with."""
DATA = "data"
"""Folder of what the environment itself leaves."""
_PATIENCE = 20.0
"""Seconds to wait for a process that ran the cell, and is being stopped."""
_WRITING_SHARE = 50
"""The time between checkpoints is at least this many times that of writing one."""


@checked_dataclass
class CellOptions:
    """How a cell is run; its result does not depend on it."""

    checkpoint_seconds: float = 120.0
    """Time between checkpoints, unless writing one takes more than a fiftieth of it; 0 for as many as possible."""
    trackers: tuple[str, ...] = ()
    """Where metrics are logged."""


def run_cell(
    cell: Cell, folder: Path, report: Callable[[Progress], None], options: CellOptions | None = None
) -> Result:
    """Teach one student, testing it before and on the way, and store everything in ``folder``.

    If the folder holds checkpoints of this cell, it is gone on from the last good one; on CPU the result is then the
    same, bit for bit, as if the run had never stopped. If another process has finished the cell meanwhile, nothing is
    run. A finished cell with a damaged file is run again.

    Args:
        cell: What to run.
        folder: Of this cell, or empty, or absent; the record so far, the teacher and the student appear in it with
            every test.
        report: Called after every decision.
        options: How; None takes the defaults.

    Returns:
        What it cost.

    Raises:
        ValueError: If the folder is another cell's.
        FolderInUseError: If another process runs the cell.
        FloatingPointError: If the student has diverged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder, patience=_PATIENCE):
        _check_is(cell, folder)
        checkpoints = Checkpoints(folder, {"cell": cell.to_json(), "teachgym": __version__})
        if is_finished(folder):
            try:
                _, result = load_finished(folder)
            except (ValueError, OSError) as error:
                say(f"{error}; the cell is run again")
            else:
                checkpoints.delete()
                return result
        return _Runner(cell, folder, options or CellOptions(), checkpoints).run(report)


def _check_is(cell: Cell, folder: Path) -> None:
    """Raise ``ValueError`` if the folder is another cell's; damaged settings identify no cell."""
    try:
        if is_finished(folder):
            check_file(folder, SETTINGS)
        stored = load_settings(folder) if (folder / SETTINGS).exists() else cell
    except ValueError as error:
        say(f"{error}; it is written anew")
        return
    if stored != cell:
        raise ValueError(f"{folder} holds another cell; choose another --name, or --overwrite")


class _Runner:
    """One cell in the making."""

    def __init__(self, cell: Cell, folder: Path, options: CellOptions, checkpoints: Checkpoints) -> None:
        self._cell, self._folder, self._options, self._checkpoints = cell, folder, options, checkpoints
        begin_again(folder)
        clear_leftovers(folder)
        (folder / FAILURE).unlink(missing_ok=True)
        write_json(folder / SETTINGS, cell.to_json())
        self._earlier_seconds = self._evaluation_seconds = 0.0
        self._interval = options.checkpoint_seconds
        self._asked_at: float | None = None
        self._started = self._saved_at = time.perf_counter()
        self._make()

    def run(self, report: Callable[[Progress], None]) -> Result:
        """From the last checkpoint, or the beginning, to the end."""
        try:
            resumed_at = self._take_up()
            self._note_run(resumed_at)
            measures = Measures.of(self._env)
            with Tracking(
                self._options.trackers, self._folder, self._cell, measures, resumed_at=resumed_at
            ) as tracking:
                tracking.show(self._teaching.progress)
                while not self._teaching.over:
                    progress = self._teaching.step()
                    self._test_if_due(progress)
                    self._save(progress)
                    tracking.show(progress)
                    report(progress)
            record, env = self._teaching.record, self._env
            result = Result(
                spent=env.spent,
                episodes=len(record.feedback),
                world_seconds=env.lifetime.world_seconds,
                teacher_seconds=record.teacher_seconds,
                evaluation_seconds=self._evaluation_seconds,
                total_seconds=self._seconds,
            )
        finally:
            self._env.close()
        finish(self._folder, result, self._others())
        self._checkpoints.delete()
        return result

    @property
    def _seconds(self) -> float:
        return self._earlier_seconds + time.perf_counter() - self._started

    def _make(self) -> None:
        self._env, self._teacher = make_pair(self._cell)
        self._env.lifetime.keep_files(self._folder / DATA)
        self._teaching = Teaching(self._env, self._teacher)

    def _take_up(self) -> int:
        """Go on from the last good checkpoint; returns the student steps at which the run goes on."""
        for path, state in self._checkpoints.states():
            try:
                if isinstance(state, ValueError):
                    raise state
                self._teaching.load_state_dict(state["teaching"])
            except (ValueError, KeyError, TypeError) as error:
                say(f"{path.name} can't be gone on from, the one before is tried: {error}")
                self._env.close()
                self._make()
                continue
            self._earlier_seconds, self._evaluation_seconds = state["seconds"], state["evaluation_seconds"]
            say(f"going on from {path.name}, {self._env.spent:,} of {self._env.budget:,} spent")
            return self._env.spent
        self._teaching.begin(self._cell.seed)
        try:
            self._test()
        except RuntimeError as error:  # a training function may take its first steps before it publishes a policy
            say(f"the untrained student is not tested: {error}")
        return 0

    def _note_run(self, resumed_at: int) -> None:
        path = self._folder / PROVENANCE
        earlier = _read_if_whole(path) if resumed_at else None
        write_json(path, [*(earlier or []), {"from_step": resumed_at, **provenance()}])

    def _others(self) -> Iterator[str]:
        """The files of the cell beside its result and record; logs, of words or metrics, are not of the cell."""
        yield from (SETTINGS, PROVENANCE, TEACHER)
        if (self._folder / STUDENT).exists():
            yield STUDENT
        for path in (self._folder / DATA).rglob("*"):
            if path.is_file():
                yield path.relative_to(self._folder).as_posix()

    def _test_if_due(self, progress: Progress) -> None:
        tests, wanted = progress.record.evaluations, self._cell.evaluations
        due = min(progress.spent * wanted // progress.budget, wanted - 1)
        if progress.over or len(tests) - bool(tests and tests[0].untrained) < due:
            self._test()

    def _test(self) -> None:
        """Test the student as it is now, and store it, its teacher and the record so far."""
        record, began = self._teaching.record, time.perf_counter()
        test = self._env.evaluate()
        if not np.isfinite(test.returns).all():
            raise FloatingPointError("a test gave an outcome that is not finite: the student has diverged")
        record.evaluations.append(test)
        self._evaluation_seconds += time.perf_counter() - began
        record.save(self._folder)
        write_state(self._folder / TEACHER, self._teacher.state_dict())
        student = self._env.lifetime.student_state()
        if student is not None:
            _check_finite(student)
            write_state(self._folder / STUDENT, student)

    def _save(self, progress: Progress) -> None:
        """Write a checkpoint when its time has come, and the student can be captured cheaply or is long in coming."""
        now = time.perf_counter()
        if progress.over or (self._asked_at is None and now - self._saved_at < self._interval):
            return
        if self._asked_at is None:
            self._asked_at = now
            self._env.lifetime.capture_soon()
        if self._env.lifetime.capturing and now - self._asked_at <= self._interval:
            return
        times = {"seconds": self._seconds, "evaluation_seconds": self._evaluation_seconds}
        try:
            self._checkpoints.save({"teaching": self._teaching.state_dict(), **times})
        except TypeError as error:  # an outside author's environment or teacher, with a state that no file takes
            say(f"this run can't be stored, and begins again if it is interrupted: {error}")
            self._interval, self._asked_at = float("inf"), None
            return
        self._saved_at, self._asked_at = time.perf_counter(), None
        self._interval = max(self._options.checkpoint_seconds, _WRITING_SHARE * (self._saved_at - now))


def _read_if_whole(path: Path) -> Any:
    """What a JSON file holds; None, and a line in the log, where it is damaged; None where there is none."""
    try:
        return read_json(path) if path.exists() else None
    except ValueError as error:
        say(f"{error}; it is written anew")
        return None


def _check_finite(state: Any, place: str = "student") -> None:
    if isinstance(state, dict):
        for name, value in state.items():
            _check_finite(value, f"{place}/{name}")
    elif isinstance(state, np.ndarray) and state.dtype.kind == "f" and not np.isfinite(state).all():
        raise FloatingPointError(f"{place} has numbers that are not finite: the student has diverged")


def load_settings(folder: Path) -> Cell:
    """What a folder says that it is the cell of.

    Raises:
        FileNotFoundError: If it says nothing.
        ValueError: If the file is damaged or of another version; the message names it.
    """
    path = folder / SETTINGS
    entries = read_json(path)
    try:
        return Cell.from_json(entries)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def load_cell(folder: Path, *, trust: bool = False) -> tuple[Cell, TeacherEnv]:
    """Restore a cell's student from its last test, in an environment that can test it.

    The environment's seeds are those of the run, so that ``evaluate`` gives what the run recorded. The teacher is
    neither imported nor made.

    Args:
        folder: Of the cell.
        trust: Whether the cell may use more than teachgym's own code: import modules, call hosts, read environment
            variables and files elsewhere, as its settings say.

    Raises:
        ValueError: If the folder is not a cell, holds no student yet, a file is damaged, or the cell would need trust.
    """
    if is_finished(folder):
        check_cell_is_whole(folder, SETTINGS)
    for name in (SETTINGS, STUDENT):
        if not (folder / name).exists():
            raise ValueError(
                f"{folder} has no {name}; give the folder of a cell that has been tested at least "
                f"once, and whose environment stores its students{cells_there(folder)}"
            )
    cell, student = load_settings(folder), read_state(folder / STUDENT)
    check_cell(folder, cell, trust=trust, teacher=False)
    env = make_environment(cell)
    try:
        env.restore_student(student, seed=cell.seed)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{folder / STUDENT} is not a student of this cell ({error})") from error
    return cell, env
