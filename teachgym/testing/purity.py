"""What a teacher must not do or keep, and how to tell: files that it writes, environments, a state without bounds."""

import functools
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FunctionType, MethodType, ModuleType
from typing import Any

import gymnasium
import numpy as np

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_watchers: dict[int, list[str]] = {}
"""Files that each thread which is watched has opened to write."""


@functools.cache
def _install() -> None:
    """Have Python tell of every file that is opened; this can't be undone, but costs nothing worth measuring."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        written = _watchers.get(threading.get_ident())
        if event != "open" or written is None:
            return
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITES and not isinstance(path, int):
            name = os.fsdecode(path)
            if name != os.devnull and "__pycache__" not in name:  # what an import compiles is no work of the teacher
                written.append(name)

    sys.addaudithook(hook)


@contextmanager
def written_files() -> Iterator[list[str]]:
    """The files that this thread opens to write, in a list that grows as it does."""
    _install()
    thread = threading.get_ident()
    written = _watchers[thread] = []
    try:
        yield written
    finally:
        del _watchers[thread]


def kept_environment(owner: Any, *, beside: Sequence[Any] = ()) -> str | None:
    """Where an object keeps a Gymnasium environment, itself or in what it holds, or None.

    Args:
        owner: Whose attributes are searched, through containers, objects and functions.
        beside: What is not searched.
    """
    seen = {id(other) for other in beside}
    found: list[tuple[str, Any]] = [("self", owner)]
    while found:
        place, value = found.pop()
        if isinstance(value, gymnasium.Env | gymnasium.vector.VectorEnv):
            return place
        if id(value) not in seen:
            seen.add(id(value))
            found.extend(_held(place, value))
    return None


def _held(place: str, value: Any) -> list[tuple[str, Any]]:
    """What an object holds, and where."""
    if isinstance(value, str | bytes | np.ndarray | type | ModuleType):
        return []
    if isinstance(value, MethodType):
        return [(f"{place}.__self__", value.__self__)]
    if isinstance(value, functools.partial):
        return [(f"{place}.func", value.func), *_held(place, value.args), *_held(place, value.keywords)]
    if isinstance(value, FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        return [(f"{place}, by {name}", cell.cell_contents) for name, cell in cells if _is_filled(cell)]
    if isinstance(value, Mapping):
        return [(f"{place}[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, list | tuple | set | frozenset) or type(value).__name__ == "deque":
        return [(f"{place}[{k}]", item) for k, item in enumerate(value)]
    return [(f"{place}.{name}", item) for name, item in getattr(value, "__dict__", {}).items()]


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # of a variable that has no value yet
        return False


def sizes(state: Mapping[str, Any], place: str = "") -> dict[str, int]:
    """Bytes of each part of a state, by the keys that lead there; a list counts as a whole."""
    found: dict[str, int] = {}
    for key, value in state.items():
        inside = isinstance(value, Mapping)
        found |= sizes(value, f"{place}{key}.") if inside else {f"{place}{key}": _size(value)}
    return found


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return len(value) if isinstance(value, str) else 8


def growing(measured: Sequence[Mapping[str, int]]) -> str | None:
    """A part of the state whose sizes, at equal distances, grow by about as much each time; None if there is none."""
    for part in measured[-1]:
        steps = np.diff([each.get(part, 0) for each in measured])
        if np.min(steps) > 0 and 2 * np.min(steps) >= np.max(steps):
            return part
    return None
