"""The teacher environment of a cell, and its teacher."""

from typing import Any

from teachgym.agents import teacher_class
from teachgym.base.named_settings import NamedSettings
from teachgym.core.teacher import Teacher
from teachgym.core.teacher_env import TeacherEnv
from teachgym.study.environments import environment_class, make_teacher_env, own_settings, takes
from teachgym.study.pair import pair
from teachgym.study.settings import Cell


def make_pair(cell: Cell) -> tuple[TeacherEnv, Teacher]:
    """Make the cell's teacher, and its environment with what the teacher needs unless the cell says otherwise.

    Raises:
        ValueError: If one of the two is unknown, does not take a setting, a student, a subject or a budget, or does not
            fit the other.
    """
    env, named, settings = NamedSettings.parse(cell.env), NamedSettings.parse(cell.teacher), _env_settings(cell)
    try:
        teacher_class(named.name)
    except TypeError as error:
        raise ValueError(str(error)) from error
    made, teacher = pair(env.name, named.name, seed=cell.seed, teacher_settings=named.settings, **settings)
    return _checked(cell, made), teacher


def make_environment(cell: Cell) -> TeacherEnv:
    """Make the cell's teacher environment for nobody in particular: its teacher is not even imported.

    Raises:
        ValueError: If it is unknown, is not a teacher environment, or does not take a setting, a student, a subject or
            a budget.
    """
    return _checked(cell, make_teacher_env(NamedSettings.parse(cell.env).name, _env_settings(cell)))


def _env_settings(cell: Cell) -> dict[str, Any]:
    """The environment's keywords, with the cell's subject, student and budget among them.

    Raises:
        ValueError: If the environment does not take one of these.
    """
    found = environment_class(cell.env)
    for setting, option, given in (
        ("subject", "--subject", cell.subject),
        ("student", "--student", cell.student),
        ("budget", "--budget", cell.budget),
    ):
        if given is not None and not takes(found, setting):
            name = NamedSettings.parse(cell.env).name
            raise ValueError(
                f"environment {cell.env!r} does not take {option} {given}; leave it out, or set what it takes with its "
                f"name, as in --env {name},SETTING=VALUE ({', '.join(own_settings(found))})"
            )
    settings = dict(NamedSettings.parse(cell.env).settings)
    if cell.subject is not None:
        subject = NamedSettings.parse(cell.subject)
        settings |= {"subject": subject.name, "subject_settings": dict(subject.settings)}
    if cell.student is not None:
        student = NamedSettings.parse(cell.student)
        settings |= {"student": student.name, "student_settings": dict(student.settings)}
    if cell.budget is not None:
        settings["budget"] = cell.budget
    return settings


def _checked(cell: Cell, made: TeacherEnv) -> TeacherEnv:
    if cell.evaluations > made.budget:
        raise ValueError(
            f"evaluations is {cell.evaluations}; expected at most the budget, {made.budget} {made.lifetime.budget_unit}"
        )
    return made
