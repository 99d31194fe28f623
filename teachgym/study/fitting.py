"""What fits an environment: the settings that it takes, and the teachers that can teach in it."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium

from teachgym.agents import TEACHERS, make_teacher
from teachgym.core.teacher_env import TeacherEnv


def own_settings(env: type[gymnasium.Env[Any, Any]]) -> tuple[str, ...]:
    """The arguments that an environment's own constructor names."""
    return tuple(_named(vars(env).get("__init__"))[0])


def takes(env: type[gymnasium.Env[Any, Any]], setting: str) -> bool:
    """Whether the constructor takes an argument, or hands arguments of any name to who knows whom."""
    for cls in env.__mro__:
        if "__init__" not in vars(cls):
            continue
        names, hands_on = _named(vars(cls)["__init__"])
        if setting in names:
            return True
        if not hands_on:
            return False
    return True


def fitting_teachers(make_environment: Callable[[str], TeacherEnv]) -> Iterator[str]:
    """The teachers that can be made for an environment, with their default settings.

    Args:
        make_environment: Makes the environment for the teacher of that name, or raises ``ValueError``.
    """
    for name in TEACHERS:
        try:
            env = make_environment(name)
            make_teacher(name, env, seed=0)
        except (ValueError, TypeError, ImportError):
            continue
        env.close()
        yield name


def _named(constructor: Callable[..., Any] | None) -> tuple[list[str], bool]:
    """The names of a constructor's arguments, and whether it takes others too."""
    if constructor is None:
        return [], True
    parameters = list(inspect.signature(constructor).parameters.values())[1:]
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return names, any(one.kind is one.VAR_KEYWORD for one in parameters)
