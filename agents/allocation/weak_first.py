"""Data in proportion to errors, or, as a bad example, to what is known already."""

from typing import final

import numpy as np

from teachgym.agents.allocation.allocation_teacher import AllocationTeacher, floored
from teachgym.base.ranges import PositiveFloat, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray
from teachgym.data.observation import SkillRow


@checked_dataclass
class ProportionalSettings:
    """Settings of ``WeakFirst`` and ``StrongFirst``.

    Raises:
        ValueError: If a value is not allowed.
    """

    sharpness: PositiveFloat = 1.0
    """Power of the error rate, or of the accuracy; with more, more goes to the extreme skills."""
    floor: Share = 0.0
    """Share of the data that is divided alike whatever is seen."""


@final
class WeakFirst(AllocationTeacher):
    """Gives each skill a share in proportion to the student's error rate in it.

    The simplest rule that looks at the student: what it can do already gets little data. It wins where every skill can
    be learnt with enough data, and wastes it on what can't. Without feedback all skills look alike, and it is
    ``uniform``. ``origin`` is ``"rule"``.
    """

    Settings = ProportionalSettings
    settings: ProportionalSettings

    def _weights(self, rows: FloatArray) -> FloatArray:
        wrong = np.clip(1 - rows[SkillRow.ACCURACY], 0, 1)
        return floored(_sharpened(wrong, self.settings.sharpness), self.settings.floor)


@final
class StrongFirst(AllocationTeacher):
    """Gives each skill a share in proportion to the student's accuracy in it: a bad teacher.

    It practises what is known, and is there to be beaten. While nothing is known, all skills get the same. ``origin``
    is ``"rule"``.
    """

    Settings = ProportionalSettings
    settings: ProportionalSettings

    def _weights(self, rows: FloatArray) -> FloatArray:
        right = np.clip(rows[SkillRow.ACCURACY], 0, 1)
        return floored(_sharpened(right, self.settings.sharpness), self.settings.floor)


def _sharpened(shares: FloatArray, power: float) -> FloatArray:
    """In proportion to a power of the shares; relative to the greatest, so that a high power leaves one of them."""
    greatest = shares.max()
    return np.asarray((shares / greatest) ** power if greatest > 0 else shares)
