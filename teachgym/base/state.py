"""Stored states: a class names the attributes that it keeps, and one mechanism stores and restores them."""

import functools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from inspect import get_annotations
from types import NoneType
from typing import Any, ClassVar, TypeVar, get_args, get_origin

import numpy as np

from teachgym.base.packing import pack, unpack

State = dict[str, Any]
"""What an object needs to go on from where it was: arrays and plain values, nested in dictionaries and lists."""
T = TypeVar("T")
_Adapter = tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]
_FOREIGN: dict[type[Any], _Adapter] = {}
_PACKED = ("stacked", "numbers", "columns", "listed")


class Stateful:
    """An object whose state is the attributes that ``keeps`` names, in its class and in those that it derives from.

    Kept are arrays, numbers, texts, None, lists, tuples, deques and dictionaries of them, dataclasses of them, other
    ``Stateful`` objects, and what ``foreign`` has registered. What is None or empty in a fresh object and is made of
    dataclasses or tuples is annotated in the class: ``_mixture: Mixture | None``. A fresh object has the ``Stateful``
    and foreign ones already, also those in a list or a dictionary: they take their states over where they are.
    """

    keeps: ClassVar[tuple[str, ...]] = ()
    """Names of the attributes that change as the object is used, but for what is derived from them."""

    def state(self) -> State:
        """The attributes that are kept, copied, as arrays and plain values, by names without leading underscores."""
        names = _kept_names(type(self))  # type: ignore[arg-type]
        return {name.lstrip("_"): stored(getattr(self, name)) for name in names}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state`` of such an object gave, with the same settings.

        Raises:
            ValueError: If ``_forget_derived`` or a foreign object finds that it does not fit.
        """
        kinds = _annotations(type(self))  # type: ignore[arg-type]
        for name in _kept_names(type(self)):  # type: ignore[arg-type]
            setattr(self, name, restored(getattr(self, name), state[name.lstrip("_")], kinds.get(name)))
        self._forget_derived()

    def _forget_derived(self) -> None:
        """Drop what is derived from what is kept, or work it out again, after ``load``. Here: nothing."""


def foreign(kind: type[T], store: Callable[[T], Any], restore: Callable[[Any, Any], T]) -> None:
    """Say how objects of somebody else's class, and of its subclasses, are kept.

    Args:
        kind: The class.
        store: From the object to arrays and plain values.
        restore: From the object that is there, or None, and what ``store`` gave to the object that is to be there.
    """
    _FOREIGN[kind] = store, restore
    _adapter.cache_clear()


def foreign_keeps(kind: type[Any], *names: str) -> None:
    """Say which attributes of objects of somebody else's class change, as ``keeps`` does for classes of one's own."""

    def store(owner: Any) -> State:
        return {name: stored(getattr(owner, name)) for name in names}

    def restore(there: Any, kept: State) -> Any:
        for name in names:
            setattr(there, name, restored(getattr(there, name, None), kept[name]))
        return there

    foreign(kind, store, restore)


def is_foreign(value: Any) -> bool:
    """Whether somebody has said by ``foreign`` how such objects are kept."""
    return _adapter(type(value)) is not None  # type: ignore[arg-type]


def stored(value: Any) -> Any:
    """Any value that a ``Stateful`` object may keep, copied, as arrays and plain values."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    adapter = _adapter(type(value))  # type: ignore[arg-type]
    if adapter is not None:
        return adapter[0](value)
    if isinstance(value, Stateful):
        return value.state()
    if is_dataclass(value):
        return {field.name: stored(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple | deque):
        return pack([stored(entry) for entry in value])
    if isinstance(value, Mapping):
        return {"keys": list(value), "values": pack([stored(entry) for entry in value.values()])}
    return value.copy() if isinstance(value, np.ndarray) else value.item() if isinstance(value, np.generic) else value


def restored(there: Any, kept: Any, annotation: Any = None) -> Any:
    """What is to be where ``there`` is, in a fresh object.

    Args:
        there: What a fresh object has, or None.
        kept: What ``stored`` gave of what is to be there.
        annotation: What its attribute is annotated with; or its class.
    """
    if kept is None:
        return None
    kind, parts = _kind(there, annotation)
    adapter = None if kind is None else _adapter(kind)
    if adapter is not None:
        return adapter[1](there, kept)
    if isinstance(there, Stateful):
        there.load(kept)
        return there
    if isinstance(kept, np.ndarray):
        return np.array(kept)
    if not isinstance(kept, Mapping):
        numpys = kind is not None and issubclass(kind, np.ndarray | np.generic)
        return np.array(kept)[()] if numpys else kept
    if is_dataclass(kind):
        kinds = _annotations(kind)  # type: ignore[arg-type]
        return kind(**{name: restored(None, entry, kinds[name]) for name, entry in kept.items()})  # type: ignore[operator]
    if kind is None or not issubclass(kind, Mapping | list | tuple | deque):
        kind, there = _container(kept), None
    if issubclass(kind, Mapping):
        values = _entries(there, kept["values"], parts[1:] or (Any,), kept["keys"])
        return kind(dict(zip(kept["keys"], values, strict=True)))
    entries = _entries(there, kept, parts or (Any,))
    return deque(entries, there.maxlen if isinstance(there, deque) else None) if kind is deque else kind(entries)


@contextmanager
def loading(owner: object) -> Iterator[None]:
    """For taking a stored state over: what a state of something else breaks becomes one ``ValueError``.

    Raises:
        ValueError: If the state lacks an entry, or one is not of its kind; make the owner again before using it.
    """
    try:
        yield
    except (KeyError, IndexError, AttributeError, OverflowError, AssertionError, TypeError) as error:
        raise ValueError(
            f"the state is not one of a {type(owner).__name__} with these settings ({type(error).__name__}: {error}); "
            "give what state_dict() of one gave"
        ) from error


@functools.cache
def _kept_names(cls: type[Any]) -> tuple[str, ...]:
    """What the classes of an object keep, base classes first."""
    names = tuple(dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base).get("keeps", ())))
    if len({name.lstrip("_") for name in names}) < len(names):
        raise TypeError(f"{cls.__name__} keeps {', '.join(names)}; expected names that differ without underscores")
    return names


