"""Look names up in a table, and say which one was probably meant when there is no such name."""

from collections.abc import Iterable
from difflib import get_close_matches


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
