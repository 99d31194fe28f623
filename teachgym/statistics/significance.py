"""Whether teachers differ: Welch's test over one or several studies, and Holm's correction for many tests."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from teachgym.base.annotations import read_numbers, read_value, shown
from teachgym.core.task_space import FloatArray
from teachgym.statistics.means import Interval, Values, check_confidence, checked_sample, checked_strata, moments

_UNKNOWN = (float("nan"), float("nan"))


def welch(a: Values, b: Values) -> float:
    """``stratified_welch`` of a single study: Welch's t test, which does not assume equal variances."""
    return stratified_welch([a], [b])


def stratified_welch(a: Sequence[Values], b: Sequence[Values]) -> float:
    """Two-sided p value of the mean difference of two teachers, averaged over studies.

    Each study's difference of means has its own variance, without assuming that the two sides share it; their sum has
    the degrees of freedom of Welch and Satterthwaite.

    Args:
        a: For each study ``(n,)`` independent values.
        b: For each study, in the same order, ``(m,)`` independent values.

    Returns:
        The p value. NaN where the test is undefined: no study, fewer than 2 values on a side, or no variance anywhere.
        The latter holds even where the means differ: a handful of seeds that agree to the last digit is no proof, and
        0 would claim one.

    Raises:
        ValueError: If a value is not finite, or the sides have different numbers of studies.
    """
    difference, error, freedom = _difference(a, b)
    return float(2.0 * stdtr(freedom, -abs(difference) / error)) if error > 0 else float("nan")


def mean_difference(a: Sequence[Values], b: Sequence[Values], confidence: float = 0.95) -> Interval:
    """How far the mean of the first lies above that of the second, averaged over studies, with Welch's interval.

    The 95 % interval leaves 0 out exactly where ``stratified_welch`` gives less than 0.05.

    Args:
        a: As for ``stratified_welch``.
        b: As for ``stratified_welch``.
        confidence: Wanted coverage, strictly between 0 and 1.

    Returns:
        The difference, with an interval from NaN to NaN where the test is undefined; its count is the lesser number of
        values of a side.

    Raises:
        ValueError: As ``stratified_welch``, and if there is no study or the confidence is out of range.
    """
    check_confidence(confidence)
    count = min(sum(map(len, checked_strata(side))) for side in (a, b))
    difference, error, freedom = _difference(a, b)
    half = float(stdtrit(freedom, (1.0 + confidence) / 2.0)) * error if error > 0 else float("nan")
    return Interval(difference, difference - half, difference + half, count)


def _difference(a: Sequence[Values], b: Sequence[Values]) -> tuple[float, float, float]:
    """The mean over studies of the difference of means, its standard error, and its degrees of freedom.

    The error is NaN with fewer than 2 values on a side.
    """
    differences, terms, freedoms = [], [], []
    for first, second in zip(*(read_value("studies", side, Sequence[Any]) for side in (a, b)), strict=True):
        sides = [checked_sample(side) for side in (first, second)]
        (mean_a, variance_a), (mean_b, variance_b) = (moments(side) if len(side) else _UNKNOWN for side in sides)
        differences.append(mean_a - mean_b)
        terms += [variance_a / max(len(sides[0]), 1), variance_b / max(len(sides[1]), 1)]
        freedoms += [len(sides[0]) - 1, len(sides[1]) - 1]
    if not differences:
        return float("nan"), float("nan"), float("nan")
    errors = np.array(terms)
    total = float(errors.sum())
    freedom = 1.0 / float(np.sum((errors / total) ** 2 / np.array(freedoms))) if total > 0 else float("nan")
    return float(np.mean(differences)), float(np.sqrt(total)) / len(differences), freedom


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
    adjusted = read_numbers("p values", p_values)
    if adjusted.ndim != 1 or not np.all(np.isnan(adjusted) | ((adjusted >= 0.0) & (adjusted <= 1.0))):
        raise ValueError(f"p values are {shown(p_values)}; expected a list of numbers in [0, 1], or NaN")
    defined = np.flatnonzero(~np.isnan(adjusted))
    ascending = defined[np.argsort(adjusted[defined], kind="stable")]
    factors = np.arange(len(ascending), 0, -1)
    adjusted[ascending] = np.minimum(np.maximum.accumulate(factors * adjusted[ascending]), 1.0)
    return adjusted
