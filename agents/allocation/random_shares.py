"""Random shares."""

from typing import final

import numpy as np

from teachgym.agents.allocation.allocation_teacher import AllocationTeacher
from teachgym.core.task_space import FloatArray


@final
class RandomShares(AllocationTeacher):
    """Draws new shares of the skills in every step, uniformly among all possible ones.

    Over a few steps it comes near to ``uniform``, and never looks at the student. Nothing to set; ``origin`` is
    ``"rule"``.
    """

    def _weights(self, rows: FloatArray) -> FloatArray:
        return np.asarray(self.rng.dirichlet(np.ones(self.skills)))
