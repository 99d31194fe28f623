"""What an object has learnt and forgets: attributes that neither its state brings back nor what follows from that."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from teachgym.base.state import Stateful, is_foreign, stored
from teachgym.testing.equality import difference


def forgotten(used: Stateful, fresh: Stateful) -> str | None:
    """An attribute that differs although both have taken the state of the one that was used over; None if none does.

    What is dropped or worked out again after ``load`` is so in both; what is left of a difference is not kept. Objects
    of other packages that nobody has registered are passed over, as are functions.

    Args:
        used: It is as before afterwards, but for what it works out again.
        fresh: One of the same class and settings.
    """
    state = used.state()
    used.load(state)
    fresh.load(state)
    own = {"teachgym", *(base.__module__.partition(".")[0] for base in type(used).__mro__)} - {"builtins", "abc"}
    seen: set[int] = set()
    found: list[tuple[str, Any, Any]] = [("self", used, fresh)]
    while found:
        place, one, other = found.pop()
        if one is other or id(one) in seen:
            continue
        seen.add(id(one))
        parts = _parts(place, one, other, own)
        if parts is None:
            return place
        found.extend(parts)
    return None


def _parts(place: str, one: Any, other: Any, own: set[str]) -> Sequence[tuple[str, Any, Any]] | None:
    """What two values hold, pair by pair; None if they differ."""
    if type(one) is not type(other):
        return None
    if one is None or isinstance(one, bool | int | float | str | bytes | np.ndarray | np.generic):
        return None if difference(one, other) else []
    if is_foreign(one):
        return None if difference(stored(one), stored(other)) else []
    if isinstance(one, Mapping):
        same = list(one) == list(other)
        return [(f"{place}[{key!r}]", one[key], other[key]) for key in one] if same else None
    if isinstance(one, list | tuple | deque):
        pairs = zip(one, other, strict=False)
        return [(f"{place}[{k}]", *pair) for k, pair in enumerate(pairs)] if len(one) == len(other) else None
    if isinstance(one, set | frozenset):
        return [] if one == other else None
    if type(one).__module__.partition(".")[0] in own:
        return list(_attributes(place, one, other))
    return []


def _attributes(place: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    left, right = (getattr(owner, "__dict__", {}) for owner in (one, other))
    for name in left:
        if not isinstance(getattr(type(one), name, None), cached_property):
            yield f"{place}.{name}", left[name], right.get(name)
