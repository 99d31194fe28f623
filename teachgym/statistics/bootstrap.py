"""Aggregates over the runs of several studies, with stratified bootstrap intervals.

After Agarwal et al. 2021 (arXiv:2108.13264).

The unit is a run: one student of one teacher, and its one score. Strata are studies, and runs are redrawn within each.
Agarwal et al. have an independent run for each task, and redraw these; here all test tasks are answered by the same
student, so that redrawing them one by one would take for independent what is not, and give intervals that are too
narrow.
"""

from collections.abc import Callable, Sequence

import numpy as np

from teachgym.base.setting_checks import check_whole
from teachgym.core.task_space import FloatArray
from teachgym.statistics.means import Interval, Values, check_confidence, checked_sample, checked_strata

Statistic = Callable[[FloatArray], FloatArray]
"""From ``(..., n)`` to ``(...)``."""


def mean(values: FloatArray) -> FloatArray:
    """The mean along the last axis."""
    return np.asarray(np.mean(values, axis=-1))


def median(values: FloatArray) -> FloatArray:
    """The median along the last axis."""
    return np.asarray(np.median(values, axis=-1))


def interquartile_mean(values: FloatArray) -> FloatArray:
    """The mean of the middle half along the last axis: a quarter of the values, rounded down, is cut at either end.

    With fewer than 4 values nothing is cut, and it is the mean.
    """
    count = values.shape[-1]
    cut = count // 4
    return np.asarray(np.sort(values, axis=-1)[..., cut : count - cut].mean(axis=-1))


def redraw(strata: Sequence[Values], rng: np.random.Generator, samples: int) -> FloatArray:
    """``(samples, n)``: the values of all strata, redrawn with replacement within each."""
    drawn = [
        values[rng.integers(len(values), size=(samples, len(values)))]
        for values in (checked_sample(stratum) for stratum in strata)
    ]
    return np.concatenate(drawn, axis=1)


def bootstrap(
    strata: Sequence[Values],
    statistic: Statistic,
    rng: np.random.Generator,
    *,
    samples: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """A statistic of all values together, with its percentile interval.

    With few values it is too narrow: over 5 normal values the interval of a mean has a coverage of about 84 % in place
    of 95 %, over 10 about 89 %, over 20 about 93 % (the tests measure it).

    Args:
        strata: For each ``(n,)`` values; at least one stratum.
        statistic: What is worked out, along the last axis.
        rng: Draws the samples.
        samples: How many.
        confidence: Wanted coverage, strictly between 0 and 1.

    Returns:
        The statistic, and its interval: from NaN to NaN where every stratum has a single value.

    Raises:
        ValueError: If there are no values, one is not finite, or an argument is out of range.
    """
    check_confidence(confidence)
    check_whole("samples", samples, 1)
    parts = checked_strata(strata)
    values = np.concatenate(parts)
    estimate = float(statistic(values))
    if all(len(part) == 1 for part in parts):
        return Interval(estimate, float("nan"), float("nan"), 1)
    ends = np.quantile(statistic(redraw(parts, rng, samples)), [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(estimate, float(ends[0]), float(ends[1]), len(values))
