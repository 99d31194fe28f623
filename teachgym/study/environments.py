"""Teacher environments by name: their classes, what their constructors take, and how they are made."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import gymnasium.envs.registration

from teachgym.base.named_settings import NamedSettings
from teachgym.base.registry import UnknownKeywordError, environment_id, import_module, searched
from teachgym.core.teacher_env import TeacherEnv


def environment_class(env: str) -> type[gymnasium.Env[Any, Any]]:
    """The class of a registered environment, without making it.

    Args:
        env: Its name, with or without ``teachgym/`` and ``-v0``; settings behind it make no difference.

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


def make_teacher_env(env: str, settings: Mapping[str, Any]) -> TeacherEnv:
    """Make a registered teacher environment.

    Args:
        env: Its name, with or without ``teachgym/`` and ``-v0``.
        settings: Keywords of its constructor.

    Raises:
        ValueError: If it is unknown, is not a teacher environment, or does not take a setting.
    """
    try:
        made = gymnasium.make(environment_id(env), disable_env_checker=True, **settings).unwrapped
    except (TypeError, ImportError, gymnasium.error.Error) as error:
        own = isinstance(error, UnknownKeywordError)  # which says more
        unknown = None if own else re.search(r"unexpected keyword argument '(\w+)'", str(error))
        reason = f"it has no setting {unknown[1]!r}" if unknown else str(error)
        raise ValueError(f"environment {env!r} can't be made: {reason}{searched(error)}") from error
    if not isinstance(made, TeacherEnv):
        raise ValueError(f"environment {env!r} is not a teacher environment; choose one that `teachgym list` shows")
    return made


def own_settings(env: type[gymnasium.Env[Any, Any]]) -> tuple[str, ...]:
    """The arguments that an environment's own constructor names."""
    return tuple(_named(vars(env).get("__init__"))[0])


def takes(env: type[gymnasium.Env[Any, Any]], setting: str) -> bool:
    """Whether the constructor takes an argument, or hands arguments of any name to who knows whom."""
    for cls in env.__mro__:
        if "__init__" not in vars(cls) or cls is TeacherEnv:  # whose parts the environment chooses
            continue
        names, hands_on = _named(vars(cls)["__init__"])
        if setting in names:
            return True
        if not hands_on:
            return False
    return True


def _named(constructor: Callable[..., Any] | None) -> tuple[list[str], bool]:
    """The names of a constructor's arguments, and whether it takes others too."""
    if constructor is None:
        return [], True
    parameters = list(inspect.signature(constructor).parameters.values())[1:]
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return names, any(one.kind is one.VAR_KEYWORD for one in parameters)
