"""Spaces of actions and observations that Gymnasium lacks: shares of a whole, any text, orders, and examples."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from teachgym.base.setting_checks import check_whole

LONGEST = 20_000
"""Most characters of a text, unless told otherwise."""
_SLACK = 1e-4
"""How far a sum of float32 shares may be from 1."""


class Shares(Space[NDArray[np.float32]]):
    """``(n,)`` numbers from 0 to 1, float32, that sum to 1 (within 1e-4). Samples are uniform over all such.

    It is not a ``Box``: few points of the box are shares.

    Args:
        count: n, at least 1.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(self, count: int, *, seed: int | np.random.Generator | None = None) -> None:
        check_whole("count", count, 1)
        self.count = int(count)
        super().__init__((self.count,), np.float32, seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Whether Gymnasium can flatten it: no, as it knows no such space."""
        return False

    def sample(self, mask: None = None, probability: None = None) -> NDArray[np.float32]:
        """Draw shares."""
        return self.np_random.dirichlet(np.ones(self.count)).astype(np.float32)

    def contains(self, x: Any) -> bool:
        """Whether these are shares."""
        return (
            isinstance(x, np.ndarray)
            and np.can_cast(x.dtype, np.float32)
            and x.shape == self.shape
            and bool((x >= 0).all() and (x <= 1).all() and abs(float(x.sum(dtype=np.float64)) - 1) <= _SLACK)
        )

    def to_jsonable(self, sample_n: Iterable[NDArray[np.float32]]) -> list[list[float]]:
        """Shares as lists."""
        return [shares.tolist() for shares in sample_n]

    def from_jsonable(self, sample_n: Iterable[Any]) -> list[NDArray[np.float32]]:
        """Shares from such lists."""
        return [np.array(shares, dtype=np.float32) for shares in sample_n]

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Shares) and self.count == other.count

    def __repr__(self) -> str:
        return f"Shares({self.count})"


class AnyText(spaces.Text):
    """Any string of at most so many characters; samples are printable ASCII.

    Args:
        max_length: Most characters.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(self, max_length: int = LONGEST, *, seed: int | np.random.Generator | None = None) -> None:
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


class Orders(spaces.Sequence):
    """Plans in words: tuples of ``{"like", "count", "note"}``, so many examples like one of the errors shown.

    Args:
        errors: How many errors are shown: ``"like"`` is the number of one, from 0.
        most: The greatest ``"count"``.
        longest: Most characters of a ``"note"``.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(
        self, errors: int, most: int, *, longest: int = LONGEST, seed: int | np.random.Generator | None = None
    ) -> None:
        self.errors, self.most, self.longest = errors, most, longest
        numbers = {"like": spaces.Discrete(errors), "count": spaces.Discrete(most + 1)}
        super().__init__(spaces.Dict({**numbers, "note": AnyText(longest)}), seed=seed)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Orders) and super().__eq__(other)

    def __repr__(self) -> str:
        return f"Orders({self.errors} errors, {self.most} examples)"


class Examples(spaces.Sequence):
    """Training data itself: tuples of ``{"prompt", "target"}``, which are any texts.

    Args:
        longest: Most characters of a text.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(self, *, longest: int = LONGEST, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(spaces.Dict({"prompt": AnyText(longest), "target": AnyText(longest)}), seed=seed)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Examples) and super().__eq__(other)

    def __repr__(self) -> str:
        return "Examples()"
