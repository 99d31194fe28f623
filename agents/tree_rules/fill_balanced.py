"""The same amount of data for every subskill."""

from typing import final

import numpy as np

from teachgym.agents.tree_rules.tree_rule import Exploit, Explore, Subskills, TreeRule
from teachgym.base.ranges import PositiveInt
from teachgym.base.settings import checked_dataclass


@checked_dataclass
class FillBalancedSettings:
    """Settings of ``FillBalanced``.

    Raises:
        ValueError: If a value is not allowed.
    """

    subskills: PositiveInt = 3
    """How many a skill is to have."""
    target: PositiveInt = 200
    """Examples that each is to have in the end."""
    cap: PositiveInt = 50
    """Most examples of each in a step."""


@final
class FillBalanced(TreeRule):
    """Grows a few subskills one by one, with a pause after each, and then fills all up to the same amount of data.

    The balanced policy of DataEnvGym (Khan et al. 2025, arXiv:2410.06215): it never looks at the student. Each
    subskill gets what it lacks of the target, and no more than the cap in a step. ``origin`` is ``"rule"``.
    """

    Settings = FillBalancedSettings
    settings: FillBalancedSettings

    def _decide(self, subskills: Subskills) -> Explore | Exploit:
        chosen, count = self.settings, len(subskills.orders)
        if count < chosen.subskills and not subskills.complete:
            if subskills.orders.any():
                return Exploit(np.zeros_like(subskills.orders))
            return Explore(1, min(chosen.cap, chosen.target))
        return Exploit(np.minimum(chosen.target - subskills.made, chosen.cap))
