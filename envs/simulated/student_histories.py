"""``StudentHistory`` for many students at once."""

import numpy as np
from numpy.typing import NDArray

from teachgym.core.student_history import RECENT_EPISODES, StudentHistory
from teachgym.core.task_space import Float32Array, FloatArray, TaskSpace
from teachgym.worlds.world_batch import Slots


class StudentHistories:
    """Observations as ``StudentHistory`` makes them, bit for bit, in environments where every step is one episode.

    Args:
        task_space: What the tasks belong to.
        size: Number of slots.
    """

    def __init__(self, task_space: TaskSpace, size: int) -> None:
        self._space = task_space
        one = StudentHistory(task_space, (0.0, 1.0))
        self.names, self.observation_space = one.names, one.space
        self._recent: FloatArray = np.zeros((size, 2, RECENT_EPISODES))
        self._finished: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        self._task: FloatArray = np.zeros((size, task_space.dimensions))

    def clear(self, slots: Slots) -> None:
        """Forget everything of some slots."""
        self._recent[slots] = 0.0
        self._finished[slots] = 0

    def add(self, slots: Slots, tasks: FloatArray, outcomes: FloatArray, successes: NDArray[np.bool_]) -> None:
        """Take in one episode in each of some slots: tasks ``(m, n)``, outcomes scaled to [0, 1], and successes."""
        place = self._finished[slots] % RECENT_EPISODES
        self._recent[slots, 0, place], self._recent[slots, 1, place] = outcomes, successes
        self._finished[slots] += 1
        self._task[slots] = tasks

    def observe(self, slots: Slots, progress: FloatArray) -> Float32Array:
        """``(m, ...)`` the observations of some slots at this progress through the budget, ``(m,)``."""
        observation = np.zeros((len(slots), len(self.names)), dtype=np.float32)
        observation[:, 0] = progress
        finished = self._finished[slots]
        counts = np.minimum(finished, RECENT_EPISODES)
        for count in np.unique(counts[counts > 0]).tolist():
            rows = np.flatnonzero(counts == count)
            recent = self._recent[slots[rows], :, :count]
            mean, success_rate = (recent.sum(axis=2) / count).T
            outcomes = recent[:, 0]
            squares = (outcomes[:, None, :] @ outcomes[:, :, None]).ravel()  # the sum that a product of vectors gives
            variance = squares / count - mean * mean
            latest = recent[np.arange(len(rows)), :, (finished[rows] - 1) % RECENT_EPISODES]
            observation[rows, 1] = 1.0
            observation[rows, 2:-5] = self._space.normalise(self._task[slots[rows]])
            observation[rows, -5:-3] = latest
            observation[rows, -3], observation[rows, -1] = mean, success_rate
            observation[rows, -2] = np.sqrt(np.maximum(variance, 0.0))
        return observation