@functools.cache
def _annotations(cls: type[Any]) -> dict[str, Any]:
    """How the attributes of a dataclass, or of a class that keeps some, are annotated."""
    own = [base for base in reversed(cls.__mro__) if issubclass(base, Stateful) or is_dataclass(base)]
    return {name: kind for base in own for name, kind in get_annotations(base, eval_str=True).items()}


@functools.cache
def _adapter(cls: type[Any]) -> _Adapter | None:
    """How objects of a class are kept, where it is somebody else's."""
    return next((adapter for kind, adapter in _FOREIGN.items() if issubclass(cls, kind)), None)


def _entries(there: Any, packed: Any, kinds: Sequence[Any], keys: Sequence[Any] | None = None) -> list[Any]:
    """What a list, or a dictionary with these keys, is to hold."""
    values = list(unpack(packed))
    own = [] if there is None else list(there.values() if isinstance(there, Mapping) else there)
    if not any(isinstance(entry, Stateful) or _adapter(type(entry)) for entry in own):  # type: ignore[arg-type]
        own = [None] * len(values)
    elif len(own) != len(values) or (keys is not None and list(there) != keys):
        raise ValueError(f"the state holds {len(values)} entries, which do not fit the {len(own)} that are here")
    several = len(kinds) == len(values) and Ellipsis not in kinds  # tuple[int, str], not tuple[int, ...]
    each = kinds if several else [kinds[0]] * len(values)
    return [restored(*entry) for entry in zip(own, values, each, strict=True)]


def _kind(there: Any, annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The class of an attribute, and of what it holds, by the annotation where there is one."""
    members = [part for part in get_args(annotation) if part is not NoneType]
    if NoneType in get_args(annotation) and len(members) == 1:
        annotation = members[0]
    origin = get_origin(annotation) or annotation
    if origin is not Any and isinstance(origin, type) and (there is None or isinstance(there, origin)):
        return (origin if there is None else type(there)), get_args(annotation)
    return (None if there is None else type(there)), ()


def _container(kept: Mapping[str, Any]) -> type[Any]:
    """Whether a value of which nothing else is known was a dictionary or a list."""
    if set(kept) == {"keys", "values"}:
        return dict
    if len(kept) == 1 and next(iter(kept)) in _PACKED:
        return list
    raise TypeError(
        f"{', '.join(kept)} were kept of an object whose class is not known: annotate the attribute that holds it, or "
        "have it in a fresh object already"
    )
