"""What a teacher may need to be told beyond outcomes."""

from enum import Flag, auto


class Needs(Flag):
    """What teachers need to be told, and environments offer to tell, beyond outcomes."""

    SUCCESS = auto()
    """What counts as mastered: ``TeachingSpec.mastered_above`` and ``Feedback.success``, which are NaN and False where
    this is not offered."""
    EASY_TASKS = auto()
    """Which tasks are easy, as a person says: ``TeachingSpec.easy_tasks``."""
    VALUES = auto()
    """The returns that the student expects: ``Feedback.trace`` has ``values``."""
    ENTROPIES = auto()
    """How random the student's policy is: ``Feedback.trace`` has ``entropies``."""
    ANTAGONIST = auto()
    """What a second student makes of the same tasks: ``Feedback.antagonist_outcome``."""
    RULES = auto()
    """Reference policies that the environment states: ``TeachingSpec.rules``."""

    def __str__(self) -> str:
        return ", ".join(str(one.name).lower().replace("_", " ") for one in self) or "nothing beyond outcomes"


NOTHING = Needs(0)
"""Nothing beyond outcomes."""
