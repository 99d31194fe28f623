"""Chaotic systems with known exponents, as normalised and noisy series."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.controlled_student import Fixed

_TRANSIENT = 500


@dataclass(frozen=True)
class System:
    """A map of states ``(..., dimensions)``."""

    dimensions: int
    step: Callable[[FloatArray], FloatArray]
    """From each state to the next."""
    start: tuple[float, ...]
    """A state near the attractor, within its basin."""
    exponent: float
    """Greatest Lyapunov exponent, in nats a step."""


def _logistic(x: FloatArray) -> FloatArray:
    return 4 * x * (1 - x)


def _henon(z: FloatArray) -> FloatArray:
    return np.stack([1 - 1.4 * z[..., 0] ** 2 + z[..., 1], 0.3 * z[..., 0]], axis=-1)


def _lorenz_flow(z: FloatArray) -> FloatArray:
    x, y, w = z[..., 0], z[..., 1], z[..., 2]
    return np.stack([10 * (y - x), x * (28 - w) - y, x * y - 8 / 3 * w], axis=-1)


LORENZ_STEP = 0.05
"""Time between two states of the Lorenz system."""


def _lorenz(z: FloatArray) -> FloatArray:
    """Five steps of the classical Runge-Kutta method."""
    h = LORENZ_STEP / 5
    for _ in range(5):
        a = _lorenz_flow(z)
        b = _lorenz_flow(z + h / 2 * a)
        c = _lorenz_flow(z + h / 2 * b)
        d = _lorenz_flow(z + h * c)
        z = z + h / 6 * (a + 2 * b + 2 * c + d)
    return z


SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        "logistic": System(1, _logistic, (0.3,), float(np.log(2))),
        "henon": System(2, _henon, (0.1, 0.1), 0.419),
        "lorenz": System(3, _lorenz, (1.0, 1.0, 25.0), 0.906 * LORENZ_STEP),
    }
)
"""By name: the logistic map at 4, the Henon map, and the flow of Lorenz 1963 sampled in time."""


def orbit(system: System, length: int, rng: np.random.Generator) -> FloatArray:
    """``(length, dimensions)`` states in a row, from a start that is moved at random and a transient that is cut."""
    state = np.array(system.start) * (1 + 0.1 * rng.uniform(-1, 1, system.dimensions))
    states = np.empty((length, system.dimensions))
    for step in range(-_TRANSIENT, length):
        state = system.step(state)
        if step >= 0:
            states[step] = state
    return states


class Series(Fixed):
    """Of a system: a noisy one to learn from, and a clean one to be judged by, both scaled to unit variance.

    Args:
        name: In ``SYSTEMS``.
        length: Of the one to learn from.
        test_length: Of the other.
        noise: Standard deviation of the noise, as a share of the signal's.
        rng: Draws both.
    """

    def __init__(self, name: str, *, length: int, test_length: int, noise: float, rng: np.random.Generator) -> None:
        clean, test = orbit(SYSTEMS[name], length, rng), orbit(SYSTEMS[name], test_length, rng)
        mean, scale = test.mean(axis=0), test.std(axis=0)
        self.train: FloatArray = (clean - mean) / scale + noise * rng.standard_normal(clean.shape)
        self.test: FloatArray = (test - mean) / scale
