"""Problems whose actions are shares of data or plans for a skill tree, and a tree that obeys such plans."""

from typing import Any

import numpy as np

from teachgym.core.spec import TeachingSpec
from teachgym.data.observation import SkillRows, TreeField
from teachgym.data.spaces import Shares
from teachgym.data.tree_plan import TreePlans
from teachgym.testing.made_up import TreeObservations


def shares_problem(skills: int) -> TeachingSpec:
    names = tuple(f"s{k}" for k in range(skills))
    return TeachingSpec(Shares(skills), SkillRows(skills), (0.0, 1.0), 0.9, skills=names)


def tree_problem(skills: int, slots: int, budget: int = 10_000) -> TeachingSpec:
    names = tuple(f"s{k}" for k in range(skills))
    plans, seen = TreePlans(skills, slots, budget), TreeObservations(skills, slots)
    return TeachingSpec(plans, seen, (0.0, 1.0), 0.9, skills=names)


class PlainTree:
    """Skills whose subskills are numbers: what a plan does to orders and data, and what is seen of it."""

    def __init__(self, skills: int, slots: int, parts: int | None = None) -> None:
        self.slots, self.parts = slots, slots if parts is None else parts
        self.orders: list[list[int]] = [[] for _ in range(skills)]
        self.made: list[list[int]] = [[] for _ in range(skills)]
        self.rewards = [0.0] * skills
        self.accuracy: dict[tuple[int, int], float] = {}
        self.explored, self.exploited = [0] * skills, [0] * skills

    def step(self, plan: Any) -> list[bool]:
        """Carry a plan out; returns which skills were explored."""
        for k, (orders, made) in enumerate(zip(self.orders, self.made, strict=True)):
            if plan["explore"][k]:
                self.explored[k] += 1
                new = min(int(plan["new"][k]), min(self.slots, self.parts) - len(orders))
                orders += [int(plan["each"][k])] * new
                made += [0] * new
            else:
                self.exploited[k] += 1
                for slot in range(len(orders)):
                    orders[slot] = max(orders[slot] + int(plan["change"][k][slot]), 0)
            for slot, order in enumerate(orders):
                made[slot] += order
        return [bool(flag) for flag in plan["explore"]]

    def observe(self) -> Any:
        seen = np.zeros((len(self.orders), 1 + self.slots, len(TreeField)), np.float32)
        for k, (orders, made) in enumerate(zip(self.orders, self.made, strict=True)):
            whole = seen[k, 0]
            whole[TreeField.ACTIVE], whole[TreeField.ALLOCATION], whole[TreeField.MADE] = 1, sum(orders), sum(made)
            whole[TreeField.REWARD] = self.rewards[k]
            whole[TreeField.EXPLORED], whole[TreeField.EXPLOITED] = self.explored[k], self.exploited[k]
            whole[TreeField.COMPLETE] = len(orders) == min(self.slots, self.parts)
            for slot, order in enumerate(orders):
                part = seen[k, 1 + slot]
                part[TreeField.ACTIVE], part[TreeField.ALLOCATION], part[TreeField.MADE] = 1, order, made[slot]
                known = self.accuracy.get((k, slot))
                if known is not None:
                    part[TreeField.TESTED], part[TreeField.TRAINED_ACCURACY], part[TreeField.ACCURACY] = 1, known, known
        return seen
