"""Means of a handful of seeds, with Student-t intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from teachgym.base.annotations import read_numbers, read_value
from teachgym.core.task_space import FloatArray

Values = Sequence[float] | NDArray[np.floating]


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval."""

    mean: float
    """The estimate: a mean, unless it is said to be another statistic."""
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
    check_confidence(confidence)
    sample = checked_sample(values)
    if len(sample) == 0:
        raise ValueError("there are no values to average; expected at least 1")
    mean, variance = moments(sample)
    half = float(stdtrit(len(sample) - 1, (1.0 + confidence) / 2.0)) * np.sqrt(variance / len(sample))
    return Interval(mean, float(mean - half), float(mean + half), len(sample))


def check_confidence(confidence: float) -> None:
    """Raise ``ValueError`` unless the confidence is a number strictly between 0 and 1."""
    if not 0.0 < read_value("confidence", confidence, float) < 1.0:
        raise ValueError(f"confidence is {confidence}; expected a number between 0 and 1, for instance 0.95")


def checked_strata(strata: Sequence[Values]) -> list[FloatArray]:
    """Samples of several studies, each as an array.

    Raises:
        ValueError: If there is none, or one is empty or not a list of finite numbers.
    """
    samples = [checked_sample(stratum) for stratum in read_value("strata", strata, Sequence[Any])]
    if not samples or any(len(sample) == 0 for sample in samples):
        raise ValueError("there are no values in a stratum; expected at least 1 in each")
    return samples


def checked_sample(values: Values) -> FloatArray:
    """The values as an array.

    Raises:
        ValueError: If it is no list of finite numbers.
    """
    sample = read_numbers("values", values)
    if sample.ndim != 1:
        raise ValueError(f"values have shape {sample.shape}; expected one number for each seed")
    if not np.all(np.isfinite(sample)):
        raise ValueError(f"values are {sample.tolist()}; expected finite numbers. Did a run diverge?")
    return sample


def moments(sample: FloatArray) -> tuple[float, float]:
    """Mean and unbiased variance; the variance of one value is NaN."""
    if len(sample) == 1:
        return float(sample[0]), float("nan")
    if np.all(sample == sample[0]):  # the rounding of a mean must not pass for variance
        return float(sample[0]), 0.0
    return float(np.mean(sample)), float(np.var(sample, ddof=1))
