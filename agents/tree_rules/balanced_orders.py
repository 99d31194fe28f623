"""A constant amount of data in every step, divided alike or by need."""

from abc import abstractmethod
from typing import final

import numpy as np

from teachgym.agents.tree_rules.tree_rule import Exploit, Explore, Orders, Subskills, TreeRule
from teachgym.base.ranges import PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.data.observation import TreeField

_STEPS = 6
"""Parts of the budget that a step takes, unless told otherwise."""


@checked_dataclass
class UniformTreeSettings:
    """Settings of ``UniformTree``.

    Raises:
        ValueError: If a value is not allowed.
    """

    new: PositiveInt = 10
    """Subskills of each skill that are grown at a time."""
    examples: PositiveInt | None = None
    """Examples of a step over all skills; None takes a sixth of the budget."""


@checked_dataclass
class BalanceWeakSettings(UniformTreeSettings):
    """Settings of ``BalanceWeak``.

    Raises:
        ValueError: If a value is not allowed.
    """

    explore_above: Share = 0.8
    """Mean accuracy in a skill's subskills above which more of them are grown, if there are any."""
    floor: Share = 0.1
    """Share of the data that is divided alike whatever is seen."""


class _BalancedOrders(TreeRule):
    """Grows subskills at first, and then divides as many examples in every step among all of them."""

    settings: UniformTreeSettings

    @abstractmethod
    def _weights(self, trees: list[Subskills]) -> FloatArray:
        """Non-negative weights of all subskills, tree by tree, not all 0."""

    def _explores(self, subskills: Subskills) -> bool:
        """Whether to grow more of a skill that has some."""
        return False

    @property
    def _examples(self) -> int:
        return self.settings.examples or max(self.budget // _STEPS, 1)

    def _due(self, trees: list[Subskills]) -> int:
        """Examples of the next step: with those before, as many as so many steps are to make."""
        steps = int(trees[0].whole[TreeField.EXPLORED] + trees[0].whole[TreeField.EXPLOITED])
        made = sum(int(tree.made.sum()) for tree in trees)
        return max(self._examples * (steps + 1) - made, 0)

    @final
    def _decide_all(self, trees: list[Subskills]) -> list[Explore | Exploit]:
        new = min(self.settings.new, self.slots)
        explore = Explore(new, max(self._examples // (len(trees) * new), 1))
        grows = [not tree.complete and (not len(tree.orders) or self._explores(tree)) for tree in trees]
        stays = [tree for tree, grown in zip(trees, grows, strict=True) if not grown]
        taken = sum(int(tree.orders.sum()) + new * explore.each for tree in trees if tree not in stays)
        shares = iter(self._divided(stays, max(self._due(trees) - taken, 0)))
        return [explore if grown else Exploit(next(shares)) for grown in grows]

    def _divided(self, trees: list[Subskills], total: int) -> list[Orders]:
        """Orders of these skills' subskills that sum to so many examples."""
        counts = [len(tree.orders) for tree in trees]
        if not any(counts):
            return [np.zeros(0, dtype=np.int64) for _ in trees]
        weights = self._weights(trees)
        ends = np.rint(total * np.cumsum(weights) / weights.sum())  # rounded sums, so that no example is lost
        return np.split(np.diff(ends, prepend=0.0).astype(np.int64), np.cumsum(counts)[:-1])


@final
class UniformTree(_BalancedOrders):
    """Grows subskills once, and then makes the same amount of data for each, forever.

    The baseline without state that an adaptive rule has to beat. ``origin`` is ``"rule"``.
    """

    Settings = UniformTreeSettings

    def _weights(self, trees: list[Subskills]) -> FloatArray:
        return np.concatenate([np.ones(len(tree.orders)) / max(len(tree.orders), 1) for tree in trees])


@final
class BalanceWeak(_BalancedOrders):
    """Shifts a constant amount of data to the subskills in which the student does worst.

    In every step each subskill gets a share in proportion to what the student is not seen to know of it: one minus the
    mean of its accuracy on validation examples and on the data it was taught. A skill whose subskills are known well
    grows more of them. Without feedback all look alike, and it is ``uniform-tree``. ``origin`` is ``"rule"``.
    """

    Settings = BalanceWeakSettings
    settings: BalanceWeakSettings

    def _weights(self, trees: list[Subskills]) -> FloatArray:
        weakness = np.concatenate([tree.weakness / max(len(tree.orders), 1) for tree in trees])
        total, count = weakness.sum(), len(weakness)
        alike = np.concatenate([np.ones(len(tree.orders)) / max(len(tree.orders), 1) for tree in trees])
        alike /= alike.sum()
        share = weakness / total if total > 0 else np.full(count, 1 / count)
        return np.asarray(self.settings.floor * alike + (1 - self.settings.floor) * share)

    def _explores(self, subskills: Subskills) -> bool:
        return bool(1 - subskills.weakness.mean() > self.settings.explore_above)
