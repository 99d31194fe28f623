"""Many alike values as few arrays, so that a file of a hundred thousand actions has not a hundred thousand entries."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def pack(values: Sequence[Any]) -> dict[str, Any]:
    """Stack values if all are arrays of one shape and type, or dicts of such by the same keys; list them if not.

    Args:
        values: Arrays and plain values, nested in dicts and lists.
    """
    first = values[0] if values else None
    if isinstance(first, np.ndarray | np.generic) and all(
        isinstance(value, np.ndarray | np.generic) and value.shape == first.shape and value.dtype == first.dtype
        for value in values
    ):
        return {"stacked": np.stack([np.asarray(value) for value in values])}
    alike = all(isinstance(value, Mapping) and set(value) == set(first or ()) for value in values)
    if isinstance(first, Mapping) and first and alike:
        return {"columns": {key: pack([value[key] for value in values]) for key in first}}
    return {"listed": list(values)}


def unpack(packed: Mapping[str, Any]) -> Iterator[Any]:
    """The values that ``pack`` was given, in order."""
    if "stacked" in packed:
        yield from packed["stacked"]
    elif "columns" in packed:
        columns = [unpack(column) for column in packed["columns"].values()]
        for row in zip(*columns, strict=True):
            yield dict(zip(packed["columns"], row, strict=True))
    else:
        yield from packed["listed"]
