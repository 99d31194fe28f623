"""Performance profiles: which share of the runs does better than each score (Agarwal et al. 2021, arXiv:2108.13264)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from teachgym.base.setting_checks import check_whole
from teachgym.core.task_space import FloatArray
from teachgym.statistics.bootstrap import redraw
from teachgym.statistics.means import Values, checked_sample, checked_strata


@dataclass(frozen=True, eq=False)
class Profile:
    """Of one teacher."""

    scores: FloatArray
    """``(k,)`` growing scores tau."""
    share: FloatArray
    """``(k,)`` share of the runs with a score above tau."""
    low: FloatArray
    """``(k,)`` lower ends of pointwise 95 % bootstrap intervals."""
    high: FloatArray
    """``(k,)`` upper ends."""
    count: int
    """Number of runs."""


def performance_profile(
    strata: Sequence[Values], scores: FloatArray, rng: np.random.Generator, *, samples: int = 2000
) -> Profile:
    """The profile of the runs of all strata together.

    Args:
        strata: For each study ``(n,)`` scores of its runs.
        scores: ``(k,)`` growing scores at which to work it out.
        rng: Draws the bootstrap samples, within each stratum.
        samples: How many.

    Raises:
        ValueError: If there are no values in a stratum, or a value or score is not a finite number.
    """
    check_whole("samples", samples, 1)
    parts = checked_strata(strata)
    values, scores = np.concatenate(parts), checked_sample(scores)
    redrawn = np.sort(redraw(parts, rng, samples), axis=1)
    shares = np.stack([1.0 - np.searchsorted(sample, scores, side="right") / len(values) for sample in redrawn])
    low, high = np.quantile(shares, [0.025, 0.975], axis=0)
    return Profile(scores, (values[:, None] > scores).mean(axis=0), low, high, len(values))
