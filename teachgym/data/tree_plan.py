"""The actions of a skill-tree environment: for every skill, explore or exploit."""

from typing import Any, TypedDict

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray


class TreePlan(TypedDict):
    """One decision for each of K skills, each with up to M subskills.

    A skill is explored where ``explore`` is 1, and exploited elsewhere. Exploring grows up to ``new`` subskills, each
    with a standing order of ``each`` examples a step, and leaves the other orders as they are. Exploiting adds
    ``change`` to the standing orders; what would fall below 0 stays at 0, so a subskill is given up by a change of
    minus what it has, and taken up again later. What is not used is ignored.
    """

    explore: NDArray[np.int8]
    """``(K,)`` 0 or 1."""
    new: NDArray[np.int64]
    """``(K,)`` subskills to grow, from 0 to M."""
    each: NDArray[np.int64]
    """``(K,)`` standing order of each of them, from 0 to the examples of an episode."""
    change: NDArray[np.int64]
    """``(K, M)`` signed changes of the standing orders, by slot; slot 1 of the observation is column 0."""


class TreePlans(spaces.Dict):
    """The space of ``TreePlan``.

    Args:
        skills: K.
        subskills: M, the most that a skill can have.
        most: Examples of an episode, the most that an order can be.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(
        self, skills: int, subskills: int, most: int, *, seed: int | np.random.Generator | None = None
    ) -> None:
        self.skills, self.subskills, self.most = skills, subskills, most
        super().__init__(
            {
                "explore": spaces.MultiBinary(skills),
                "new": spaces.Box(0, subskills, (skills,), dtype=np.int64),
                "each": spaces.Box(0, most, (skills,), dtype=np.int64),
                "change": spaces.Box(-most, most, (skills, subskills), dtype=np.int64),
            },
            seed=seed,
        )

    def empty(self) -> TreePlan:
        """The plan that leaves every standing order as it is."""
        return {
            "explore": np.zeros(self.skills, dtype=np.int8),
            "new": np.zeros(self.skills, dtype=np.int64),
            "each": np.zeros(self.skills, dtype=np.int64),
            "change": np.zeros((self.skills, self.subskills), dtype=np.int64),
        }

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, TreePlans) and super().__eq__(other)

    def __repr__(self) -> str:
        return f"TreePlans({self.skills} skills, {self.subskills} subskills each, {self.most} examples)"
