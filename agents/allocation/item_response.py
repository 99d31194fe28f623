"""Which questions tell able students from others: the two-parameter logistic model of item response theory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teachgym.base.setting_checks import check_positive, check_whole
from teachgym.core.task_space import FloatArray

_NODES = 41
"""Abilities at which the standard normal distribution of students is summed up."""
_NEWTON_STEPS = 3
_CLOSE = 1e-6
"""Change of the largest parameter below which the fit has converged."""


@dataclass(frozen=True)
class ItemResponse:
    """What was found of each item: a student of ability t answers it with probability ``1 / (1 + exp(-a (t - b)))``."""

    discrimination: FloatArray
    """``(items,)`` a: how sharply it tells abilities above its difficulty from those below."""
    difficulty: FloatArray
    """``(items,)`` b: the ability, in standard deviations of the students, at which half of them are right. It may be
    far off where the discrimination is near 0."""
    ability: FloatArray
    """``(students,)`` expected, given the answers."""


def fit_item_response(correct: ArrayLike, *, spread: float = 3.0, rounds: int = 500) -> ItemResponse:
    """Fit the two-parameter logistic model by marginal likelihood (Bock and Aitkin 1981, doi:10.1007/BF02293801).

    Abilities are standard normal, and summed up over a grid; expectation and a few Newton steps take turns. Slopes and
    intercepts have normal priors about 0, so that an item that all answer alike has finite parameters. Of the two
    solutions that mirror each other, it is the one in which discriminations are positive in the mean.

    Args:
        correct: ``(students, items)`` which were right: 0 or 1.
        spread: Standard deviation of the priors, above 0.
        rounds: Most rounds of expectation and Newton steps, from 1 up.

    Raises:
        ValueError: If an argument is not allowed.
    """
    answers = _answers(correct)
    check_positive("spread", spread)
    check_whole("rounds", rounds, 1)
    nodes = np.linspace(-5, 5, _NODES)
    prior = -0.5 * nodes**2
    design = np.stack([nodes, np.ones(_NODES)])  # slope and intercept
    middle = (answers.sum(axis=0) + 1) / (len(answers) + 2)
    found = np.stack([np.ones(answers.shape[1]), np.log(middle / (1 - middle))])  # (2, items)
    for _ in range(rounds):
        before = found
        weights = _posterior(answers, found, design, prior)
        there, right = weights.sum(axis=0), answers.T @ weights  # (nodes,) and (items, nodes) students expected
        for _ in range(_NEWTON_STEPS):
            chance = _logistic(found.T @ design)
            gradient = design @ (right - there * chance).T - found / spread**2  # (2, items)
            weight = there * chance * (1 - chance)
            curvature = np.einsum("pn,in,qn->ipq", design, weight, design) + np.eye(2) / spread**2
            found = found + np.clip(np.linalg.solve(curvature, gradient.T[..., None])[..., 0].T, -1, 1)
        if np.abs(found - before).max() < _CLOSE:
            break
    sign = -1.0 if found[0].mean() < 0 else 1.0
    slope, intercept = sign * found[0], found[1]
    safe = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
    ability = sign * (_posterior(answers, found, design, prior) @ nodes)
    return ItemResponse(slope, -intercept / safe, ability)


def most_discriminative(correct: ArrayLike, count: int) -> list[int]:
    """Places of the items with the greatest discriminations, greatest first; of equal ones the first.

    ARTE (Liu et al. 2024, arXiv:2406.19227) keeps 40 of 100 validation items so, to measure on them what a student
    prefers.

    Args:
        correct: ``(students, items)`` which were right: 0 or 1. A student may also be one and the same, after other
            data.
        count: How many, from 1 to the number of items.

    Raises:
        ValueError: If an argument is not allowed.
    """
    check_whole("count", count, 1)
    items = _answers(correct).shape[1]
    if count > items:
        raise ValueError(f"count is {count}; expected at most {items}, the number of items")
    found: list[int] = np.argsort(-fit_item_response(correct).discrimination, kind="stable")[:count].tolist()
    return found


def _answers(correct: ArrayLike) -> FloatArray:
    answers = np.array(correct, dtype=np.float64)
    if answers.ndim != 2 or min(answers.shape) < 1:
        raise ValueError(f"correct has shape {answers.shape}; expected (students, items), at least one of each")
    if not np.isin(answers, (0, 1)).all():
        raise ValueError("correct has other numbers than 0 and 1; expected 1 for a right answer and 0 for a wrong one")
    return answers


def _posterior(answers: FloatArray, found: FloatArray, design: FloatArray, prior: FloatArray) -> FloatArray:
    """``(students, nodes)`` the probability of each ability, given the answers."""
    logits = found.T @ design  # (items, nodes)
    log_weights = answers @ logits - np.logaddexp(0, logits).sum(axis=0) + prior
    weights: NDArray[np.float64] = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _logistic(logits: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))
