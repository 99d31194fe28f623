"""Check a value by a type annotation, so that what is allowed is written once, where a field or argument is declared.

Numbers may have bounds, by the words of ``annotated_types``: ``Annotated[int, Ge(1)]``.

Strict, but for what files and NumPy write differently: lists and arrays are taken for tuples, texts for paths, and
NumPy's numbers for Python's. A bool is not a number, NaN is not a number either, and an int will do for a float.

pydantic would check the same annotations, but not say so in a sentence: its errors take three lines and a URL for each
member of a union, it takes neither lists for tuples nor NumPy's integers where it is strict, and importing it and
building its first validator cost 130 ms, beside 330 ms for teachgym.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, is_typeddict

import numpy as np
from annotated_types import Ge, Gt, Le, Lt, MinLen
from numpy.typing import NDArray

REAL = (int, float, np.integer, np.floating)
"""Types of numbers, Python's and NumPy's; bool is one of them, and is not a number for all that."""
_LONGEST = 200
_FINITE = " that is finite"
_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    NoneType: "None",
}
_PLURALS: Mapping[Any, str] = {bool: "trues and falses", int: "whole numbers", float: "numbers", str: "texts"}


@dataclass(frozen=True)
class Secret:
    """In ``Annotated``: the value may be a key that was given by mistake, so no error repeats it."""


@dataclass(frozen=True)
class Where:
    """In ``Annotated``: a condition that the value has to meet, and what is expected, in words."""

    holds: Callable[[Any], bool]
    """Whether a value of the annotated type meets it."""
    expected: str
    """For the error message."""


class _MismatchError(Exception):
    """The value is not of the annotated type; the message says what is expected where that is more than the type."""


def read_value(name: str, value: Any, kind: Any) -> Any:
    """The value as its annotation wants it.

    Args:
        name: What it is called, for the error message.
        value: What was given.
        kind: The annotation. What can't be checked (protocols, type variables) takes any value.

    Raises:
        ValueError: If it is of another type; the message says what is expected.
    """
    try:
        return _read(value, kind)
    except _MismatchError as error:
        hidden = get_origin(kind) is Annotated and any(isinstance(note, Secret) for note in kind.__metadata__)
        what = f"of type {type(value).__name__}" if hidden else shown(value)
        raise ValueError(f"{name} is {what}; expected {str(error) or expected(kind)}") from None


def read_numbers(name: str, given: Any, *, shape: tuple[int, ...] | None = None) -> NDArray[np.float64]:
    """The numbers in float64, a copy; texts, bools and objects are not numbers.

    Args:
        name: What they are called, for the error message.
        given: A number, or an array or nested lists of them.
        shape: The shape that is wanted; None takes any.

    Raises:
        ValueError: If it is not numeric, ragged, masked in part, or of another shape.
    """
    if np.ma.is_masked(given):
        raise ValueError(f"{name} {shown(given)} is masked in part; expected numbers")
    try:
        numbers = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:  # the last of a tensor that needs its gradient
        raise ValueError(f"{name} {shown(given)} is not numeric; expected numbers") from error
    if numbers.dtype.kind not in "fiu":
        raise ValueError(f"{name} {shown(given)} is not numeric; expected numbers")
    if shape is not None and numbers.shape != shape:
        raise ValueError(f"{name} has shape {numbers.shape}; expected {shape}")
    return np.array(numbers, dtype=np.float64)


def shown(value: Any) -> str:
    """The value for an error message: its ``repr``, cut where it is long."""
    try:
        text = " ".join(repr(value).split("\n"))
    except ValueError:  # of an integer of thousands of digits
        return f"of type {type(value).__name__} and too long to show"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def expected(kind: Any) -> str:
    """What values an annotation allows, in words."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = _bounds(kind)
        return "a finite number" if bounds == _FINITE else expected(parts[0]) + bounds
    if origin in (Union, UnionType):
        return ", or ".join(expected(part) for part in parts)
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}" if len(parts) > 1 else repr(parts[0])
    if origin is tuple and not (len(parts) == 2 and parts[1] is Ellipsis):
        return f"{len(parts)} values: {', '.join(expected(part) for part in parts)}"
    if origin in (tuple, list, Sequence):
        return f"a list of {_plural(parts[0])}"
    if kind is Mapping or origin in (Mapping, dict):
        return "values by name"
    if origin is Callable:
        return "a function"
    if origin is type:
        return f"a subclass of {getattr(parts[0], '__name__', parts[0])}"
    return _WORDS.get(kind) or f"an instance of {getattr(origin or kind, '__name__', kind)}"


def _plural(kind: Any) -> str:
    """Many values that an annotation allows, in words."""
    if get_origin(kind) is Annotated:
        bounds = _bounds(kind)
        return (
            "finite numbers" if bounds == _FINITE else f"{_plural(get_args(kind)[0])}, each{bounds.removeprefix(',')}"
        )
    return _PLURALS.get(kind) or f"items, each {expected(kind)}"


