"""The teacher environment of a cell, made for its teacher."""

import importlib
import re
from typing import Any

import gymnasium
import gymnasium.envs.registration

from teachgym.agents import teacher_class
from teachgym.names import searched, unknown_name
from teachgym.problem import ANTAGONIST, EXAMPLES, ORDERS, SCREENING, SHARES, TEXT, TREE_PLAN, TRUTH
from teachgym.study.settings import Cell
from teachgym.study.spec import Spec
from teachgym.teacher_env import TeacherEnv

NEEDED: dict[str, tuple[str, Any]] = {
    SCREENING: ("screening", "counted"),
    ANTAGONIST: ("antagonist", True),
    SHARES: ("action", "shares"),
    TREE_PLAN: ("action", "plan"),
    ORDERS: ("action", "plan"),
    EXAMPLES: ("action", "examples"),
    TEXT: ("observation", "text"),
    TRUTH: ("truth", True),
}
"""How an environment is asked for what it offers only on demand."""


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


def environment_class(env: str) -> type[gymnasium.Env[Any, Any]]:
    """The class of a study's environment, without making it.

    Raises:
        ValueError: If it is unknown, or can't be imported.
    """
    name = environment_id(Spec.parse(env).name)
    module, _, bare = name.rpartition(":")
    try:
        if module:
            importlib.import_module(module)
        found: Any = gymnasium.envs.registration.load_env_creator(gymnasium.spec(bare).entry_point)  # type: ignore[arg-type]
    except (ImportError, gymnasium.error.Error) as error:
        raise ValueError(f"environment {env!r} can't be found: {error}{searched(error)}") from error
    return found if isinstance(found, type) else gymnasium.Env


def make_environment(cell: Cell) -> TeacherEnv[Any, Any]:
    """Make the cell's teacher environment, with what its teacher needs unless the cell says otherwise.

    Raises:
        ValueError: If it is unknown, a setting is not allowed, or it is no teacher environment.
    """
    env = Spec.parse(cell.env)
    settings = {**_needed(cell.teacher), **env.settings}
    if cell.task is not None:
        task = Spec.parse(cell.task)
        settings |= {"task": task.name, "task_settings": dict(task.settings)}
    if cell.student is not None:
        student = Spec.parse(cell.student)
        settings |= {"student": student.name, "student_settings": dict(student.settings)}
    if cell.student_steps is not None:
        settings[getattr(environment_class(cell.env), "budget_name", "student_steps")] = cell.student_steps
    try:
        made = gymnasium.make(environment_id(env.name), disable_env_checker=True, **settings).unwrapped
    except (TypeError, ImportError, gymnasium.error.Error) as error:
        hint = searched(error)
        if re.search("unexpected keyword argument '(student|task)", str(error)):
            hint = "; its student, task or budget is its own: leave --student, --task or --student-steps out"
        raise ValueError(f"environment {cell.env!r} can't be made: {error}{hint}") from error
    if not isinstance(made, TeacherEnv):
        raise ValueError(f"environment {cell.env!r} is no teacher environment; choose one that `teachgym list` shows")
    if cell.evaluations > made.budget:
        raise ValueError(f"evaluations is {cell.evaluations}; expected at most one a student step, {made.budget}")
    return made


def _needed(teacher: str) -> dict[str, Any]:
    spec = Spec.parse(teacher)
    found = teacher_class(spec.name)
    try:
        needs = found.needs_with(found.Settings(**spec.settings))
    except TypeError:  # a setting that there is none of, which is refused when the teacher is made
        needs = found.needs
    return dict(NEEDED[need] for need in needs if need in NEEDED)
