"""What teachers of data-generation environments see of the student, and where in the array it stands."""

from enum import IntEnum


class SkillRow(IntEnum):
    """Rows of a skill-list observation ``(rows, skills)``, float32, all from -1 to 1.

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


class TreeField(IntEnum):
    """Last axis of a skill-tree observation ``(skills, 1 + subskills, fields)``, float32.

    Slot 0 of every skill is the skill as a whole; the slots after it are its subskills, in the order in which they
    were grown. Unused slots are 0. Without feedback to the teacher, ``TRAINED_ACCURACY``, ``ACCURACY`` and ``REWARD``
    are 0.
    """

    ACTIVE = 0
    """1 where there is a skill or subskill in the slot."""
    PARENT = 1
    """Slot of the parent: 0 for a subskill of the skill itself."""
    ALLOCATION = 2
    """Standing order: examples to make in every step, from 0 up; of slot 0 the sum over the subskills."""
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
