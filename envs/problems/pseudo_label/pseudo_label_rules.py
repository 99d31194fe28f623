"""Where to put the threshold of pseudo-labels: rules of what is seen, and the mixture that they fit."""

from collections.abc import Mapping
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.control_rules import Always, ControlRule

_Policy = Literal["high", "middle"]
Thresholds = Literal["shared", "per-class"]
PAPER_WEIGHT, PAPER_MOMENTUM = 2.0, 0.9995
"""Of Consistent-Teacher (Wang et al. 2023, arXiv:2209.01589)."""
_WARM_UP = 10_000 / 180_000
"""Share of its training in which it does without pseudo-labels."""
SOFT_THRESHOLD, SOFT_WEIGHT, SOFT_MOMENTUM = 0.9, 4.0, 0.999
"""Of Soft Teacher (Xu et al. 2021, arXiv:2106.09018)."""
_RESCALED_MOMENTUM = 0.95
"""For hundreds of updates: the teacher is the mean of some 20, where 0.9995 makes it that of 2,000."""
_BEST_CONSTANT = (0.7, 1.0, 0.98)
"""Threshold, weight and momentum, with default settings: of a grid of 80 (0.6, 0.7, 0.8, 0.9, 0.95; 0.5, 1, 2, 4; 0.9,
0.95, 0.98, 0.99) on seeds 0 to 4, and of the best eight of them again on seeds 5 to 14."""
WITH_TRUTH = (4.0, 0.98)
"""Weight and momentum where only right pseudo-labels are kept: the best of a grid of 12 (weights 1, 2, 4; momenta 0.9,
0.95, 0.98, 0.99), 5 seeds."""
LEAST_SCORES = 4
"""Of a class; with fewer, its threshold is 0."""
_ITERATIONS = 100
_FLOOR = 1e-6
"""Added to variances, as scikit-learn does."""


def mixture_thresholds(scores: FloatArray, *, policy: _Policy = "high") -> FloatArray:
    """``(k,)`` thresholds that part high from low among scores ``(k, n)``, each row by itself.

    As in Consistent-Teacher (Wang et al. 2023, arXiv:2209.01589): a mixture of two normal distributions is fitted to
    the scores by expectation maximisation, from means at the least and the greatest, weights 0.5 and precisions 1. Of
    the scores that belong to the upper one, ``"high"`` takes that with the greatest density under the mixture, and
    ``"middle"`` the lowest. Where none belongs to it, the threshold is 0.
    """
    lowest, highest = scores.min(axis=1), scores.max(axis=1)
    means, variances = np.stack([lowest, highest], axis=1), np.ones((len(scores), 2))
    weights = np.full((len(scores), 2), 0.5)
    for _ in range(_ITERATIONS):
        shares = np.exp(_joint(scores, means, variances, weights))
        shares /= shares.sum(axis=2, keepdims=True)
        counts = shares.sum(axis=1) + 10 * np.finfo(np.float64).eps
        weights = counts / counts.sum(axis=1, keepdims=True)
        means = np.einsum("knc,kn->kc", shares, scores) / counts
        apart = (scores[:, :, None] - means[:, None, :]) ** 2
        variances = np.einsum("knc,knc->kc", shares, apart) / counts + _FLOOR
    joint = _joint(scores, means, variances, weights)
    upper = joint[:, :, 1] > joint[:, :, 0]
    if policy == "middle":
        found = np.where(upper, scores, np.inf).min(axis=1)
    else:
        density = np.where(upper, np.logaddexp(joint[:, :, 0], joint[:, :, 1]), -np.inf)
        found = scores[np.arange(len(scores)), density.argmax(axis=1)]
    return np.where(upper.any(axis=1), found, 0.0)


def _joint(scores: FloatArray, means: FloatArray, variances: FloatArray, weights: FloatArray) -> FloatArray:
    """``(k, n, 2)`` logarithms of the density of every score under either distribution, times its weight."""
    apart = (scores[:, :, None] - means[:, None, :]) ** 2 / variances[:, None, :]
    joint: FloatArray = np.log(weights)[:, None, :] - 0.5 * (apart + np.log(2 * np.pi * variances)[:, None, :])
    return joint


def rules(thresholds: Thresholds, quantiles: int, updates: int) -> dict[str, ControlRule]:
    """Reference policies, for thresholds of a kind, with so many quantiles shown and updates in an episode."""
    count = 10 if thresholds == "per-class" else 1

    def always(threshold: float, weight: float, momentum: float) -> Always:
        return Always(_controls(count, threshold, weight, momentum))

    return {
        "none": always(1.0, 0.0, _RESCALED_MOMENTUM),
        "constant": always(*_BEST_CONSTANT),
        "paper": partial(_mixture, count, quantiles, "high", PAPER_MOMENTUM),
        "middle": partial(_mixture, count, quantiles, "middle", PAPER_MOMENTUM),
        "rescaled": partial(_mixture, count, quantiles, "high", _RESCALED_MOMENTUM),
        "rescaled-middle": partial(_mixture, count, quantiles, "middle", _RESCALED_MOMENTUM),
        "soft": partial(_soft, count, updates),
        "all": always(0.0, 1.0, _RESCALED_MOMENTUM),
    }


def _controls(count: int, threshold: FloatArray | float, weight: float, momentum: float) -> ArrayLike:
    return np.append(np.broadcast_to(threshold, count), (weight, momentum))


def _mixture(count: int, quantiles: int, policy: _Policy, momentum: float, seen: Mapping[str, float]) -> ArrayLike:
    suffixes = [f"_of_{digit}" for digit in range(count)] if count > 1 else [""]
    scores = np.array([[seen[f"confidence_{place}{end}"] for place in range(quantiles)] for end in suffixes])
    weight = 0.0 if seen["progress"] < _WARM_UP else PAPER_WEIGHT
    return _controls(count, mixture_thresholds(scores, policy=policy), weight, momentum)


def _soft(count: int, updates: int, seen: Mapping[str, float]) -> ArrayLike:
    done = seen["progress"] * updates
    return _controls(count, SOFT_THRESHOLD, SOFT_WEIGHT, min(SOFT_MOMENTUM, 1 - 1 / (done + 1)))
