"""Run one cell of a study, and read back what it left."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from teachgym.agents import make_teacher
from teachgym.files import read_json, read_state, write_json, write_state
from teachgym.loop import Progress, teach
from teachgym.record import Record
from teachgym.study.environment import make_environment
from teachgym.study.settings import Cell
from teachgym.study.spec import Spec
from teachgym.teacher import Teacher
from teachgym.teacher_env import TeacherEnv

SETTINGS = "cell.json"
RESULT = "result.json"
TEACHER = "teacher.npz"
STUDENT = "student.npz"
LOG = "log.txt"
DATA = "data"
"""Folder of what the environment itself leaves."""


@dataclass(frozen=True)
class Result:
    """What a finished cell cost. Its file is written last: a cell that has one is whole."""

    student_steps: int
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

    @property
    def student_seconds(self) -> float:
        """Time in the student: inference, learning, and the little that is left."""
        return self.total_seconds - self.world_seconds - self.teacher_seconds - self.evaluation_seconds

    @property
    def steps_per_second(self) -> float:
        """Student steps per second of world, student and teacher, without the tests."""
        return self.student_steps / max(self.total_seconds - self.evaluation_seconds, 1e-9)


def make_cell_teacher(cell: Cell, env: TeacherEnv[Any, Any]) -> Teacher:
    """Make the cell's teacher.

    Raises:
        ValueError: If it is unknown, or a setting is not allowed.
    """
    spec = Spec.parse(cell.teacher)
    return make_teacher(spec.name, env, seed=cell.seed, **spec.settings)


def run_cell(cell: Cell, folder: Path, report: Callable[[Progress], None]) -> Result:
    """Teach one student, testing it on the way, and store everything in ``folder``.

    Args:
        cell: What to run.
        folder: Empty or absent; the record so far, the teacher and the student appear in it with every test.
        report: Called after every decision.

    Returns:
        What it cost.
    """
    started = time.perf_counter()
    evaluation_seconds = 0.0
    write_json(folder / SETTINGS, cell.to_json())
    env = make_environment(cell)
    try:
        teacher = make_cell_teacher(cell, env)
        env.keep_files(folder / DATA)

        def on_step(progress: Progress) -> None:
            nonlocal evaluation_seconds
            done = len(progress.record.evaluations)
            due = min(progress.student_steps * cell.evaluations // progress.budget, cell.evaluations - 1)
            if progress.over or done < due:
                began = time.perf_counter()
                progress.record.evaluations.append(env.evaluate())
                evaluation_seconds += time.perf_counter() - began
                _store(folder, progress.record, teacher, env)
            report(progress)

        record = teach(env, teacher, seed=cell.seed, on_step=on_step)
        result = Result(
            student_steps=env.spent,
            episodes=len(record.feedback),
            world_seconds=env.world_seconds,
            teacher_seconds=record.teacher_seconds,
            evaluation_seconds=evaluation_seconds,
            total_seconds=time.perf_counter() - started,
        )
    finally:
        env.close()
    write_json(folder / RESULT, asdict(result))
    return result


def _store(folder: Path, record: Record, teacher: Teacher, env: TeacherEnv[Any, Any]) -> None:
    record.save(folder)
    write_state(folder / TEACHER, teacher.state_dict())
    student = env.student_state()
    if student is not None:
        write_state(folder / STUDENT, student)


def load_cell(folder: Path) -> tuple[Cell, TeacherEnv[Any, Any]]:
    """Restore a cell's student from its last test, in an environment that can test it.

    The environment's seeds are those of the run, so that ``evaluate`` gives what the run recorded.

    Raises:
        ValueError: If the folder is no cell, holds no student yet, or a file is damaged.
    """
    for name in (SETTINGS, STUDENT):
        if not (folder / name).exists():
            raise ValueError(
                f"{folder} has no {name}; give the folder of a cell that has been tested at least "
                "once, and whose environment stores its students"
            )
    cell = Cell.from_json(read_json(folder / SETTINGS))
    env = make_environment(cell)
    env.restore_student(read_state(folder / STUDENT), seed=cell.seed)
    return cell, env


def load_result(folder: Path) -> Result | None:
    """The result of a finished cell; None if the cell is not finished.

    Raises:
        ValueError: If the file is damaged.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    try:
        return Result(**read_json(path))
    except TypeError as error:
        raise ValueError(f"{path} is not a result of this version ({error})") from error
