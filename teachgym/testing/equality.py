"""Compare nested plain values and arrays bit for bit, and say where they differ."""

from typing import Any

import numpy as np


def difference(left: Any, right: Any, where: str = "it") -> str | None:
    """Where two nested values differ, or None if they are equal bit for bit. NaN equals NaN.

    Args:
        left: Plain values and arrays, nested in dicts, lists and tuples.
        right: What to compare it with.
        where: What the values are called, for instance ``"the state"``.
    """
    if type(left) is not type(right):
        return f"{where} is a {type(left).__name__}, then a {type(right).__name__}"
    if isinstance(left, dict):
        if left.keys() != right.keys():
            return f"{where} has keys {sorted(map(str, left))}, then {sorted(map(str, right))}"
        pairs = [(left[key], right[key], f"{where}[{key!r}]") for key in left]
    elif isinstance(left, (list, tuple)):
        if len(left) != len(right):
            return f"{where} has {len(left)} elements, then {len(right)}"
        pairs = [(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(left, right, strict=True))]
    elif isinstance(left, np.ndarray):
        equal = left.dtype == right.dtype and left.shape == right.shape and _equal_elements(left, right)
        return None if equal else f"{where} is {left!r}, then {right!r}"
    else:
        equal = left == right or (left != left and right != right)
        return None if equal else f"{where} is {left!r}, then {right!r}"
    return next((found for a, b, place in pairs if (found := difference(a, b, place))), None)


def _equal_elements(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> bool:
    numeric = np.issubdtype(left.dtype, np.inexact)
    return bool(np.array_equal(left, right, equal_nan=numeric))


def not_plain(value: Any, where: str = "the state") -> str | None:
    """Where a nested value is neither an array of numbers nor a plain value, or None if all of it is.

    Plain are None, bool, int, float, str, dicts with str keys, lists, and arrays of numbers, bools or text.
    """
    if value is None or type(value) in (bool, int, float, str):
        return None
    if isinstance(value, np.ndarray):
        return None if value.dtype.kind in "biufcUS" else f"{where} is an array of dtype {value.dtype}"
    if type(value) is dict:
        bad = next((key for key in value if type(key) is not str), None)
        if bad is not None:
            return f"{where} has the key {bad!r}, which is no str"
        return next((found for key, item in value.items() if (found := not_plain(item, f"{where}[{key!r}]"))), None)
    if type(value) is list:
        return next((found for i, item in enumerate(value) if (found := not_plain(item, f"{where}[{i}]"))), None)
    return f"{where} is {value!r} of type {type(value).__name__}"
