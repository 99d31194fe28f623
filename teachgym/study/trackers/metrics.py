"""The metrics that are logged while a cell runs; docs/metrics.md explains each."""

import time

import numpy as np

from teachgym.loop import Progress
from teachgym.statistics.curves import WORST_SHARE, worst_case
from teachgym.study.measures import Measures

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
        self._began, self._began_at, self._tested_at = time.perf_counter(), resumed_at, resumed_at
        self._latest: int | None = None
        """Which hundredth of the budget has a point."""

    def due(self, progress: Progress) -> dict[str, float]:
        """What to log after this decision; mostly nothing."""
        metrics: dict[str, float] = {}
        tests = progress.record.evaluations
        if tests and tests[-1].student_steps > self._tested_at:
            self._tested_at = tests[-1].student_steps
            metrics |= self._of_test(progress)
        point = progress.student_steps * POINTS // progress.budget
        if self._latest is None:
            self._latest = self._began_at * POINTS // progress.budget
        if (point != self._latest or progress.over) and progress.record.feedback:
            self._latest = point
            metrics |= self._of_training(progress)
        return metrics

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
            "speed/student_steps_per_second": (progress.student_steps - self._began_at) / seconds,
        }
