"""Many alike values as few arrays, so that a file of a hundred thousand actions has not a hundred thousand entries."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def pack(values: Sequence[Any]) -> dict[str, Any]:
    """Stack values if all are arrays of one shape and type, numbers of one type, or dicts of such by the same keys.

    Others are listed.

    Args:
        values: Arrays and plain values, nested in dicts and lists.
    """
    first = values[0] if values else None
    if isinstance(first, np.ndarray | np.generic) and all(
        isinstance(value, np.ndarray | np.generic) and value.shape == first.shape and value.dtype == first.dtype
        for value in values
    ):
        return {"stacked": np.stack([np.asarray(value) for value in values])}
    for kind in (bool, int, float):
        if values and all(type(value) is kind for value in values) and (kind is not int or _fit(values)):
            return {"numbers": np.array(values)}
    alike = all(isinstance(value, Mapping) and set(value) == set(first or ()) for value in values)
    if isinstance(first, Mapping) and first and alike:
        return {"columns": {key: pack([value[key] for value in values]) for key in first}}
    return {"listed": list(values)}


def unpack(packed: Mapping[str, Any]) -> Iterator[Any]:
    """The values that ``pack`` was given, in order."""
    if "stacked" in packed:
        yield from packed["stacked"]
    elif "numbers" in packed:
        yield from packed["numbers"].tolist()
    elif "columns" in packed:
        columns = [unpack(column) for column in packed["columns"].values()]
        for row in zip(*columns, strict=True):
            yield dict(zip(packed["columns"], row, strict=True))
    else:
        yield from packed["listed"]


def _fit(values: Sequence[int]) -> bool:
    return all(-(2**63) <= value < 2**63 for value in values)
