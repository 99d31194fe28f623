"""A teacher environment, and a teacher that fits it."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from teachgym.agents import teacher_class
from teachgym.base.settings import make_settings
from teachgym.core.teacher import Teacher
from teachgym.core.teacher_env import TeacherEnv
from teachgym.study.environments import environment_class, make_teacher_env
from teachgym.study.fitting import MisfitError, fitted_pair, fitting_environments, fitting_teachers

_MOST_NAMED = 12


def make(env_id: str, /, **settings: Any) -> TeacherEnv:
    """Make a teacher environment: what ``gymnasium.make`` makes, without its wrappers, and typed.

    Args:
        env_id: Name of the environment, with or without ``teachgym/`` and ``-v0``.
        settings: Its keywords.

    Raises:
        ValueError: If it is unknown, is not a teacher environment, or a setting is not allowed.
    """
    return make_teacher_env(env_id, settings)


def pair(
    env_id: str,
    teacher: str | type[Teacher],
    /,
    *,
    seed: int,
    teacher_settings: Mapping[str, Any] | None = None,
    **env_settings: Any,
) -> tuple[TeacherEnv, Teacher]:
    """Make a teacher environment with the action and the observation that a teacher needs, and the teacher.

    The environment is asked for what the teacher requires and it gives on demand (``TeacherEnv.on_demand``), probes for
    instance, or shares of skills for actions. What is given by name here is not changed.

    Args:
        env_id: Name of the environment, with or without ``teachgym/`` and ``-v0``.
        teacher: A name that ``teachgym list`` shows, an import path ``"package.module:Class"``, or a class.
        seed: Non-negative integer, the same one that the environment is to be reset with.
        teacher_settings: Settings of the teacher by name; the rest keeps its defaults.
        env_settings: Keywords of the environment.

    Returns:
        The environment itself, without wrappers, and the teacher.

    Raises:
        ValueError: If one of the two is unknown or a setting is not allowed; or if they do not fit, with what the one
            requires, what the other has, and what would fit.
        TypeError: If the teacher's class is not one of a teacher.
    """
    found, settings = teacher_class(teacher), teacher_settings or {}
    own_name = teacher if isinstance(teacher, str) else found.__name__
    name = ",".join([own_name, *(f"{key}={value}" for key, value in settings.items())])
    chosen = make_settings(f"teacher {own_name!r}", found.Settings, settings)

    def make(asked: Mapping[str, Any]) -> TeacherEnv:
        return make_teacher_env(env_id, {**asked, **env_settings})

    on_demand = getattr(environment_class(env_id), "on_demand", ())
    try:
        return fitted_pair(make, found, chosen, seed=seed, on_demand=on_demand)
    except MisfitError as error:
        raise ValueError(
            f"teacher {name!r} does not fit environment {env_id!r}: {error}; teachers that fit it: "
            f"{_some(fitting_teachers(make))}; environments that fit the teacher: "
            f"{_some(fitting_environments(found.requirements(chosen)))}"
        ) from error


def _some(names: Iterable[str]) -> str:
    """The first names, and whether there are more."""
    first = list(islice(names, _MOST_NAMED + 1))
    rest = ["and others (see `teachgym list`)"] if len(first) > _MOST_NAMED else []
    return ", ".join([*first[:_MOST_NAMED], *rest]) or "none"
