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
    """``(K,)`` standing order of each of them, from 0 up to the examples of an episode."""
    change: NDArray[np.int64]
    """``(K, M)`` signed changes of the standing orders, by slot; slot 1 of the observation is column 0."""


def tree_plan_space(skills: int, subskills: int, most: int) -> spaces.Dict:
    """The space of plans for so many skills and slots, whose orders are at most so many examples."""
    return spaces.Dict(
        {
            "explore": spaces.MultiBinary(skills),
            "new": spaces.Box(0, subskills, (skills,), dtype=np.int64),
            "each": spaces.Box(0, most, (skills,), dtype=np.int64),
            "change": spaces.Box(-most, most, (skills, subskills), dtype=np.int64),
        }
    )


def empty_plan(space: Any) -> TreePlan:
    """The plan that leaves every standing order as it is."""
    skills, subskills = space["change"].shape
    return {
        "explore": np.zeros(skills, dtype=np.int8),
        "new": np.zeros(skills, dtype=np.int64),
        "each": np.zeros(skills, dtype=np.int64),
        "change": np.zeros((skills, subskills), dtype=np.int64),
    }
