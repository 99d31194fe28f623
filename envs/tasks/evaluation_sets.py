"""The fixed test sets of the curriculum paper, drawn by code (Portelas et al. 2019, arXiv:1910.07224)."""

import numpy as np
from numpy.typing import ArrayLike

from teachgym.core.task_space import FloatArray

TEST_SET_SEED = 4222


def draw_test_set(low: ArrayLike, high: ArrayLike, *, count: int = 50, seed: int = TEST_SET_SEED) -> FloatArray:
    """Draw a test set: point after point, within a point dimension after dimension, each uniform.

    With 50 points and the seed 4222 these are the paper's sets. NumPy's legacy generator is used because
    theirs was; its stream is frozen.

    Args:
        low: ``(n,)`` lower bounds, in task units.
        high: ``(n,)`` upper bounds, in task units.
        count: Number of tasks.
        seed: Non-negative integer.

    Returns:
        ``(count, n)`` tasks.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    return np.random.RandomState(seed).uniform(low, high, size=(count, len(low)))
