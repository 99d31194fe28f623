"""Look names up in a table, and say which one was probably meant when there is no such name."""

import importlib
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


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
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ValueError(f"unknown {kind} {name!r}; {hint}known: {', '.join(known) or 'none'}")


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
        return getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{kind} {path!r} can't be imported: {error}; expected 'package.module:name'") from error
