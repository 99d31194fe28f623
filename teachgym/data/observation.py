"""What teachers of data-generation environments see of the student, and where in the array it stands."""

from enum import IntEnum
from typing import Any

import numpy as np
from gymnasium import spaces

_MOST_COUNTED = 1e9
"""Above all that an observation counts."""


class SkillRow(IntEnum):
    """Rows of a skill-list observation, ``SkillRows``.

    Without feedback to the teacher, ``ACCURACY``, ``ERRORS`` and ``GAIN`` are 0.
    """

    ACCURACY = 0
    """Share of the skill's validation examples that the student answers correctly now."""
    ERRORS = 1
    """The skill's share of all errors on the validation set; 0 where there is no error."""
    DATA = 2
    """The skill's share of the data made so far; 0 before there is any."""
    GAIN = 3
    """How much the accuracy changed in the last step."""
    PROGRESS = 4
    """Share of the budget that is spent; the same in every column."""


class SkillRows(spaces.Box):
    """Observations of a list of skills: ``(rows, skills)``, float32, from -1 to 1, in the rows of ``SkillRow``.

    Args:
        skills: How many there are.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(self, skills: int, *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(-1.0, 1.0, (len(SkillRow), skills), np.float32, seed)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, SkillRows) and super().__eq__(other)

    def __repr__(self) -> str:
        return f"SkillRows({self.shape[1]} skills)"


class TreeField(IntEnum):
    """Last axis of a skill-tree observation, ``TreeFields``.

    Slot 0 of every skill is the skill as a whole; the slots after it are its subskills, in the order in which they
    were grown. Unused slots are 0. Without feedback to the teacher, ``TRAINED_ACCURACY``, ``ACCURACY`` and ``REWARD``
    are 0.
    """

    ACTIVE = 0
    """1 where there is a skill or subskill in the slot."""
    PARENT = 1
    """Slot of the parent: 0 for a subskill of the skill itself."""
    ALLOCATION = 2
    """Standing order: examples to make in every step, non-negative; of slot 0 the sum over the subskills."""
    MADE = 3
    """Examples made so far; of slot 0 all those of the skill."""
    TESTED = 4
    """1 where ``TRAINED_ACCURACY`` is known: some data has been made, and the student has been asked about it."""
    TRAINED_ACCURACY = 5
    """Share of the latest data made that the student answers correctly after training; 0 where unknown."""
    ACCURACY = 6
    """Share of the validation examples of the skill, or of this part of it, that it answers correctly; 0 if none."""
    REWARD = 7
    """Slot 0 only: how much the skill's validation accuracy changed in the last step."""
    EXPLORED = 8
    """Slot 0 only: times that the skill has been explored."""
    EXPLOITED = 9
    """Slot 0 only: times that allocations of the skill have been changed."""
    LAST = 10
    """Slot 0 only: the last action, 1 for explore, -1 for exploit, 0 for none."""
    COMPLETE = 11
    """Slot 0 only: 1 when there is nothing left to explore: all slots are used, or all parts of the skill are grown."""


class TreeFields(spaces.Box):
    """Observations of trees of skills: ``(skills, 1 + subskills, fields)``, float32, in the fields of ``TreeField``.

    Args:
        skills: K.
        subskills: M, the most that a skill can have.
        seed: Seed of ``sample``, as for every Gymnasium space.
    """

    def __init__(self, skills: int, subskills: int, *, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(-1.0, _MOST_COUNTED, (skills, 1 + subskills, len(TreeField)), np.float32, seed)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, TreeFields) and super().__eq__(other)

    def __repr__(self) -> str:
        return f"TreeFields({self.shape[0]} skills, {self.shape[1] - 1} subskills each)"
