"""How likely a run of one teacher is to beat a run of another (Agarwal et al. 2021, arXiv:2108.13264)."""

from collections.abc import Sequence

import numpy as np

from teachgym.base.setting_checks import check_whole
from teachgym.core.task_space import FloatArray
from teachgym.statistics.means import Interval, Values, check_confidence, checked_strata


def probability_of_improvement(
    first: Sequence[Values],
    second: Sequence[Values],
    rng: np.random.Generator,
    *,
    samples: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """The chance that a random run of the first is better than one of the second, ties counted half.

    In each study this is Mann and Whitney's U over the number of pairs; studies count alike.

    Args:
        first: For each study ``(n,)`` scores.
        second: For each study, in the same order, ``(m,)`` scores.
        rng: Draws the bootstrap samples, within each study and side.
        samples: How many.
        confidence: Wanted coverage.

    Returns:
        The probability with its percentile interval, from NaN to NaN where both sides have a single run; its count is
        the lesser number of runs of a side.

    Raises:
        ValueError: If there is no study, or a side has no run in one.
    """
    check_confidence(confidence)
    check_whole("samples", samples, 1)
    pairs = list(zip(checked_strata(first), checked_strata(second), strict=True))
    estimate = float(np.mean([_share_better(a, b) for a, b in pairs]))
    count = min(sum(len(pair[side]) for pair in pairs) for side in (0, 1))
    if all(len(side) == 1 for pair in pairs for side in pair):
        return Interval(estimate, float("nan"), float("nan"), count)
    redrawn = np.zeros(samples)
    for a, b in pairs:
        left, right = (side[rng.integers(len(side), size=(samples, len(side)))] for side in (a, b))
        redrawn += _share_better(left, right) / len(pairs)
    ends = np.quantile(redrawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(estimate, float(ends[0]), float(ends[1]), count)


def _share_better(a: FloatArray, b: FloatArray) -> FloatArray:
    """``(...)`` from ``(..., n)`` and ``(..., m)``."""
    difference = a[..., :, None] - b[..., None, :]
    return np.asarray(((difference > 0) + 0.5 * (difference == 0)).mean(axis=(-2, -1)))
