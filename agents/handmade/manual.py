"""A schedule of tasks from a file, as a person or another program wrote it."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from teachgym.agents.base.task_actions import TASKS_AND_ARMS, TaskActions
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note, Teacher

FORMAT = (
    "a .csv file with a header of the task's parameters (or 'arm'), or a .json file with a list of tasks, each a list "
    "of numbers or an object; every row may say 'count', how often its task is given in a row, or all of them "
    "'after_steps', how many student steps are spent before it is"
)
"""What a schedule looks like."""
_TIMING = ("count", "after_steps")


@checked_dataclass
class ManualSettings:
    """Settings of ``Manual``.

    Raises:
        ValueError: If a value is not allowed.
    """

    path: str = ""
    """The schedule: a CSV file whose header names the parameters, or a JSON list of tasks. A row may have ``count``
    (how often the task is given in a row; 1), or all rows ``after_steps`` (student steps after which the row's task
    is given, until the next row's; 0 in the first)."""
    at_end: Literal["repeat", "cycle"] = "repeat"
    """After the last row: ``"repeat"`` its task for ever, or ``"cycle"`` back to the first (not with
    ``after_steps``)."""


@dataclass(frozen=True)
class Schedule:
    """Tasks in order, and when each begins."""

    tasks: FloatArray
    """``(rows, n)`` in task units."""
    begins: NDArray[np.int64]
    """``(rows,)`` decisions, or student steps, before each."""
    by_steps: bool
    """Whether ``begins`` counts student steps."""
    length: int
    """Decisions in the whole schedule; 0 where ``begins`` counts steps."""

    @classmethod
    def read(cls, path: str, actions: TaskActions) -> "Schedule":
        """Read a schedule of an environment's tasks.

        Raises:
            ValueError: If there is no such file, or it is not as ``FORMAT`` says; the message says where.
        """
        if not path:
            raise ValueError(f"no schedule was given; expected path to name {FORMAT}")
        rows = _rows(Path(path))
        if not rows:
            raise ValueError(f"schedule {path} has no rows; expected {FORMAT}")
        tasks, timings = [], []
        for number, row in enumerate(rows):
            try:
                task, timing = _parse(row, actions)
            except ValueError as error:
                raise ValueError(f"row {number} (from 0) of schedule {path}: {error}; expected {FORMAT}") from error
            tasks.append(task)
            timings.append(timing)
        by_steps = any("after_steps" in timing for timing in timings)
        if by_steps:
            begins = [timing.get("after_steps", -1) for timing in timings]
            if begins[0] != 0 or min(begins) < 0 or begins != sorted(begins) or any("count" in t for t in timings):
                raise ValueError(
                    f"schedule {path} begins its rows after {begins} steps; expected after_steps in all rows, 0 in the "
                    "first and then never less, and no count"
                )
            return cls(np.array(tasks), np.array(begins, dtype=np.int64), True, 0)
        counts = np.array([timing.get("count", 1) for timing in timings], dtype=np.int64)
        ends = np.cumsum(counts)
        return cls(np.array(tasks), ends - counts, False, int(ends[-1]))


@final
class Manual(Teacher):
    """Gives the student the tasks that a file lists, in its order, and learns nothing.

    Use it to replay a schedule that someone designed, or one that another teacher made. Rows go by decisions
    (``count``) or by student steps spent (``after_steps``). The file is read once, when the teacher is made; it
    draws nothing at random.

    ``origin`` is ``"row 0"``, and so on.

    Args:
        spec: The environment's fixed facts. Tasks are a floating box of any shape, or arms.
        settings: A ``ManualSettings``; its path has no default.
        seed: Non-negative integer; it makes no difference.

    Raises:
        ValueError: If no path is given, the file can't be read or is not as described, a task is not in the task
            space, or a schedule by steps is to be cycled.
    """

    Settings = ManualSettings
    settings: ManualSettings
    acts_on = TASKS_AND_ARMS
    keeps = ("_steps",)

    def __init__(self, spec: TeachingSpec, settings: ManualSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self._actions = TaskActions(spec)
        self._schedule = Schedule.read(self.settings.path, self._actions)
        if self._schedule.by_steps and self.settings.at_end == "cycle":
            raise ValueError("at_end is 'cycle', but a schedule with after_steps says no end; expected 'repeat'")
        self._steps = 0

    def _act(self, observation: Any) -> Choice:
        """The task of the row that is due."""
        schedule = self._schedule
        place = self._steps if schedule.by_steps else self.decisions
        if self.settings.at_end == "cycle":
            place %= schedule.length
        row = int(np.searchsorted(schedule.begins, place, side="right")) - 1
        return Choice(self._actions.action(schedule.tasks[row]), f"row {row}")

    def _update(self, transition: Transition, note: Note | None) -> None:
        """Count the student's steps."""
        if transition.feedback is not None:
            self._steps += transition.feedback.cost


def _rows(path: Path) -> list[Any]:
    """The rows of a file: dicts of text or numbers, or lists of numbers."""
    try:
        if path.suffix.lower() == ".json":
            rows = json.loads(path.read_text())
            if not isinstance(rows, list):
                raise ValueError("it holds no list")
            return rows
        if path.suffix.lower() == ".csv":
            with path.open(newline="") as file:
                return list(csv.DictReader(file, skipinitialspace=True, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"schedule {path} can't be read: {error}; expected {FORMAT}") from error
    raise ValueError(f"schedule {path} is of no known kind; expected {FORMAT}")


def _parse(row: Any, actions: TaskActions) -> tuple[FloatArray, dict[str, int]]:
    """A row's task, and what it says of time."""
    if not isinstance(row, dict):
        return actions.validate(row), {}
    timing = {name: _whole(name, row[name]) for name in _TIMING if row.get(name) not in (None, "")}
    rest = {name: value for name, value in row.items() if name not in _TIMING}
    if "task" in rest and "task" not in actions.names:
        task = rest.pop("task")
        if rest:
            raise ValueError(f"{', '.join(map(str, rest))} stand beside the task")
        return actions.validate(task), timing
    for name in rest:
        if name not in actions.names:
            raise ValueError(
                f"{name!r} is neither a parameter ({', '.join(actions.names)}) nor {' nor '.join(_TIMING)}"
            )
    try:
        numbers = {name: float(value) for name, value in rest.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(f"{rest} is not numeric") from error
    return actions.validate(numbers), timing


def _whole(name: str, value: Any) -> int:
    """A whole number, from a file."""
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    check_whole(name, number, 1 if name == "count" else 0)
    return int(number)
