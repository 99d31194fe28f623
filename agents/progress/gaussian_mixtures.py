"""Gaussian mixtures fitted to what a student did, with the number of components chosen by an information criterion."""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import sklearn.mixture
from sklearn.exceptions import ConvergenceWarning

from teachgym.base.exclusive import one_core
from teachgym.core.sampling import GaussianMixture
from teachgym.core.task_space import FloatArray, TaskSpace

Criterion = Literal["aic", "bic", "aicc"]


@dataclass(frozen=True, eq=False)
class Mixture:
    """A fitted mixture of k Gaussians in D dimensions, the first n of which are the task's."""

    means: FloatArray
    """``(k, D)`` centres."""
    covariances: FloatArray
    """``(k, D, D)`` covariances, positive definite."""
    weights: FloatArray
    """``(k,)`` share of the vectors that each component explains; sums to 1."""

    def draw(self, component: int, rng: np.random.Generator) -> FloatArray:
        """Draw ``(D,)`` from one component."""
        factor = np.linalg.cholesky(self.covariances[component])
        return np.asarray(self.means[component] + factor @ rng.standard_normal(len(factor)), dtype=np.float64)

    def over_tasks(self, space: TaskSpace, *, weights: FloatArray, uniform: float, normalised: bool) -> GaussianMixture:
        """Describe the mixture over the task space alone, in task units.

        Args:
            space: The task space, of n dimensions.
            weights: ``(k,)`` chances of the components; see ``chances``.
            uniform: Share of uniform draws beside the mixture.
            normalised: Whether the mixture is over tasks mapped to ``[0, 1]``.
        """
        n = space.dimensions
        low, unit = (space.low, space.range) if normalised else (np.zeros(n), np.ones(n))
        return GaussianMixture(
            means=low + self.means[:, :n] * unit,
            covariances=self.covariances[:, :n, :n] * np.outer(unit, unit),
            weights=weights,
            uniform=uniform,
        )


def chances(scores: FloatArray) -> FloatArray:
    """Turn scores ``(k,)`` into chances that sum to 1: in proportion, negative ones as 0, equal if all are 0."""
    scores = np.maximum(scores, 0.0)
    best = float(np.max(scores))
    if best == 0.0:
        return np.full(len(scores), 1.0 / len(scores))
    scores = scores / best  # so that the sum neither overflows nor loses very small scores
    return np.asarray(scores / np.sum(scores), dtype=np.float64)


def fit_mixture(
    vectors: FloatArray,
    rng: np.random.Generator,
    *,
    least: int,
    most: int,
    criterion: Criterion,
    aicc_dimensions: int | None = None,
) -> Mixture | None:
    """Fit full-covariance mixtures of ``least`` to ``most`` components, and keep the best by a criterion.

    Each fit starts cold from one k-means clustering and is expectation maximisation as scikit-learn does it.
    No more components are tried than there are distinct vectors. A fit that fails is passed over. The work is
    pinned to one thread: it is too small to share, and so does not depend on the number of cores.

    Args:
        vectors: ``(m, D)`` finite numbers.
        rng: Gives the seed of each fit.
        least: Fewest components to try.
        most: Most components to try, inclusive.
        criterion: What the best fit has least of. A fit with too few vectors for the AICc to be defined is
            taken only if that holds for all fits; among equals the fewest components count.
        aicc_dimensions: Dimensions that the AICc counts parameters of; None takes D.

    Returns:
        The best mixture, or None if no fit succeeded.
    """
    seeds = rng.integers(2**32, size=most - least + 1)
    most = min(most, len(np.unique(vectors, axis=0)))
    best: tuple[float, Mixture] | None = None
    with (
        one_core(),
        warnings.catch_warnings(),
        np.errstate(over="raise", divide="raise", invalid="raise"),
    ):
        warnings.simplefilter("ignore", ConvergenceWarning)  # few distinct vectors, or slow: the fit still serves
        for components, seed in zip(range(least, most + 1), seeds, strict=False):
            model = sklearn.mixture.GaussianMixture(components, random_state=int(seed))
            try:
                model.fit(vectors)
                np.linalg.cholesky(model.covariances_)
                score = _score(model, vectors, criterion, aicc_dimensions or vectors.shape[1])
            except (FloatingPointError, ValueError):  # LinAlgError is a ValueError
                continue
            if best is None or score < best[0]:
                best = score, Mixture(model.means_, model.covariances_, model.weights_)
    return None if best is None else best[1]


def _score(
    model: sklearn.mixture.GaussianMixture, vectors: FloatArray, criterion: Criterion, aicc_dimensions: int
) -> float:
    """The criterion of a fitted model, less is better."""
    if criterion == "bic":
        return float(model.bic(vectors))
    aic = float(model.aic(vectors))
    return aic if criterion == "aic" else aic + aicc_penalty(len(vectors), model.n_components, aicc_dimensions)


def aicc_penalty(vectors: int, components: int, dimensions: int) -> float:
    """What the AICc adds to the AIC for small samples, ``2 q (q + 1) / (m - q - 1)``.

    q counts the free parameters of a mixture with full covariances. Infinite where the formula is undefined,
    with no more than q + 1 vectors.
    """
    per_component = (dimensions**2 - dimensions) // 2 + 2 * dimensions + 1
    q = components * per_component - 1
    return 2 * q * (q + 1) / (vectors - q - 1) if vectors > q + 1 else float("inf")
