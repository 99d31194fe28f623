"""The tasks that a student did best on, for CURROT: they say where it is competent, and where to restart from."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from teachgym.base.state import Stateful
from teachgym.core.task_space import FloatArray

REDRAWS = 10
"""How often noise that leads out of bounds is drawn again, before the task is clipped."""


def assign(sources: FloatArray, targets: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair sources ``(a, n)`` with targets ``(b, n)`` one to one, with the least sum of squared distances.

    Returns:
        Indices of the sources, ascending, and of the target of each: ``min(a, b)`` of them.
    """
    squares = np.sum(sources**2, axis=1)[:, None] + np.sum(targets**2, axis=1) - 2 * sources @ targets.T
    rows, columns = linear_sum_assignment(squares)
    return rows, columns


class SuccessBuffer(Stateful):
    """At most ``size`` tasks with their outcomes, the better the longer.

    As long as the median of the stored outcomes is not above ``threshold``, answers that are no worse than that
    median enter, each in place of one of the lower half while there are any. Once it is, only answers from
    ``threshold`` on enter: in place of stored ones below it, then in free places, and after that whichever lie best
    to cover the target distribution are kept. The buffer never shrinks.

    Args:
        size: Tasks that fit.
        threshold: Outcome from which a task counts as done.
        low: ``(n,)`` lower bounds of tasks.
        high: ``(n,)`` upper bounds.
        noise: Standard deviation of what is added to every task that is handed out.
    """

    keeps = ("tasks", "outcomes", "reached", "_worst")

    def __init__(self, size: int, threshold: float, low: FloatArray, high: FloatArray, *, noise: float) -> None:
        self._size, self._threshold, self._low, self._high, self._noise = size, threshold, low, high, noise
        self.tasks = np.zeros((0, len(low)))
        """``(m, n)`` stored tasks, sorted by outcome until the threshold is reached."""
        self.outcomes = np.zeros(0)
        """``(m,)`` their outcomes."""
        self.reached = False
        """Whether the median has been above the threshold."""
        self._worst = np.inf  # outcome ever added

    def add(self, tasks: FloatArray, outcomes: FloatArray, target: FloatArray) -> NDArray[np.bool_]:
        """Take the best of new answers in.

        Args:
            tasks: ``(k, n)`` tasks that have been played, k at least 1.
            outcomes: ``(k,)`` their outcomes.
            target: ``(size, n)`` draws from the target distribution.

        Returns:
            ``(k,)`` whether each was taken in.
        """
        self._worst = min(self._worst, float(np.min(outcomes)))
        fits = outcomes >= (self._threshold if self.reached else self._median())
        tasks, outcomes = np.concatenate([self.tasks, tasks[fits]]), np.concatenate([self.outcomes, outcomes[fits]])
        old, new = len(self.outcomes), len(outcomes) - len(self.outcomes)
        if not self.reached:
            dropped = min(new, old // 2 + 1, old)
            order = np.argsort(outcomes[dropped:], kind="stable")[-self._size :]
            kept = dropped + order
        elif old < self._size or np.min(self.outcomes, initial=np.inf) < self._threshold:
            kept = self._replace(old, new)
        else:
            kept = assign(tasks, target)[0]
        self.tasks, self.outcomes = tasks[kept], outcomes[kept]
        taken = np.zeros(len(fits), dtype=np.bool_)
        taken[np.flatnonzero(fits)[kept[kept >= old] - old]] = True
        self.reached = self.reached or self._median() > self._threshold
        return taken

    def resample(self, rng: np.random.Generator) -> FloatArray:
        """Draw ``(size, n)`` tasks near stored ones, the wider the further an outcome is below the threshold.

        Once the threshold is reached, every stored task is drawn once and the rest at random; until then, only the
        better half, in proportion to how far an outcome is above the lower half.
        """
        count = len(self.outcomes)
        if self.reached:
            chosen = np.concatenate([np.arange(count), rng.integers(count, size=self._size - count)])
        else:
            half = count // 2
            above = self.outcomes[half:] - self.outcomes[max(half - 1, 0)]
            best = float(np.max(above))
            chances = above / best if best > 0 else np.ones(len(above))
            chosen = half + rng.choice(len(above), self._size, p=chances / np.sum(chances))
        return self._disturb(self.tasks[chosen], self.outcomes[chosen], rng)

    def _disturb(self, tasks: FloatArray, outcomes: FloatArray, rng: np.random.Generator) -> FloatArray:
        gap = self._threshold - self._worst
        missing = np.clip((self._threshold - outcomes) / gap, 0.0, 1.0) if gap > 0 else np.zeros(len(outcomes))
        std = self._noise + missing[:, None] * (self._high - self._low) / 4
        disturbed = tasks + std * rng.standard_normal(tasks.shape)
        for _ in range(REDRAWS):
            out = np.any((disturbed < self._low) | (disturbed > self._high), axis=1)
            if not np.any(out):
                break
            disturbed[out] = tasks[out] + std[out] * rng.standard_normal((int(np.sum(out)), tasks.shape[1]))
        return np.clip(disturbed, self._low, self._high)

    def _replace(self, old: int, new: int) -> NDArray[np.intp]:
        """Which of the old, and of the new that follow them, are kept where there is room or failures are stored."""
        failed = np.flatnonzero(self.outcomes < self._threshold)
        if new < len(failed):
            failed = np.argsort(self.outcomes, kind="stable")[:new]
        kept = np.setdiff1d(np.arange(old), failed)
        return np.concatenate([old + np.arange(new), kept])[: self._size]

    def _median(self) -> float:
        return float(np.sort(self.outcomes)[len(self.outcomes) // 2]) if len(self.outcomes) else -np.inf
