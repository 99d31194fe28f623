"""Look names up in a table, and say which one was probably meant when there is no such name."""

import importlib
import os
import sys
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium

from teachgym.base.annotations import shown

_LONGEST = 100
"""Letters of a name that is compared with others."""
_LONGEST_REASON = 500


def unknown_name(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """Make the error for a name that is in no table.

    Args:
        kind: What the name was to denote, for instance ``"teacher"``.
        name: The name that was given.
        known: The names that exist.

    Returns:
        A ``ValueError`` that names the nearest known name, if one is near, and all known names.
    """
    known = sorted(known)
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5) if len(name) <= _LONGEST else []
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ValueError(f"unknown {kind} {shown(name)}; {hint}known: {', '.join(known) or 'none'}")


class UnknownKeywordError(ValueError, TypeError):
    """A keyword that nothing takes; also a ``TypeError``, as Python's own, by which libraries try keywords out."""


def unknown_keyword(kind: str, name: str, known: Iterable[str]) -> UnknownKeywordError:
    """Make the error for a keyword that is not taken; arguments as for ``unknown_name``."""
    return UnknownKeywordError(f"{unknown_name(kind, name, known)} (unexpected keyword argument {name!r})")


def reset_options(options: Any, known: Iterable[str]) -> Mapping[str, Any]:
    """The options of a ``reset``, checked: none of them where None is given.

    Args:
        options: What was given.
        known: The options that exist.

    Raises:
        TypeError: If they are not given by name.
        ValueError: If one of them is unknown.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise TypeError(f"options are {shown(options)}; expected a mapping from {', '.join(map(repr, known))}, or None")
    for name in options:
        if name not in known:
            raise unknown_name("reset option", str(name), known)
    return options


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


def import_module(name: str) -> ModuleType:
    """Import a module that somebody has named, from the current folder too if it is nowhere else.

    Where that folder has it, it is searched from then on, after all others, so that the module finds its neighbours.
    It is not searched before: libraries try to import what is not there, and the folder may be somebody else's.

    Raises:
        ImportError: If it is not found, or can't be imported.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        here = _current_folder()
        if error.name != package or here is None or here in map(os.path.abspath, sys.path):
            raise
        if not any((Path(here) / found).exists() for found in (package, f"{package}.py")):
            raise
        sys.path.append(here)
        return importlib.import_module(name)


def _current_folder() -> str | None:
    """The current folder; None if it has been deleted."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def load_path(kind: str, path: str) -> Any:
    """Import what ``"package.module:name"`` points at.

    Args:
        kind: What is looked for, for the error message.
        path: Module and attribute, parted by a colon.

    Raises:
        ValueError: If there is no such module or attribute.
    """
    module_name, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        reason = str(error)[:_LONGEST_REASON]
        raise ValueError(
            f"{kind} {shown(path)} can't be imported: {reason}; expected 'package.module:name'{searched(error)}"
        ) from error


def searched(error: Exception) -> str:
    """Where a module that was not found has been looked for, to end a message; nothing for another error."""
    if not isinstance(error, ModuleNotFoundError):
        return ""
    here = _current_folder()
    places = [os.path.abspath(place) for place in sys.path if here or os.path.isabs(place)]
    return f"; looked in {', '.join(dict.fromkeys([*places, *([here] if here else [])]))}"
