"""The base of teachers that decide for every skill of a tree whether to explore or to exploit."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from teachgym.base.annotations import read_numbers
from teachgym.core.feedback import Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note, Teacher
from teachgym.data.observation import TreeField, TreeFields
from teachgym.data.tree_plan import TreePlans

Orders = NDArray[np.int64]


@dataclass(frozen=True)
class Explore:
    """Grow subskills."""

    new: int
    """How many."""
    each: int
    """Standing order of each."""


@dataclass(frozen=True, eq=False)
class Exploit:
    """Give the subskills that are there other orders."""

    orders: Orders
    """``(active,)`` new standing orders, in the order of the slots; what is below 0 counts as 0."""


class Subskills:
    """What is seen of one skill's subskills.

    Args:
        fields: ``(1 + M, fields)`` of the observation.
    """

    def __init__(self, fields: FloatArray) -> None:
        self.whole = fields[0]
        """``(fields,)`` of the skill as a whole."""
        active = fields[1:, TreeField.ACTIVE] > 0
        self.parts = fields[1:][active]
        """``(active, fields)`` of its subskills."""
        self.orders: Orders = np.rint(self.parts[:, TreeField.ALLOCATION]).astype(np.int64)
        """``(active,)`` standing orders."""
        self.made: Orders = np.rint(self.parts[:, TreeField.MADE]).astype(np.int64)
        """``(active,)`` examples made so far."""

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to explore."""
        return bool(self.whole[TreeField.COMPLETE] > 0)

    @property
    def weakness(self) -> FloatArray:
        """``(active,)`` one minus the mean of two accuracies, on validation examples and on the latest data made.

        An accuracy of 0 on validation examples may mean that there are none: the other then counts alone.
        """
        tested = self.parts[:, TreeField.TRAINED_ACCURACY]
        validated = np.where(self.parts[:, TreeField.ACCURACY] > 0, self.parts[:, TreeField.ACCURACY], tested)
        return np.asarray(1 - (validated + tested) / 2)


class TreeRule(Teacher):
    """A teacher that decides for every skill by what it sees of the tree now.

    Subclasses define ``_decide``, or ``_decide_all`` where skills compete.

    Args:
        spec: The environment's fixed facts.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Non-negative integer.
    """

    acts_on = (TreePlans,)
    reads = TreeFields

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        assert isinstance(spec.action_space, TreePlans)
        self._plans = spec.action_space
        self.skills, self.slots = self._plans.skills, self._plans.subskills
        self._seen = (self.skills, 1 + self.slots, len(TreeField))
        self.budget = self._plans.most
        """Examples of an episode."""

    def _decide(self, subskills: Subskills) -> Explore | Exploit:
        """What to do with one skill."""
        raise NotImplementedError(f"{type(self).__name__} defines neither _decide nor _decide_all")

    def _decide_all(self, trees: list[Subskills]) -> list[Explore | Exploit]:
        """What to do with each skill."""
        return [self._decide(tree) for tree in trees]

    @final
    def _act(self, observation: Any) -> Choice:
        """Decide for all skills."""
        trees = [Subskills(fields) for fields in read_numbers("the observation", observation, shape=self._seen)]
        plan = self._plans.empty()
        for k, (tree, decision) in enumerate(zip(trees, self._decide_all(trees), strict=True)):
            if isinstance(decision, Explore):
                plan["explore"][k] = 1
                plan["new"][k] = min(max(decision.new, 0), self.slots)
                plan["each"][k] = min(max(decision.each, 0), self.budget)
            else:
                wanted = np.clip(decision.orders, 0, self.budget)
                plan["change"][k, : len(wanted)] = np.clip(wanted - tree.orders, -self.budget, self.budget)
        return Choice(plan, "rule")

    @final
    def _update(self, transition: Transition, note: Note | None) -> None:
        """Learn nothing: all that matters is in the next observation."""
