"""Spaces that Gymnasium lacks: decisions that may be probes, and numbers that end with the truth."""

from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import ArrayLike

from teachgym.base.setting_checks import check_whole


class ProbeSpace(spaces.Dict):
    """The actions ``{"decision": ..., "probe": 0 or 1}``: with 1 the decision is a probe, whose effect is not kept.

    Args:
        decisions: What is decided; stays accessible as ``decisions``.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(self, decisions: Space[Any], *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__({"decision": decisions, "probe": spaces.Discrete(2)}, seed=seed)

    @property
    def decisions(self) -> Space[Any]:
        """What is decided."""
        return self.spaces["decision"]

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ProbeSpace) and super().__eq__(other)

    def __repr__(self) -> str:
        return f"ProbeSpace({self.decisions})"


class BoxWithTruth(spaces.Box):
    """A ``Box`` of shape ``(n,)``, float32, whose last numbers are the truth, which no fair teacher may know.

    Args:
        low: ``(n,)`` least numbers.
        high: ``(n,)`` greatest numbers.
        truth: How many of the numbers are the truth, from 1 to n.
        seed: Seed of ``sample``, as for every Gymnasium space.

    Raises:
        ValueError: If ``truth`` is not allowed.
    """

    def __init__(
        self, low: ArrayLike, high: ArrayLike, *, truth: int, seed: int | np.random.Generator | None = None
    ) -> None:
        super().__init__(np.asarray(low, np.float32), np.asarray(high, np.float32), dtype=np.float32, seed=seed)
        check_whole("truth", truth, 1, most=self.shape[0])
        self.truth = truth

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, BoxWithTruth) and self.truth == other.truth and super().__eq__(other)

    def __repr__(self) -> str:
        return f"BoxWithTruth({self.shape[0]} numbers, the last {self.truth} of them the truth)"
