"""The same amount of data for every skill."""

from typing import final

import numpy as np

from teachgym.agents.allocation.allocation_teacher import AllocationTeacher
from teachgym.core.task_space import FloatArray


@final
class Uniform(AllocationTeacher):
    """Gives every skill the same share, whatever the student does.

    It is the baseline without state that an adaptive teacher has to beat. Nothing to set; ``origin`` is ``"rule"``.
    """

    def _weights(self, rows: FloatArray) -> FloatArray:
        return np.ones(self.skills)
