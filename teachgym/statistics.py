"""Compare a handful of seeds honestly: Student-t intervals, Welch's test, Holm's correction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from teachgym.task_space import FloatArray

Values = Sequence[float] | NDArray[np.floating]


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval."""

    mean: float
    """Mean of the values."""
    low: float
    """Lower end; NaN where one value alone says nothing about the spread."""
    high: float
    """Upper end; NaN as for ``low``."""
    count: int
    """Number of values."""


def mean_interval(values: Values, confidence: float = 0.95) -> Interval:
    """Mean of independent values with a Student-t interval.

    With the 3 to 10 seeds of a typical study the t interval keeps its coverage where values are roughly
    normal; a percentile bootstrap over 3 seeds is far too narrow, as it can only redraw the 3 values.

    Args:
        values: ``(count,)`` one for each seed. A single one has an interval from NaN to NaN; equal ones have
            an interval of no width.
        confidence: Wanted coverage, strictly between 0 and 1.

    Raises:
        ValueError: If there are no values, one is not finite, or the confidence is out of range.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence is {confidence}; expected a number between 0 and 1, for instance 0.95")
    sample = _sample(values)
    if len(sample) == 0:
        raise ValueError("there are no values to average; expected at least 1")
    mean, variance = _moments(sample)
    half = float(stdtrit(len(sample) - 1, (1.0 + confidence) / 2.0)) * np.sqrt(variance / len(sample))
    return Interval(mean, float(mean - half), float(mean + half), len(sample))


def welch(a: Values, b: Values) -> float:
    """Two-sided p value of Welch's t test, which does not assume equal variances.

    Args:
        a: ``(n,)`` independent values.
        b: ``(m,)`` independent values.

    Returns:
        The p value. NaN where the test is undefined: fewer than 2 values on a side, or no variance on either
        side. The latter holds even where the means differ: a handful of seeds that agree to the last digit
        is no proof, and 0 would claim one.

    Raises:
        ValueError: If a value is not finite.
    """
    first, second = _sample(a), _sample(b)
    if min(len(first), len(second)) < 2:
        return float("nan")
    (mean_a, variance_a), (mean_b, variance_b) = _moments(first), _moments(second)
    error_a, error_b = variance_a / len(first), variance_b / len(second)
    if error_a + error_b == 0.0:
        return float("nan")
    share = error_a / (error_a + error_b)
    freedom = 1.0 / (share**2 / (len(first) - 1) + (1.0 - share) ** 2 / (len(second) - 1))
    return float(2.0 * stdtr(freedom, -abs(mean_a - mean_b) / np.sqrt(error_a + error_b)))


def holm(p_values: Values) -> FloatArray:
    """Holm's step-down correction for several tests at once.

    Args:
        p_values: ``(tests,)`` in ``[0, 1]``. NaN marks a test that is undefined; it does not count as a test.

    Returns:
        ``(tests,)`` adjusted p values in the order given: rejecting those below 0.05 keeps the chance of any
        false rejection below 0.05. NaN where the p value was NaN.

    Raises:
        ValueError: If a p value lies outside ``[0, 1]``.
    """
    adjusted = np.array(p_values, dtype=np.float64)
    if adjusted.ndim != 1 or not np.all(np.isnan(adjusted) | ((adjusted >= 0.0) & (adjusted <= 1.0))):
        raise ValueError(f"p values are {p_values}; expected a list of numbers in [0, 1], or NaN")
    defined = np.flatnonzero(~np.isnan(adjusted))
    ascending = defined[np.argsort(adjusted[defined], kind="stable")]
    factors = np.arange(len(ascending), 0, -1)
    adjusted[ascending] = np.minimum(np.maximum.accumulate(factors * adjusted[ascending]), 1.0)
    return adjusted


def _sample(values: Values) -> FloatArray:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1:
        raise ValueError(f"values have shape {sample.shape}; expected one number for each seed")
    if not np.all(np.isfinite(sample)):
        raise ValueError(f"values are {sample.tolist()}; expected finite numbers. Did a run diverge?")
    return sample


def _moments(sample: FloatArray) -> tuple[float, float]:
    """Mean and unbiased variance; the variance of one value is NaN."""
    if len(sample) == 1:
        return float(sample[0]), float("nan")
    if np.all(sample == sample[0]):  # the rounding of a mean must not pass for variance
        return float(sample[0]), 0.0
    return float(np.mean(sample)), float(np.var(sample, ddof=1))
