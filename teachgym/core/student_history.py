"""What a teacher environment shows of its student: numbers from 0 to 1 about the last and the recent episodes."""

from typing import Any

import numpy as np
from gymnasium import spaces

from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime
from teachgym.core.spec import scaled
from teachgym.core.task_space import Float32Array, FloatArray, TaskSpace
from teachgym.core.view import View

RECENT_EPISODES = 100


class StudentHistory(View):
    """Turns feedback into observations: ``Box(0, 1)``, float32, named by ``names``.

    ``progress`` through the budget; ``finished``, 1 if this step finished an episode; then, of the last finished
    episode, its task (each parameter scaled by its bounds), its ``outcome`` (scaled by ``outcome_range``, clipped)
    and its ``success``; then over the last 100 finished episodes ``outcome_mean``, ``outcome_sd`` and
    ``success_rate``. All 0 before the first.

    Args:
        task_space: What the tasks belong to.
        outcome_range: Outcomes that scale to 0 and 1.
    """

    keeps = ("_recent", "_finished", "_last")

    def __init__(self, task_space: TaskSpace, outcome_range: tuple[float, float]) -> None:
        self._tasks, self._range = task_space, outcome_range
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
        self.space: spaces.Box = spaces.Box(0.0, 1.0, shape=(len(self.names),), dtype=np.float32)
        self._clear()

    def begin(self, lifetime: Lifetime[Any]) -> None:
        """Forget everything."""
        self._clear()

    def _clear(self) -> None:
        self._recent: FloatArray = np.zeros((2, RECENT_EPISODES))
        self._finished = 0
        self._last: FloatArray | None = None  # the task of the last finished episode

    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Float32Array:
        """Take the feedback in, and return the observation."""
        if feedback is not None:
            self._last = feedback.task
            outcome = scaled(feedback.outcome, self._range)
            self._recent[:, self._finished % RECENT_EPISODES] = outcome, feedback.success
            self._finished += 1
        observation = np.zeros(len(self.names), dtype=np.float32)
        observation[:2] = min(lifetime.spent / lifetime.budget, 1.0), feedback is not None
        if self._last is not None:
            count = min(self._finished, RECENT_EPISODES)
            recent = self._recent[:, :count]
            latest = (self._finished - 1) % RECENT_EPISODES
            mean, success_rate = recent.sum(axis=1) / count
            variance = float(recent[0] @ recent[0]) / count - mean * mean
            observation[2:-5] = self._tasks.normalise(self._last)
            observation[-5:] = (*recent[:, latest], mean, max(variance, 0.0) ** 0.5, success_rate)
        return observation
