"""A conditional normalising flow on the unit cube, after RealNVP (Dinh et al. 2017, arXiv:1605.08803)."""

import math

import torch
from torch import nn
from torch.nn.functional import logsigmoid

MIN_SCALE = 0.01
"""Least factor of one coupling, so that going back through many of them does not overflow."""


def soft_positive(x: torch.Tensor) -> torch.Tensor:
    """A positive function that is nearly x far above 0, and falls as 1 / (3 pi x^2) far below."""
    return x * (torch.atan(x) / math.pi + 0.5) + 1 / math.pi


class RealNvp(nn.Module):
    """An invertible map from latents with a standard normal distribution to points of the open unit cube.

    Every block couples the right half of the coordinates to the left one, the left one to the right, and the even
    coordinates to the odd ones: those of one part are scaled and shifted by networks of the other part and of a
    condition. A sigmoid ends it. A coupling that would change nothing, as with one dimension, is left out. All in
    float64, after the networks that Racaniere et al. published (arXiv:1909.12892).

    Args:
        dimensions: Of latents and points.
        blocks: Each of three couplings.
        depth: Gated layers in each network of a coupling.
        hidden: Width of those.
    """

    def __init__(self, dimensions: int, *, blocks: int, depth: int, hidden: int) -> None:
        super().__init__()
        half, every = dimensions // 2, list(range(dimensions))
        changed = [every[half:], every[:half], every[::2]] * blocks
        self.couplings = nn.ModuleList(
            _Coupling(part, dimensions, depth=depth, hidden=hidden) for part in changed if part
        )

    def forward(self, latents: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map latents ``(B, n)`` under conditions ``(B, 1)`` to points ``(B, n)``, with the log densities ``(B,)``."""
        log_density = _log_normal(latents)
        for coupling in self.couplings:
            latents, log_factor = coupling(latents, condition)
            log_density = log_density - log_factor
        return torch.sigmoid(latents), log_density - _log_slope(latents)

    def inverse(self, points: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map points ``(B, n)``, none on the cube's surface, to latents, with the points' log densities ``(B,)``."""
        latents = torch.logit(points)
        log_density = -_log_slope(latents)
        for coupling in reversed(list(self.couplings)):
            latents, log_factor = coupling.inverse(latents, condition)  # type: ignore[operator]
            log_density = log_density - log_factor
        return latents, log_density + _log_normal(latents)


class _Coupling(nn.Module):
    """Scales and shifts some coordinates, by amounts that depend on the others and on the condition."""

    changed: torch.Tensor
    kept: torch.Tensor

    def __init__(self, changed: list[int], dimensions: int, *, depth: int, hidden: int) -> None:
        super().__init__()
        kept = [i for i in range(dimensions) if i not in changed]
        self.register_buffer("changed", torch.tensor(changed), persistent=False)
        self.register_buffer("kept", torch.tensor(kept, dtype=torch.int64), persistent=False)
        self.scale, self.shift = (_Highway(len(kept) + 1, len(changed), depth, hidden) for _ in range(2))

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scale, shift = self._amounts(x, condition)
        return x.index_copy(1, self.changed, x[:, self.changed] * scale + shift), torch.sum(torch.log(scale), dim=1)

    def inverse(self, x: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Undo ``forward``; the log factor is the same as there."""
        scale, shift = self._amounts(x, condition)
        return x.index_copy(1, self.changed, (x[:, self.changed] - shift) / scale), torch.sum(torch.log(scale), dim=1)

    def _amounts(self, x: torch.Tensor, condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        given = torch.cat([x[:, self.kept], condition], dim=1)
        return MIN_SCALE + soft_positive(self.scale(given)), self.shift(given)


class _Highway(nn.Module):
    """A network whose hidden layers each decide unit by unit how much of their input to replace."""

    def __init__(self, inputs: int, outputs: int, depth: int, hidden: int) -> None:
        super().__init__()
        self.first = linear(inputs, hidden)
        self.gated = nn.ModuleList(linear(hidden, 2 * hidden) for _ in range(depth))
        self.last = linear(hidden, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.first(x))
        for layer in self.gated:
            replacement, gate = layer(x).chunk(2, dim=1)
            x = x + torch.sigmoid(gate) * (torch.tanh(replacement) - x)
        return self.last(x)  # type: ignore[no-any-return]


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A float64 layer without bias at first, its weights truncated normal with variance 1 / inputs."""
    layer = nn.Linear(inputs, outputs, dtype=torch.float64)
    std = 1 / math.sqrt(inputs)
    nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
    nn.init.zeros_(layer.bias)
    return layer


def _log_normal(latents: torch.Tensor) -> torch.Tensor:
    return -0.5 * torch.sum(latents**2 + math.log(2 * math.pi), dim=1)


def _log_slope(x: torch.Tensor) -> torch.Tensor:
    """Log of the sigmoid's derivatives, summed."""
    return torch.sum(logsigmoid(x) + logsigmoid(-x), dim=1)
