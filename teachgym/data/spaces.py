"""Spaces of actions and observations that Gymnasium lacks: shares of a whole, and any text."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from teachgym.base.setting_checks import check_whole

_SLACK = 1e-4
"""How far a sum of float32 shares may be from 1."""


class Shares(spaces.Box):
    """``(n,)`` numbers from 0 to 1, float32, that sum to 1 (within 1e-4). Samples are uniform over all such.

    Args:
        count: n, at least 1.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(self, count: int, *, seed: int | np.random.Generator | None = None) -> None:
        check_whole("count", count, 1)
        super().__init__(0.0, 1.0, shape=(count,), dtype=np.float32, seed=seed)

    def sample(self, mask: None = None, probability: None = None) -> NDArray[np.float32]:
        """Draw shares."""
        return self.np_random.dirichlet(np.ones(self.shape[0])).astype(np.float32)

    def contains(self, x: Any) -> bool:
        """Whether these are shares."""
        return super().contains(x) and bool(abs(float(np.sum(x, dtype=np.float64)) - 1) <= _SLACK)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Shares) and self.shape == other.shape

    __hash__ = None  # type: ignore[assignment]  # mutable, as every Gymnasium space

    def __repr__(self) -> str:
        return f"Shares({self.shape[0]})"


class AnyText(spaces.Text):
    """Any string of at most so many characters; samples are printable ASCII.

    Args:
        max_length: Most characters.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(self, max_length: int = 20_000, *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(max_length, min_length=0, charset="".join(map(chr, range(32, 127))), seed=seed)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Draw a string of up to 40 characters."""
        length = int(self.np_random.integers(1, min(self.max_length, 40) + 1))
        return "".join(map(chr, self.np_random.integers(33, 127, size=length)))

    def contains(self, x: Any) -> bool:
        """Whether it is a string, and not too long."""
        return isinstance(x, str) and len(x) <= self.max_length

    def __repr__(self) -> str:
        return f"AnyText({self.max_length})"
