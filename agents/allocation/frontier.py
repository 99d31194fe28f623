"""Data where answers are most uncertain, or where accuracy moves most."""

from typing import final

import numpy as np

from teachgym.agents.allocation.allocation_teacher import AllocationTeacher, floored
from teachgym.base.ranges import Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.data.observation import SkillRow


@checked_dataclass
class FloorSettings:
    """Settings of ``Frontier`` and ``GainFirst``.

    Raises:
        ValueError: If a value is not allowed.
    """

    floor: Share = 0.1
    """Share of the data that is divided alike whatever is seen, so that every skill is begun."""


@final
class Frontier(AllocationTeacher):
    """Gives each skill a share in proportion to p (1 - p), where p is the student's accuracy in it.

    Most goes to what is half known, the frontier of what the student can do. What it can't do at all gets the floor
    alone, and is begun late if at all. ``origin`` is ``"rule"``.
    """

    Settings = FloorSettings
    settings: FloorSettings

    def _weights(self, rows: FloatArray) -> FloatArray:
        right = np.clip(rows[SkillRow.ACCURACY], 0, 1)
        return floored(right * (1 - right), self.settings.floor)


@final
class GainFirst(AllocationTeacher):
    """Gives each skill a share in proportion to how much its accuracy changed in the last step.

    Absolute learning progress over skills: what is being learnt, or forgotten, gets more. ``origin`` is ``"rule"``.
    """

    Settings = FloorSettings
    settings: FloorSettings

    def _weights(self, rows: FloatArray) -> FloatArray:
        return floored(np.abs(rows[SkillRow.GAIN]), self.settings.floor)
