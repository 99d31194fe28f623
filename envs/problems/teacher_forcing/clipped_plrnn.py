"""The clipped shallow piecewise linear recurrent network, and its gradient through forced time.

After Hess et al. 2023 (arXiv:2306.04406).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from teachgym.core.task_space import FloatArray

Weights = dict[str, FloatArray]


class Forced(NamedTuple):
    """What came of a forced run."""

    loss: float
    """Mean squared error of the unforced states."""
    gradient: Weights
    """Of the loss, by the weights."""
    slopes: FloatArray
    """``(length, batch, hidden)`` of the hidden units, at the forced states: 1, 0 or -1."""


@dataclass
class ClippedPlrnn:
    """``F(z) = a * z + w1 (relu(w2 z + h2) - relu(w2 z)) + h1``: orbits are bounded if all ``|a| < 1``.

    Args:
        weights: ``a`` and ``h1`` ``(m,)``, ``w1`` ``(m, hidden)``, ``w2`` ``(hidden, m)``, ``h2`` ``(hidden,)``.
    """

    weights: Weights

    @classmethod
    def drawn(cls, dimensions: int, hidden: int, rng: np.random.Generator) -> "ClippedPlrnn":
        """Random weights."""
        weights = {
            "a": rng.uniform(0.3, 0.7, dimensions),
            "w1": rng.standard_normal((dimensions, hidden)) / np.sqrt(hidden),
            "w2": rng.standard_normal((hidden, dimensions)) / np.sqrt(dimensions),
            "h1": np.zeros(dimensions),
            "h2": rng.uniform(-1, 1, hidden),
        }
        return cls(weights)

    def __call__(self, states: FloatArray) -> FloatArray:
        """The next states, ``(..., m)``."""
        w = self.weights
        inner = states @ w["w2"].T
        outer = np.maximum(inner + w["h2"], 0) - np.maximum(inner, 0)
        return np.asarray(w["a"] * states + outer @ w["w1"].T + w["h1"])

    def jacobians(self, slopes: FloatArray) -> FloatArray:
        """``(..., m, m)`` derivatives of the next state, from the slopes ``(..., hidden)`` of the hidden units."""
        w = self.weights
        return np.asarray(np.diag(w["a"]) + (w["w1"] * slopes[..., None, :]) @ w["w2"])

    def norm_bound(self) -> float:
        """A bound of the spectral norm of every Jacobian: ``max |a| + ||w1|| ||w2||``."""
        w = self.weights
        return float(np.abs(w["a"]).max() + np.linalg.norm(w["w1"], 2) * np.linalg.norm(w["w2"], 2))

    def forced(self, data: FloatArray, alpha: float) -> Forced:
        """Run along data ``(batch, length + 1, m)``, each state pulled to the data by ``alpha`` before the next.

        The loss is of the states before they are pulled; its gradient goes through time, times ``1 - alpha`` a step.
        With ``alpha`` 1 it is that of one-step predictions, with 0 that of a free run from the first state.
        """
        w, length = self.weights, data.shape[1] - 1
        pulled, states, inners, before = data[:, 0], [], [], []
        for t in range(length):
            inner = pulled @ w["w2"].T
            outer = np.maximum(inner + w["h2"], 0) - np.maximum(inner, 0)
            state = w["a"] * pulled + outer @ w["w1"].T + w["h1"]
            before.append(pulled)
            inners.append(inner)
            states.append(state)
            pulled = (1 - alpha) * state + alpha * data[:, t + 1]
        inner = np.array(inners)
        above, own = (inner + w["h2"] > 0).astype(np.float64), (inner > 0).astype(np.float64)
        slopes = above - own
        error = np.array(states) - data[:, 1:].swapaxes(0, 1)
        of_states = 2 * error / error.size
        flow = np.zeros_like(data[:, 0])
        for t in reversed(range(length)):
            of_states[t] += (1 - alpha) * flow
            flow = w["a"] * of_states[t] + ((of_states[t] @ w["w1"]) * slopes[t]) @ w["w2"]
        flat, entered = of_states.reshape(-1, data.shape[2]), np.array(before).reshape(-1, data.shape[2])
        outer = (np.maximum(inner + w["h2"], 0) - np.maximum(inner, 0)).reshape(len(flat), -1)
        of_hidden = of_states @ w["w1"]
        gradient = {
            "a": (flat * entered).sum(axis=0),
            "w1": flat.T @ outer,
            "w2": (of_hidden * slopes).reshape(len(flat), -1).T @ entered,
            "h1": flat.sum(axis=0),
            "h2": (of_hidden * above).sum(axis=(0, 1)),
        }
        return Forced(float(np.mean(error**2)), gradient, slopes)

    def free(self, start: FloatArray, length: int) -> FloatArray:
        """``(length, ..., m)`` states of free runs from starts ``(..., m)``."""
        states = np.empty((length, *start.shape))
        for t in range(length):
            start = states[t] = self(start)
        return states


class Adam:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980) on a dictionary of weights, in place."""

    def __init__(self, weights: Weights) -> None:
        self._mean = {name: np.zeros_like(value) for name, value in weights.items()}
        self._square = {name: np.zeros_like(value) for name, value in weights.items()}
        self._steps = 0

    def step(self, weights: Weights, gradient: Weights, *, rate: float) -> None:
        """Move the weights against the gradient."""
        self._steps += 1
        shrink, grow = 1 - 0.9**self._steps, 1 - 0.999**self._steps
        for name, slope in gradient.items():
            mean, square = self._mean[name], self._square[name]
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope**2 - square)
            weights[name] -= rate * (mean / shrink) / (np.sqrt(square / grow) + 1e-8)
