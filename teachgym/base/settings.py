"""Settings: frozen dataclasses, and arguments, that are checked by their annotations wherever they come from."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ParamSpec, TypeVar, dataclass_transform, get_type_hints

from teachgym.base.annotations import read_value, shown
from teachgym.base.registry import unknown_keyword

SettingsT = TypeVar("SettingsT")
Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def checked_dataclass(cls: type[SettingsT]) -> type[SettingsT]:
    """Make a frozen dataclass whose fields are checked by their annotations, before its own ``__post_init__`` runs.

    The class raises ``ValueError`` with what is expected where a value is not of the annotated type, and holds values
    as ``teachgym.base.annotations.read_value`` gives them: of a list in a file, a tuple.

    Raises:
        TypeError: If a field that is declared again, for another default, has lost the bounds of its base class's.
    """
    _check_overrides(cls)
    rules: Callable[[Any], None] | None = getattr(cls, "__post_init__", None)

    def check(self: Any) -> None:
        check_fields(self)
        if rules is not None:
            rules(self)

    cls.__post_init__ = check  # type: ignore[attr-defined]
    return dataclass(frozen=True)(cls)


def check_fields(settings: Any) -> None:
    """Check the fields of a dataclass by their annotations, and put in place what ``read_value`` makes of them.

    Raises:
        ValueError: If one is of another type.
    """
    for name, kind in _field_kinds(type(settings)).items():  # type: ignore[arg-type]
        object.__setattr__(settings, name, read_value(name, getattr(settings, name), kind))


def checked_arguments(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Check a function's arguments by their annotations; those that it takes as ``**keywords`` are left to others."""
    signature = inspect.signature(function)
    kinds: dict[str, Any] = {}  # read at the first call, when all that annotations name is defined

    @functools.wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # raises Python's own error, which names the function
        if not kinds:
            kinds.update(get_type_hints(function, include_extras=True))
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if name in kinds and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                bound.arguments[name] = read_value(name, value, kinds[name])
        return function(*bound.args, **bound.kwargs)

    return checked


def make_settings(owner: str, kind: type[Any], given: Mapping[str, Any]) -> Any:
    """Make a settings dataclass from what was given by name; the rest keeps its defaults.

    Args:
        owner: Whose settings they are, for the error message, for instance ``"student 'ppo'"``.
        kind: The dataclass.
        given: Values by name of field.

    Raises:
        ValueError: If a name is unknown (then also a ``TypeError``), or a value is not allowed.
    """
    known = [field.name for field in fields(kind) if field.init]
    for name in given:
        if name not in known:
            raise unknown_keyword(f"setting of {owner}:", name, known)
    return chosen_settings(kind, kind(**given))


def chosen_settings(kind: type[Any], settings: Any) -> Any:
    """The settings that something of this kind was given, or its defaults.

    Args:
        kind: The dataclass of its settings.
        settings: One of these; None takes the defaults. The fields of a plain dataclass are checked here.

    Raises:
        TypeError: If they are not of that class.
        ValueError: If the value of a field is not of its type.
    """
    if settings is None:
        settings = kind()
    if not isinstance(settings, kind):
        raise TypeError(f"settings are {shown(settings)}; expected a {kind.__name__}")
    check_fields(settings)
    return settings


def _check_overrides(cls: type[Any]) -> None:
    """Raise ``TypeError`` where a field that is declared again lacks the bounds that it has in a base class."""
    for base in cls.__bases__:
        again = inspect.get_annotations(cls).keys() & getattr(base, "__dataclass_fields__", {}).keys()
        for name in again:
            kind, bounded = (get_type_hints(one, include_extras=True)[name] for one in (cls, base))
            if kind == get_type_hints(base)[name] != bounded:
                raise TypeError(f"{cls.__name__}.{name} lacks the bounds of {base.__name__}.{name}; annotate it alike")


@functools.cache
def _field_kinds(cls: type[Any]) -> dict[str, Any]:
    """The annotations of a dataclass's fields, by name."""
    kinds = get_type_hints(cls, include_extras=True)
    return {field.name: kinds[field.name] for field in fields(cls)}


@checked_dataclass
class NoSettings:
    """Of what has nothing to set."""
