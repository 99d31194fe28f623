"""The metrics that are logged while a cell runs; docs/metrics.md explains each."""

import time

import numpy as np

from teachgym.core.loop import Progress
from teachgym.statistics.curves import WORST_SHARE, worst_case
from teachgym.study.results.measures import Measures

RECENT = 100
"""Finished episodes over which means are taken."""
POINTS = 100
"""Points of a whole run: no more than one for each hundredth of its budget, beside those of tests."""


class Metrics:
    """Works out what is to be logged, when it is.

    Args:
        measures: What the numbers are about.
        resumed_at: Student steps at which the run goes on.
    """

    def __init__(self, measures: Measures, *, resumed_at: int) -> None:
        self._measures = measures
        self._began, self._began_at = time.perf_counter(), resumed_at
        self._tested_at = resumed_at or -1
        """Student steps of the last test that was logged; the untrained student's is at 0."""
        self._next_at: int | None = None
        """Student steps at which the next point is due."""
        self._tests = 0

    def due(self, progress: Progress) -> dict[str, float]:
        """What to log where the run stands; mostly nothing."""
        if self._next_at is None:
            self._next_at = self._after(self._began_at, progress.budget)
        tests, steps = progress.record.evaluations, progress.spent
        if steps < self._next_at and len(tests) == self._tests and not progress.over:
            return {}
        metrics: dict[str, float] = {}
        self._tests = len(tests)
        if tests and tests[-1].spent > self._tested_at:
            self._tested_at = tests[-1].spent
            metrics |= self._of_test(progress)
        if (steps >= self._next_at or progress.over) and progress.record.feedback:
            self._next_at = self._after(steps, progress.budget)
            metrics |= self._of_training(progress)
        return metrics

    @staticmethod
    def _after(steps: int, budget: int) -> int:
        """Student steps at which the next hundredth of the budget begins."""
        return -(-(steps * POINTS // budget + 1) * budget // POINTS)

    def _of_test(self, progress: Progress) -> dict[str, float]:
        test, name = progress.record.evaluations[-1], self._measures.outcome_name
        return {
            "test/mastered": test.mastered,
            f"test/mean_{name}": test.mean_return,
            "test/worst_case": worst_case(test.returns, WORST_SHARE),
        }

    def _of_training(self, progress: Progress) -> dict[str, float]:
        record, space = progress.record, self._measures.record_space
        recent = record.feedback[-RECENT:]
        tasks = np.array([feedback.task for feedback in recent]).mean(axis=0)
        seconds = max(time.perf_counter() - self._began, 1e-9)
        return {
            "training/outcome": float(np.mean([feedback.outcome for feedback in recent])),
            "training/success_rate": float(np.mean([feedback.success for feedback in recent])),
            "training/cost": float(np.mean([feedback.cost for feedback in recent])),
            "training/episodes": float(len(record.feedback)),
            **{f"tasks/{parameter}": float(mean) for parameter, mean in zip(space.names, tasks, strict=True)},
            "speed/student_steps_per_second": (progress.spent - self._began_at) / seconds,
        }
