"""New subskills, then a pause, and so on, up to a cap."""

from typing import final

import numpy as np

from teachgym.agents.tree_rules.tree_rule import Exploit, Explore, Subskills, TreeRule
from teachgym.base.ranges import PositiveInt
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_dataclass


@checked_dataclass
class AlternatingSettings:
    """Settings of ``Alternating``; those of the source's published examples.

    Raises:
        ValueError: If a value is not allowed.
    """

    new: PositiveInt = 2
    """Subskills that are grown at a time."""
    each: PositiveInt = 30
    """Standing order of each."""
    cap: int = 200
    """Examples of a skill beyond which none are made."""

    def __post_init__(self) -> None:
        check_whole("cap", self.cap, self.new)


@final
class Alternating(TreeRule):
    """Grows subskills in one step, sets all orders to 0 in the next, and so on until a skill has had its cap of data.

    So each subskill is taught once. The policy of all published skill-tree runs of DataEnvGym (Khan et al. 2025,
    arXiv:2410.06215). Differs from it: the last orders are cut so that the cap is not exceeded (which leaves it short
    by less than ``new``); and where there is
    nothing left to grow, the subskills with the least data are taken up again instead. ``origin`` is ``"rule"``.
    """

    Settings = AlternatingSettings
    settings: AlternatingSettings

    def _decide(self, subskills: Subskills) -> Explore | Exploit:
        chosen = self.settings
        nothing = Exploit(np.zeros_like(subskills.orders))
        if subskills.orders.any():
            return nothing
        each = min(chosen.each, (chosen.cap - int(subskills.made.sum())) // chosen.new)
        if each <= 0:
            return nothing
        if not subskills.complete:
            return Explore(chosen.new, each)
        orders = np.zeros_like(subskills.orders)
        orders[np.argsort(subskills.made, kind="stable")[: chosen.new]] = each
        return Exploit(orders)
