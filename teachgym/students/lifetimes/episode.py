"""An episode that a student has finished, on its way to the teacher."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.students.rl.student import RLStudent


@dataclass(frozen=True, eq=False)
class FinishedEpisode:
    """An episode of T steps, with what a trace of it is worked out from."""

    feedback: Feedback
    """What came of it, without a trace."""
    observations: list[NDArray[Any]] = field(default_factory=list)
    """T + 1; none where no trace will be asked for."""
    rewards: list[float] = field(default_factory=list)
    """T; none where no trace will be asked for."""
    terminated: bool = False
    """Whether the world ended it, so that nothing was to come."""

    def told(self, student: RLStudent, parts: Needs) -> Feedback:
        """The feedback, with a trace of what the student thinks of the episode as it is now.

        Args:
            student: Who played it, and has kept its observations.
            parts: Which of ``student.offers`` to trace; with none, there is no trace.
        """
        if not parts:
            return self.feedback
        observations = np.array(self.observations)
        values = student.values(observations) if Needs.VALUES in parts else None
        if values is not None and self.terminated:
            values[-1] = 0.0
        entropies = student.entropies(observations[:-1]) if Needs.ENTROPIES in parts else None
        return replace(self.feedback, trace=EpisodeTrace(np.array(self.rewards), values, entropies))