def _bounds(kind: Any) -> str:
    """What else an annotation asks of its type, in words to follow those of the type."""
    found = {type(note): note for note in kind.__metadata__}
    low = found[Ge].ge if Ge in found else found[Gt].gt if Gt in found else -math.inf
    high = found[Le].le if Le in found else found[Lt].lt if Lt in found else math.inf
    if MinLen in found:
        return ", not empty"
    if low == -math.inf and high == math.inf:
        return _FINITE if Gt in found else ""
    if kind.__origin__ is float and high < math.inf:
        return f" in {'[' if Ge in found else '('}{low:,}, {high:,}{']' if Le in found else ')'}"
    words = f", at least {low:,}" if Ge in found else f" above {low:,}"
    return words if high == math.inf else f"{words} and at most {high:,}"


def _within(value: Any, notes: Sequence[Any]) -> bool:
    """Whether a number is within the bounds among the notes of an annotation."""
    for note in notes:
        match note:
            case Ge(ge=bound) if not value >= bound:
                return False
            case Gt(gt=bound) if not value > bound:
                return False
            case Le(le=bound) if not value <= bound:
                return False
            case Lt(lt=bound) if not value < bound:
                return False
            case MinLen(min_length=least) if len(value) < least:
                return False
            case Where(holds=holds, expected=words) if not holds(value):
                raise _MismatchError(words)
    return True


def _read(value: Any, kind: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        read = _read(value, parts[0])
        return _kept(read, _within(read, kind.__metadata__))
    if origin in (Union, UnionType):
        return _read_union(value, parts)
    if origin is Literal:
        return _read_literal(value, parts)
    if kind in _SCALARS:
        return _SCALARS[kind](value)
    if origin is tuple:
        return _read_tuple(value, parts)
    if origin in (list, Sequence):
        items = _items(value)
        return [_read(item, parts[0]) for item in items] if origin is list else _read_tuple(items, (parts[0], ...))
    if origin in (Mapping, dict):
        return _read_mapping(value, parts)
    if origin is Callable:
        return _kept(value, callable(value))
    if origin is type:
        return _kept(value, isinstance(value, type) and (not isinstance(parts[0], type) or issubclass(value, parts[0])))
    found = origin or kind
    if not isinstance(found, type) or getattr(found, "_is_protocol", False) or is_typeddict(found):
        return value
    return _kept(value, isinstance(value, found))


def _kept(value: Any, fits: bool) -> Any:
    if not fits:
        raise _MismatchError
    return value


def _read_union(value: Any, kinds: Sequence[Any]) -> Any:
    for kind in kinds:
        try:
            return _read(value, kind)
        except _MismatchError:
            continue
    raise _MismatchError


def _read_literal(value: Any, allowed: Sequence[Any]) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return _kept(value, any(type(value) is type(one) and value == one for one in allowed))


def _read_bool(value: Any) -> bool:
    return bool(_kept(value, isinstance(value, bool | np.bool_)))


def _read_int(value: Any) -> int:
    number = int(_kept(value, isinstance(value, int | np.integer) and not isinstance(value, bool)))
    if not -(2**63) <= number < 2**63:
        raise _MismatchError("a whole number of at most 64 bits")
    return number


def _read_float(value: Any) -> float:
    _kept(value, isinstance(value, REAL) and not isinstance(value, bool))
    try:
        number = float(value)
    except OverflowError:
        raise _MismatchError("a number of at most 1e308") from None
    if math.isnan(number):
        raise _MismatchError("a number, not nan")
    is_whole = isinstance(value, int | np.integer) and -(2**63) <= value < 2**63  # what NumPy takes for a whole number
    return int(value) if is_whole else number


def _read_str(value: Any) -> str:
    _kept(value, isinstance(value, str))
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _MismatchError("text without lone surrogates, which no file can hold") from None
    return str(value)


def _read_path(value: Any) -> Path:
    return Path(_kept(value, isinstance(value, str | Path) and "\0" not in str(value)))


_SCALARS: Mapping[Any, Callable[[Any], Any]] = {
    Any: lambda value: value,
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
    str: _read_str,
    Path: _read_path,
    NoneType: lambda value: _kept(value, value is None),
}


def _items(value: Any) -> Sequence[Any]:
    """What a list in a file, a tuple and an array have in common."""
    if isinstance(value, np.ndarray):
        value = _kept(value, value.ndim > 0).tolist()
    items: Sequence[Any] = _kept(value, isinstance(value, list | tuple))
    return items


def _read_tuple(value: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    items = _items(value)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(items)
    _kept(value, len(items) == len(kinds))
    return tuple(_read(item, kind) for item, kind in zip(items, kinds, strict=True))


def _read_mapping(value: Any, kinds: Sequence[Any]) -> Mapping[Any, Any]:
    _kept(value, isinstance(value, Mapping))
    key, entry = kinds
    return {_read(name, key): _read(one, entry) for name, one in value.items()}
