"""The teacher environment of a cell, made for its teacher."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import gymnasium
import gymnasium.envs.registration

from teachgym.agents import teacher_class
from teachgym.base.named_settings import NamedSettings
from teachgym.base.registry import UnknownKeywordError, environment_id, import_module, searched
from teachgym.core.spec import ANTAGONIST, EXAMPLES, ORDERS, PROBES, SHARES, TEXT, TREE_PLAN, TRUTH
from teachgym.core.teacher_env import TeacherEnv
from teachgym.study.fitting import fitting_teachers, own_settings, takes
from teachgym.study.settings import Cell

NEEDED: dict[str, tuple[str, Any]] = {
    PROBES: ("probes", "counted"),
    ANTAGONIST: ("antagonist", True),
    SHARES: ("action", "shares"),
    TREE_PLAN: ("action", "plan"),
    ORDERS: ("action", "plan"),
    EXAMPLES: ("action", "examples"),
    TEXT: ("observation", "text"),
    TRUTH: ("truth", True),
}
"""How an environment is asked for what it offers only on demand."""


def environment_class(env: str) -> type[gymnasium.Env[Any, Any]]:
    """The class of a study's environment, without making it.

    Raises:
        ValueError: If it is unknown, or can't be imported.
    """
    name = environment_id(NamedSettings.parse(env).name)
    module, _, bare = name.rpartition(":")
    try:
        if module:
            import_module(module)
        found: Any = gymnasium.spec(bare).entry_point
        if isinstance(found, str):
            found = gymnasium.envs.registration.load_env_creator(found)
    except (ImportError, gymnasium.error.Error) as error:
        raise ValueError(f"environment {env!r} can't be found: {error}{searched(error)}") from error
    return found if isinstance(found, type) else gymnasium.Env


def make_environment(cell: Cell, *, for_teacher: bool = True) -> TeacherEnv:
    """Make the cell's teacher environment, with what its teacher needs unless the cell says otherwise.

    Args:
        cell: Its settings.
        for_teacher: Whether its teacher will act there; otherwise the teacher is not even imported.

    Raises:
        ValueError: If it is unknown, is not a teacher environment, does not take a setting, a student, a subject or a
            budget, or does not fit the teacher.
    """
    _check_options(cell)
    needs = _needs(cell.teacher) if for_teacher else frozenset()
    asked = dict(NEEDED[need] for need in needs if need in NEEDED)
    if not all(takes(environment_class(cell.env), setting) for setting in asked):
        raise _misfit(cell, needs)
    try:
        made = _make(cell, asked)
    except ValueError as error:
        if not asked or not _can_be_made(cell):
            raise
        raise _misfit(cell, needs) from error
    if not needs <= made.teaching_spec.offers:
        made.close()
        raise _misfit(cell, needs - made.teaching_spec.offers)
    if cell.evaluations > made.budget:
        raise ValueError(
            f"evaluations is {cell.evaluations}; expected at most the budget, {made.budget} {made.lifetime.budget_unit}"
        )
    return made


def _check_options(cell: Cell) -> None:
    """Refuse a subject, a student or a budget that the environment does not take."""
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


def _make(cell: Cell, asked: Mapping[str, Any]) -> TeacherEnv:
    env = NamedSettings.parse(cell.env)
    settings = {**asked, **env.settings}
    if cell.subject is not None:
        subject = NamedSettings.parse(cell.subject)
        settings |= {"subject": subject.name, "subject_settings": dict(subject.settings)}
    if cell.student is not None:
        student = NamedSettings.parse(cell.student)
        settings |= {"student": student.name, "student_settings": dict(student.settings)}
    if cell.budget is not None:
        settings["budget"] = cell.budget
    try:
        made = gymnasium.make(environment_id(env.name), disable_env_checker=True, **settings).unwrapped
    except (TypeError, ImportError, gymnasium.error.Error) as error:
        own = isinstance(error, UnknownKeywordError)  # which says more
        unknown = None if own else re.search(r"unexpected keyword argument '(\w+)'", str(error))
        reason = f"it has no setting {unknown[1]!r}" if unknown else str(error)
        raise ValueError(f"environment {cell.env!r} can't be made: {reason}{searched(error)}") from error
    if not isinstance(made, TeacherEnv):
        raise ValueError(
            f"environment {cell.env!r} is not a teacher environment; choose one that `teachgym list` shows"
        )
    return made


def _can_be_made(cell: Cell) -> bool:
    """Whether nothing but what the teacher needs is in the way."""
    try:
        _make(cell, {}).close()
    except ValueError:
        return False
    return True


def _misfit(cell: Cell, missing: Iterable[str]) -> ValueError:
    """The error for a teacher that needs what the environment does not offer."""

    def made_for(teacher: str) -> TeacherEnv:
        return _make(cell, dict(NEEDED[need] for need in _needs(teacher) if need in NEEDED))

    return ValueError(
        f"teacher {cell.teacher!r} does not fit environment {cell.env!r}, which does not offer it "
        f"{', '.join(sorted(missing))}; teachers that fit: {', '.join(fitting_teachers(made_for))}"
    )


def _needs(teacher: str) -> frozenset[str]:
    """What a teacher needs, with its settings."""
    named = NamedSettings.parse(teacher)
    found = teacher_class(named.name)
    try:
        return found.needs_with(found.Settings(**named.settings))
    except TypeError:  # a setting that there is none of, which is refused when the teacher is made
        return found.needs
