"""How a teacher samples tasks at one moment, described for records and figures."""

from dataclasses import dataclass

from teachgym.task_space import FloatArray


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


@dataclass(frozen=True, eq=False)
class Window:
    """A box within which tasks are drawn uniformly."""

    low: FloatArray
    """``(n,)`` lower corner, in task units."""
    high: FloatArray
    """``(n,)`` upper corner, in task units."""


Sampling = GaussianMixture | Window
