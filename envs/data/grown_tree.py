"""The part of a skill's tree that has been grown, with the standing orders."""

from collections.abc import Sequence

import numpy as np

from teachgym.base.state import Stateful
from teachgym.data.example import Path
from teachgym.data.skills import Skill


class GrownTree(Stateful):
    """Subskills of one skill in the order in which they were grown, and what is known of each.

    Args:
        skill: Whose parts they are; where it has none, it is its own only subskill.
        most: How many there can be.
        most_ordered: Most that an order can be.
        depth: Levels below the skill that can be grown; None for all.
        shuffled_by: Seed of the order in which the parts of one level come; None leaves them in the skill's own order.
    """

    keeps = ("orders", "made", "trained")

    def __init__(
        self,
        skill: Skill,
        *,
        most: int,
        most_ordered: int = 1_000_000,
        depth: int | None = None,
        shuffled_by: Sequence[int] | None = None,
    ) -> None:
        below = [path for path in skill.walk() if len(path) > 1 and (depth is None or len(path) <= depth + 1)]
        below = below or [(skill.name,)]
        if shuffled_by is not None:
            keys = np.random.default_rng(shuffled_by).permutation(len(below))
            below = [
                path for _, path in sorted(zip(keys, below, strict=True), key=lambda pair: (len(pair[1]), pair[0]))
            ]
        self._to_come, self._most_ordered = below[:most], most_ordered
        self.paths: list[Path] = []
        """Where each is in the subject's tree."""
        self.orders: list[int] = []
        """Examples of each to make in every step, non-negative."""
        self.made: list[int] = []
        """Examples of each made so far."""
        self.trained: list[float | None] = []
        """Share of its latest examples that the student answered correctly after training; None if it never was."""

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to grow."""
        return len(self.paths) == len(self._to_come)

    def explore(self, new: int, each: int) -> None:
        """Grow so many subskills, or as many as there are, each with this standing order."""
        for path in self._to_come[len(self.paths) : len(self.paths) + new]:
            self.paths.append(path)
            self.orders.append(min(each, self._most_ordered))
            self.made.append(0)
            self.trained.append(None)

    def exploit(self, change: Sequence[int]) -> None:
        """Change the standing orders by slot; none falls below 0 or rises above the most."""
        changed = zip(self.orders, change, strict=False)
        self.orders = [min(max(order + delta, 0), self._most_ordered) for order, delta in changed]

    def parent(self, slot: int) -> int:
        """Slot of the parent in an observation: 0 for the skill itself."""
        above = self.paths[slot][:-1]
        return 1 + self.paths.index(above) if above in self.paths else 0

    def _forget_derived(self) -> None:
        self.paths = self._to_come[: len(self.orders)]
