"""How a teacher samples tasks at one moment, described for records and figures."""

from dataclasses import dataclass

import numpy as np

from teachgym.core.task_space import FloatArray


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """A mixture of Gaussians over the task space, beside a share of uniform draws."""

    means: FloatArray
    """``(k, n)`` centres, in task units."""
    covariances: FloatArray
    """``(k, n, n)`` covariances, in squared task units."""
    weights: FloatArray
    """``(k,)`` probability of each component given that a component is chosen; sums to 1."""
    uniform: float
    """Probability of a uniform draw instead, in ``[0, 1]``."""

    def __post_init__(self) -> None:
        k, n = _shape("means", self.means, 2)
        _check_shape("covariances", self.covariances, (k, n, n))
        _check_shape("weights", self.weights, (k,))


@dataclass(frozen=True, eq=False)
class Window:
    """A box within which tasks are drawn uniformly."""

    low: FloatArray
    """``(n,)`` lower corner, in task units."""
    high: FloatArray
    """``(n,)`` upper corner, in task units."""

    def __post_init__(self) -> None:
        _check_shape("high", self.high, _shape("low", self.low, 1))


def _shape(name: str, array: FloatArray, dimensions: int) -> tuple[int, ...]:
    if np.ndim(array) != dimensions:
        raise ValueError(f"{name} has shape {np.shape(array)}; expected {dimensions} dimensions")
    return np.shape(array)


def _check_shape(name: str, array: FloatArray, shape: tuple[int, ...]) -> None:
    if np.shape(array) != shape:
        raise ValueError(f"{name} has shape {np.shape(array)}; expected {shape}")


Sampling = GaussianMixture | Window
