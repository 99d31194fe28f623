"""What a teacher environment shows of its student: numbers from 0 to 1 about the last and the recent episodes."""

import numpy as np
from gymnasium import spaces

from teachgym.base.state import Stateful
from teachgym.core.feedback import Feedback
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import Float32Array, FloatArray, TaskSpace

RECENT_EPISODES = 100


class StudentHistory(Stateful):
    """Turns feedback into observations: ``Box(0, 1)``, float32, named by ``names``.

    ``progress`` through the budget; ``finished``, 1 if this step finished an episode; then, of the last finished
    episode, its task (each parameter scaled by its bounds), its ``outcome`` (scaled by ``outcome_range``, clipped)
    and its ``success``; then over the last 100 finished episodes ``outcome_mean``, ``outcome_sd`` and
    ``success_rate``. All 0 before the first.
    """

    keeps = ("_recent", "_finished", "_last")

    def __init__(self, task_space: TaskSpace) -> None:
        self._space = task_space
        self.names = (
            "progress",
            "finished",
            *task_space.names,
            "outcome",
            "success",
            "outcome_mean",
            "outcome_sd",
            "success_rate",
        )
        self.observation_space = spaces.Box(0.0, 1.0, shape=(len(self.names),), dtype=np.float32)
        self.clear()

    def clear(self) -> None:
        """Forget everything: a fresh student."""
        self._recent: FloatArray = np.zeros((2, RECENT_EPISODES))
        self._finished = 0
        self._last: FloatArray | None = None  # the task of the last finished episode

    def observe(self, feedback: Feedback | None, *, progress: float, spec: TeachingSpec) -> Float32Array:
        """Take the feedback in, and return the observation.

        Args:
            feedback: What the step finished, if anything.
            progress: Share of the budget that is spent.
            spec: Scales outcomes.
        """
        if feedback is not None:
            self._last = feedback.task
            outcome = spec.scale_outcome(feedback.outcome)
            self._recent[:, self._finished % RECENT_EPISODES] = outcome, feedback.success
            self._finished += 1
        observation = np.zeros(len(self.names), dtype=np.float32)
        observation[:2] = min(progress, 1.0), feedback is not None
        if self._last is not None:
            count = min(self._finished, RECENT_EPISODES)
            recent = self._recent[:, :count]
            latest = (self._finished - 1) % RECENT_EPISODES
            mean, success_rate = recent.sum(axis=1) / count
            variance = float(recent[0] @ recent[0]) / count - mean * mean
            observation[2:-5] = self._space.normalise(self._last)
            observation[-5:] = (*recent[:, latest], mean, max(variance, 0.0) ** 0.5, success_rate)
        return observation
