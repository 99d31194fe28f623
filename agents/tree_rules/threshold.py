"""More of the same while it helps, and something new when it does not."""

from typing import final

from teachgym.agents.tree_rules.tree_rule import Exploit, Explore, Subskills, TreeRule
from teachgym.base.ranges import FiniteFloat, NonNegativeInt
from teachgym.base.settings import checked_dataclass
from teachgym.data.observation import TreeField


@checked_dataclass
class ThresholdSettings:
    """Settings of ``Threshold``; the source's.

    Raises:
        ValueError: If a value is not allowed.
    """

    threshold: FiniteFloat = 0.01
    """Gain in the skill's validation accuracy above which it is exploited."""
    more: NonNegativeInt = 10
    """What exploiting adds to every order."""
    first_new: NonNegativeInt = 10
    """Subskills that are grown at first."""
    new: NonNegativeInt = 5
    """Subskills that are grown later."""
    each: NonNegativeInt = 10
    """Standing order of a new one."""


@final
class Threshold(TreeRule):
    """Adds to a skill's orders while its accuracy rises by more than a hundredth; otherwise grows new subskills.

    The configurable policy of DataEnvGym (Khan et al. 2025, arXiv:2410.06215): the gain in a skill's accuracy tells
    whether to go on with what there is. Differs from it: where there is nothing left to grow, it exploits. ``origin``
    is ``"rule"``.
    """

    Settings = ThresholdSettings
    settings: ThresholdSettings

    def _decide(self, subskills: Subskills) -> Explore | Exploit:
        chosen = self.settings
        if not len(subskills.orders) and not subskills.complete:
            return Explore(chosen.first_new, chosen.each)
        if subskills.whole[TreeField.REWARD] > chosen.threshold or subskills.complete:
            return Exploit(subskills.orders + chosen.more)
        return Explore(chosen.new, chosen.each)
