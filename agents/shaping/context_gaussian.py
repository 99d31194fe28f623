"""A Gaussian over tasks whose parameters can be optimised: densities, divergences, and their gradients."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from teachgym.core.task_space import FloatArray

LEAST_STD, MOST_STD = 1e-3, 10.0
"""Where ``bounded`` keeps standard deviations, in ranges of the task parameters."""


@dataclass(frozen=True, eq=False)
class ContextGaussian:
    """``N(mean, factor factor^T)`` over n dimensions, in tasks mapped to ``[0, 1]``.

    As one vector it is the mean, the logarithms of the factor's diagonal, and what is below the diagonal, row by
    row: ``n + n + n (n - 1) / 2`` numbers, each free to take any value. Gradients are with respect to that vector.
    """

    mean: FloatArray
    """``(n,)`` centre."""
    factor: FloatArray
    """``(n, n)`` lower triangular, with a diagonal above 0: the Cholesky factor of the covariance."""

    @classmethod
    def diagonal(cls, mean: FloatArray, std: FloatArray) -> "ContextGaussian":
        """Independent dimensions with these standard deviations ``(n,)``."""
        return cls(np.array(mean, dtype=np.float64), np.diag(np.array(std, dtype=np.float64)))

    @classmethod
    def from_vector(cls, vector: FloatArray, dimensions: int) -> "ContextGaussian":
        """Read a vector of parameters, as ``vector`` writes it."""
        n = dimensions
        factor = np.zeros((n, n))
        factor[np.tril_indices(n, -1)] = vector[2 * n :]
        factor[np.diag_indices(n)] = np.exp(np.clip(vector[n : 2 * n], -100.0, 100.0))  # so that no trial overflows
        return cls(np.array(vector[:n]), factor)

    def vector(self) -> FloatArray:
        """The parameters as one vector."""
        return self._flat(self.mean, self.factor, np.log(np.diag(self.factor)))

    @property
    def dimensions(self) -> int:
        """Number of dimensions."""
        return len(self.mean)

    @property
    def covariance(self) -> FloatArray:
        """``(n, n)`` covariance."""
        return np.asarray(self.factor @ self.factor.T)

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Draw ``(count, n)`` points, not clipped to any bounds."""
        return np.asarray(self.mean + rng.standard_normal((count, self.dimensions)) @ self.factor.T)

    def log_densities(self, points: FloatArray) -> FloatArray:
        """``(m,)`` logarithms of the density at ``(m, n)`` points."""
        constant = 0.5 * self.dimensions * np.log(2 * np.pi) + self._log_volume()
        return np.asarray(-0.5 * np.sum(self._whiten(points) ** 2, axis=0) - constant)

    def log_density_gradient(self, points: FloatArray, weights: FloatArray) -> FloatArray:
        """Gradient of the sum of weights ``(m,)`` times log-densities at ``(m, n)`` points."""
        whitened = self._whiten(points)
        to_mean = self._solve_transposed(whitened @ weights)
        to_factor = self._solve_transposed((whitened * weights) @ whitened.T) - np.diag(
            np.sum(weights) / np.diag(self.factor)
        )
        return self._flat_gradient(to_mean, to_factor)

    def kl(self, other: "ContextGaussian") -> float:
        """Kullback-Leibler divergence from this to another: ``KL(self || other)``, non-negative."""
        spread = solve_triangular(other.factor, self.factor, lower=True)
        offset = solve_triangular(other.factor, self.mean - other.mean, lower=True)
        excess = np.sum(spread**2) + np.sum(offset**2) - self.dimensions
        return max(0.5 * float(excess) + other._log_volume() - self._log_volume(), 0.0)

    def kl_gradient(self, other: "ContextGaussian") -> FloatArray:
        """Gradient of ``KL(self || other)`` with respect to this one's parameters."""
        to_mean = other._solve_transposed(solve_triangular(other.factor, self.mean - other.mean, lower=True))
        to_factor = other._solve_transposed(solve_triangular(other.factor, self.factor, lower=True))
        return self._flat_gradient(to_mean, to_factor - np.diag(1 / np.diag(self.factor)))

    def fisher_product(self, vector: FloatArray) -> FloatArray:
        """The Fisher information times a vector: the curvature of the divergence to a Gaussian close by.

        With ``A = factor^-1 dfactor`` and ``b = factor^-1 dmean``, half of ``|b|^2 + |A|^2 + sum_i A_ii^2`` is the
        divergence to second order; this is its gradient.
        """
        n = self.dimensions
        change = np.zeros((n, n))
        change[np.tril_indices(n, -1)] = vector[2 * n :]
        change[np.diag_indices(n)] = vector[n : 2 * n] * np.diag(self.factor)
        relative = solve_triangular(self.factor, change, lower=True)
        to_mean = self._solve_transposed(solve_triangular(self.factor, vector[:n], lower=True))
        return self._flat_gradient(to_mean, self._solve_transposed(relative + np.diag(np.diag(relative))))

    def seen_from(self, base: "ContextGaussian") -> "ContextGaussian":
        """The same in coordinates in which ``base`` is the standard normal distribution."""
        mean = solve_triangular(base.factor, self.mean - base.mean, lower=True)
        return ContextGaussian(mean, np.tril(solve_triangular(base.factor, self.factor, lower=True)))

    def placed_in(self, base: "ContextGaussian") -> "ContextGaussian":
        """The inverse of ``seen_from``."""
        return ContextGaussian(base.mean + base.factor @ self.mean, np.tril(base.factor @ self.factor))

    def standardise(self, points: FloatArray) -> FloatArray:
        """``(m, n)`` points in coordinates in which this is the standard normal distribution."""
        return np.ascontiguousarray(self._whiten(points).T)

    def with_floor(self, std: FloatArray) -> "ContextGaussian":
        """The same with a factor whose diagonal is nowhere below ``std`` ``(n,)``."""
        factor = self.factor.copy()
        factor[np.diag_indices(self.dimensions)] = np.maximum(np.diag(factor), std)
        return ContextGaussian(self.mean, factor)

    def bounded(self) -> "ContextGaussian":
        """The same with its centre in ``[0, 1]`` and widths that neither vanish nor explode."""
        widths = np.linalg.norm(self.factor, axis=1, keepdims=True)
        factor = self.factor * np.minimum(1.0, MOST_STD / widths)
        floor = np.full(self.dimensions, LEAST_STD)
        return ContextGaussian(np.clip(self.mean, 0.0, 1.0), factor).with_floor(floor)

    def _log_volume(self) -> float:
        return float(np.sum(np.log(np.diag(self.factor))))

    def _whiten(self, points: FloatArray) -> FloatArray:
        """``(n, m)`` the standard normal draws that the points ``(m, n)`` come from."""
        return np.asarray(solve_triangular(self.factor, (points - self.mean).T, lower=True))

    def _solve_transposed(self, right: FloatArray) -> FloatArray:
        return np.asarray(solve_triangular(self.factor, right, lower=True, trans=1))

    def _flat_gradient(self, to_mean: FloatArray, to_factor: FloatArray) -> FloatArray:
        return self._flat(to_mean, to_factor, np.diag(to_factor) * np.diag(self.factor))

    def _flat(self, mean: FloatArray, below: FloatArray, diagonal: FloatArray) -> FloatArray:
        return np.concatenate([mean, diagonal, below[np.tril_indices(self.dimensions, -1)]])
