"""Settings that only some variants of a teacher use: None is a variant's own default, and misuse is refused."""

from collections.abc import Iterable, Mapping
from typing import Any


def refuse_unused(settings: Any, optional: Iterable[str], kind: str, used: Mapping[str, Iterable[str]]) -> None:
    """Raise ``ValueError`` where a setting is given that the chosen variant does not use.

    Args:
        settings: A dataclass of settings, whose field ``kind`` is the variant's name.
        optional: Fields that only some variants use; None where they are not given.
        kind: The field that names the variant.
        used: The fields that every variant uses.
    """
    variant = getattr(settings, kind)
    own = set(used[variant])
    for name in optional:
        value = getattr(settings, name)
        if value is not None and name not in own:
            users = [repr(other) for other, names in used.items() if name in set(names)]
            raise ValueError(
                f"{name} is {value!r}, but {kind} {variant!r} does not use it; leave it None, or choose a {kind} "
                f"that does: {', '.join(users)}"
            )


def given(settings: Any, names: Iterable[str]) -> dict[str, Any]:
    """Those of the settings that are given, by name."""
    return {name: value for name in names if (value := getattr(settings, name, None)) is not None}
