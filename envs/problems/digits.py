"""The handwritten digits that several students read."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from teachgym.core.task_space import FloatArray

Labels = NDArray[np.int64]


@cache
def digits() -> tuple[FloatArray, Labels]:
    """scikit-learn's handwritten digits: images ``(1797, 64)`` with ink from 0 to 1, and labels ``(1797,)``."""
    found = load_digits()
    return np.asarray(found.data / 16.0, dtype=np.float64), np.asarray(found.target, dtype=np.int64)
