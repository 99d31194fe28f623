"""What a study found: one row a teacher, with intervals, and the seed count beside every number."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from teachgym.statistics import Interval, mean_interval, welch
from teachgym.study.measures import Headline, Measures
from teachgym.study.stored import Run


@dataclass(frozen=True)
class Row:
    """What a teacher's finished cells gave."""

    teacher: str
    seeds: int
    """Finished cells."""
    mastered: Interval
    """Percent of the test tasks mastered at the end."""
    mean_return: Interval
    """Mean return over the test tasks at the end."""
    p_value: float
    """Welch's test of the headline number against the first teacher's; NaN for the first, and where undefined."""
    steps_per_second: float
    """Student steps per second and cell, without the tests."""
    world_share: float
    """Share of the time, without the tests, spent in the student's worlds."""
    teacher_share: float
    """Share of the time, without the tests, spent in the teacher."""


def summarise(runs: dict[str, list[Run]], headline: Headline = "mastered") -> list[Row]:
    """Make a row for every teacher with a finished cell; the headline number is what tests compare."""
    rows: list[Row] = []
    reference: list[float] | None = None
    for teacher, cells in runs.items():
        done = [(run.record.evaluations[-1], run.result) for run in cells if run.result is not None]
        if not done:
            continue
        compared = [getattr(test, headline) for test, _ in done]
        results = [result for _, result in done]
        busy = sum(result.total_seconds - result.evaluation_seconds for result in results)
        rows.append(
            Row(
                teacher=teacher,
                seeds=len(done),
                mastered=mean_interval([test.mastered for test, _ in done]),
                mean_return=mean_interval([test.mean_return for test, _ in done]),
                p_value=welch(reference, compared) if reference else math.nan,
                steps_per_second=sum(result.student_steps for result in results) / busy,
                world_share=sum(result.world_seconds for result in results) / busy,
                teacher_share=sum(result.teacher_seconds for result in results) / busy,
            )
        )
        reference = reference or compared
    return rows


def summary_table(rows: Sequence[Row], *, title: str, measures: Measures) -> Table:
    """Lay the rows, at least one, out for a terminal."""
    world_share = sum(row.world_share for row in rows) / len(rows)
    table = Table(
        title=title,
        caption=f"Means over seeds with 95 % t-intervals; p: Welch's test of {measures.headline_name} against "
        f"{rows[0].teacher}. Of the time, tests left out, {world_share:.0%} went to the world, the rest to student and "
        "teacher.",
    )
    table.add_column("teacher", overflow="fold")
    for heading in ("seeds", "% mastered", f"test {measures.outcome_name}", "p", "steps/s", "teacher\ntime"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.teacher,
            str(row.seeds),
            _interval(row.mastered, low=0.0, high=100.0),
            _interval(row.mean_return, decimals=measures.decimals),
            "-" if math.isnan(row.p_value) else f"{row.p_value:.3f}",
            f"{row.steps_per_second:,.0f}",
            f"{row.teacher_share:.2%}",
        )
    return table


def _interval(interval: Interval, *, low: float = float("-inf"), high: float = float("inf"), decimals: int = 1) -> str:
    mean, ends = f"{interval.mean:.{decimals}f}", decimals if decimals > 1 else 0
    if interval.count < 2:
        return mean
    return f"{mean}\n[{max(interval.low, low):.{ends}f}, {min(interval.high, high):.{ends}f}]"
