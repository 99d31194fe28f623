"""Share whole numbers out, exactly."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def cut(counts: Sequence[int], most: int) -> list[int]:
    """Counts that sum to at most so many: as they are if they do, else in proportion, by largest remainders."""
    if sum(counts) <= most:
        return list(counts)
    return split(most, np.array(counts, dtype=np.float64))


def split(total: int, weights: Any) -> list[int]:
    """Share a whole number out in proportion to weights, not all 0, by largest remainders; ties go to the first."""
    exact = total * (np.asarray(weights, dtype=np.float64) / np.sum(weights, dtype=np.float64))
    shares = np.floor(exact).astype(np.int64)
    rest = total - int(shares.sum())
    shares[np.argsort(-(exact - shares), kind="stable")[:rest]] += 1
    found: list[int] = shares.tolist()
    return found
