"""Run one cell of a study, and read back what it left."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import gymnasium

from teachgym.agents import make_teacher
from teachgym.envs.curriculum import CurriculumEnv
from teachgym.files import read_json, read_state, write_json, write_state
from teachgym.loop import Progress, teach
from teachgym.names import unknown_name
from teachgym.record import Record
from teachgym.study.settings import Cell
from teachgym.study.spec import Spec
from teachgym.teacher import Teacher

SETTINGS = "cell.json"
RESULT = "result.json"
TEACHER = "teacher.npz"
STUDENT = "student.npz"
LOG = "log.txt"


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


def environment_id(name: str) -> str:
    """Complete ``StumpTracks`` to ``teachgym/StumpTracks-v0``; full ids are taken as they are.

    ``module:namespace/Name-v0`` is an environment that importing ``module`` registers.

    Raises:
        ValueError: If no environment has that name; suggests the nearest.
    """
    if ":" in name or name in gymnasium.registry:
        return name
    known = {spec.name: spec.id for spec in gymnasium.registry.values() if spec.namespace == "teachgym"}
    bare = name.removeprefix("teachgym/").removesuffix("-v0")
    if bare not in known:
        raise unknown_name("environment", name, known)
    return known[bare]


def make_environment(cell: Cell) -> CurriculumEnv:
    """Make the cell's teacher environment.

    Raises:
        ValueError: If it is unknown, a setting is not allowed, or it is no curriculum.
    """
    env, student = Spec.parse(cell.env), Spec.parse(cell.student)
    try:
        made = gymnasium.make(
            environment_id(env.name),
            disable_env_checker=True,
            student=student.name,
            student_settings=dict(student.settings),
            student_steps=cell.student_steps,
            **env.settings,
        ).unwrapped
    except (TypeError, ImportError, gymnasium.error.Error) as error:
        raise ValueError(f"environment {cell.env!r} can't be made: {error}") from error
    if not isinstance(made, CurriculumEnv):
        raise ValueError(f"environment {cell.env!r} is no curriculum; choose one that `teachgym list` shows")
    return made


def make_cell_teacher(cell: Cell, env: CurriculumEnv) -> Teacher:
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

        def on_step(progress: Progress) -> None:
            nonlocal evaluation_seconds
            done = len(progress.record.evaluations)
            due = min(progress.student_steps * cell.evaluations // cell.student_steps, cell.evaluations - 1)
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


def _store(folder: Path, record: Record, teacher: Teacher, env: CurriculumEnv) -> None:
    record.save(folder)
    write_state(folder / TEACHER, teacher.state_dict())
    student = env.student.state_dict()
    if student is not None:
        write_state(folder / STUDENT, student)


def load_cell(folder: Path) -> tuple[Cell, CurriculumEnv]:
    """Restore a cell's student from its last test, in an environment that can test it.

    The environment's seeds are those of the run, so that ``evaluate`` gives what the run recorded.

    Raises:
        ValueError: If the folder is no cell, holds no student yet, or a file is damaged.
    """
    for name in (SETTINGS, STUDENT):
        if not (folder / name).exists():
            raise ValueError(f"{folder} has no {name}; give the folder of a cell that has been tested at least once")
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
