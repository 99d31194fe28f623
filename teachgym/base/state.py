"""Stored states: a class names the attributes that it keeps, and one mechanism stores and restores them."""

import functools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

import numpy as np

from teachgym.base.packing import pack, unpack

State = dict[str, Any]
"""What an object needs to go on from where it was: arrays and plain values, nested in dictionaries and lists."""
_FOREIGN: dict[type[Any], tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {}


class Stateful:
    """An object whose state is the attributes that ``keeps`` names, in its class and in those that it derives from.

    Kept are arrays, numbers, texts, None, lists, tuples, deques and dictionaries of them, dataclasses of them, other
    objects with ``state`` and ``load`` (also in lists whose length is fixed by the settings), and what ``foreign`` has
    registered. What is None or empty in a fresh object and is made of dataclasses is annotated in the class:
    ``_mixture: Mixture | None``.
    """

    keeps: ClassVar[tuple[str, ...]] = ()
    """Names of the attributes that change as the object is used, but for what is derived from them."""

    def state(self) -> State:
        """The attributes that are kept, copied, as arrays and plain values, by names without leading underscores."""
        names = _kept_names(type(self))  # type: ignore[arg-type]
        return {name.lstrip("_"): _stored(getattr(self, name)) for name in names}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state`` of such an object gave, with the same settings."""
        kinds = _annotations(type(self))  # type: ignore[arg-type]
        for name in _kept_names(type(self)):  # type: ignore[arg-type]
            setattr(self, name, _restored(getattr(self, name), state[name.lstrip("_")], kinds.get(name)))
        self._forget_derived()

    def _forget_derived(self) -> None:
        """Drop what is derived from what is kept, after ``load``. Here: nothing."""


def foreign(kind: type[Any], store: Callable[[Any], Any], restore: Callable[[Any, Any], Any]) -> None:
    """Say how objects of somebody else's class, and of its subclasses, are kept.

    Args:
        kind: The class.
        store: From the object to arrays and plain values.
        restore: From the object that is there and what ``store`` gave to the object that is to be there.
    """
    _FOREIGN[kind] = store, restore


@contextmanager
def loading(owner: object) -> Iterator[None]:
    """For taking a stored state over: what a state of something else breaks becomes one ``ValueError``.

    Raises:
        ValueError: If the state lacks an entry, or one is not of its kind; make the owner again before using it.
    """
    try:
        yield
    except (KeyError, IndexError, AttributeError, OverflowError, AssertionError) as error:
        raise ValueError(
            f"the state is not one of a {type(owner).__name__} with these settings ({type(error).__name__}: {error}); "
            "give what state_dict() of one gave"
        ) from error


@functools.cache
def _kept_names(cls: type[Any]) -> tuple[str, ...]:
    """What the classes of an object keep, base classes first."""
    return tuple(dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base).get("keeps", ())))


@functools.cache
def _annotations(cls: type[Any]) -> dict[str, Any]:
    return get_type_hints(cls)


def _stored(value: Any) -> Any:
    for kind, (store, _) in _FOREIGN.items():
        if isinstance(value, kind):
            return store(value)
    if hasattr(value, "state") and hasattr(value, "load"):
        return value.state()
    if is_dataclass(value):
        return {field.name: _stored(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple | deque):
        return pack([_stored(entry) for entry in value])
    if isinstance(value, Mapping):
        return {"keys": list(value), "values": pack([_stored(entry) for entry in value.values()])}
    return value.copy() if isinstance(value, np.ndarray) else value.item() if isinstance(value, np.generic) else value


def _restored(live: Any, kept: Any, annotation: Any) -> Any:
    """What is to stand in the place of ``live``, an attribute of a fresh object or None."""
    for kind, (_, restore) in _FOREIGN.items():
        if isinstance(live, kind):
            return restore(live, kept)
    if kept is None:
        return None
    if hasattr(live, "state") and hasattr(live, "load"):
        live.load(kept)
        return live
    kind, parts = _kind(live, annotation)
    if kind is np.ndarray or isinstance(kept, np.ndarray):
        return np.array(kept)
    if is_dataclass(kind):
        kinds = _annotations(kind)
        return kind(**{name: _restored(None, entry, kinds[name]) for name, entry in kept.items()})
    if kind is dict:
        entry = parts[1] if parts else None
        values = [_restored(None, value, entry) for value in unpack(kept["values"])]
        return dict(zip(kept["keys"], values, strict=True))
    if kind is list and live and all(hasattr(entry, "state") and hasattr(entry, "load") for entry in live):
        for entry, entry_state in zip(live, unpack(kept), strict=True):
            entry.load(entry_state)
        return live
    if kind in (list, tuple, deque):
        entry = parts[0] if parts else None
        values = [_restored(None, value, entry) for value in unpack(kept)]
        return deque(values, live.maxlen if isinstance(live, deque) else None) if kind is deque else kind(values)
    return kept if kind is None else kind(kept)


def _kind(live: Any, annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The class of an attribute, and of what it holds, by the annotation where there is one."""
    members = [part for part in get_args(annotation) if part is not NoneType]
    if NoneType in get_args(annotation) and len(members) == 1:
        annotation = members[0]
    origin = get_origin(annotation) or annotation
    if origin is not Any and isinstance(origin, type) and (live is None or isinstance(live, origin)):
        return (origin if live is None else type(live)), get_args(annotation)
    return (None if live is None else type(live)), ()
