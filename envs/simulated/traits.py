"""What makes simulated students differ: each has random numbers of its own, from its seed alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray
from teachgym.worlds.world_batch import Slots

_AHEAD = 128
"""Random numbers that a student's generator draws at once."""


class Population:
    """Draws what students are like, and the chances of their lives, in numbered slots.

    Args:
        size: Number of slots.
        traits: Numbers that describe a student.
        variety: Standard deviation of the logarithm of a trait.
        uniform: Whether chances are uniform in [0, 1); else they are standard Gaussian.
    """

    def __init__(self, size: int, *, traits: int, variety: float, uniform: bool) -> None:
        self._traits, self._variety, self._uniform = traits, variety, uniform
        self._generators = [np.random.default_rng(0)] * size
        self._chances: FloatArray = np.zeros((size, _AHEAD))
        self._used: NDArray[np.int64] = np.zeros(size, dtype=np.int64)

    def begin(self, slots: Slots, seeds: Sequence[int]) -> FloatArray:
        """Put the students of these seeds in some slots.

        Returns:
            ``(m, traits)`` log-normal factors with median 1, by which each differs from the typical student.
        """
        drawn = np.empty((len(slots), self._traits))
        for row, (slot, seed) in enumerate(zip(slots.tolist(), seeds, strict=True)):
            self._generators[slot] = rng = np.random.default_rng(seed)
            drawn[row] = rng.standard_normal(self._traits)
        self._used[slots] = 0
        return np.exp(self._variety * drawn)

    def chance(self, slots: Slots) -> FloatArray:
        """``(m,)`` the next random number of each student."""
        place = self._used[slots] % _AHEAD
        for slot in slots[place == 0].tolist():
            rng = self._generators[slot]
            self._chances[slot] = rng.random(_AHEAD) if self._uniform else rng.standard_normal(_AHEAD)
        self._used[slots] += 1
        return self._chances[slots, place]
