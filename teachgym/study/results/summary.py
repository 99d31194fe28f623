"""What ``teachgym compare`` prints of a comparison, and stores in ``summary.json``."""

import math

from rich.markup import escape
from rich.table import Table

from teachgym.statistics import Interval
from teachgym.study.results.comparison import LEVEL, Comparison


def summary_table(comparison: Comparison, *, title: str) -> Table:
    """Lay the rows out for a terminal."""
    rows = comparison.rows
    world_share = sum(row.world_share for row in rows) / len(rows)
    marked = f" *: {comparison.leading}." if comparison.leaders else ""
    table = Table(
        title=escape(title),
        caption=escape(
            f"Means over seeds with 95 % t-intervals. p: Welch's test of {comparison.score_name} against "
            f"{comparison.reference}, corrected by Holm.{marked} The world took "
            f"{world_share:.0%} of the time, tests excluded, student and teacher the rest."
        ),
    )
    table.add_column("teacher", overflow="fold")
    mastered = ("% mastered",) if comparison.masters else ()
    for heading in ("seeds", *mastered, f"test {comparison.outcome_name}", "p", "steps/s", "teacher\ntime"):
        table.add_column(escape(heading), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            escape(row.teacher) + (" *" if row.teacher in comparison.leaders else ""),
            str(row.seeds),
            *([_interval(row.mastered, low=0.0, high=100.0)] if comparison.masters else []),
            _interval(row.mean_return, decimals=comparison.decimals),
            p_text(row.p_corrected),
            f"{row.steps_per_second:,.0f}",
            f"{row.teacher_share:.2%}",
            style="bold" if row.teacher in comparison.leaders else None,
        )
    return table


def p_text(p_value: float) -> str:
    """A p value, for people."""
    if math.isnan(p_value):
        return "-"
    return "< 0.001" if p_value < LEVEL / 50 else f"{p_value:.3f}"


def _interval(interval: Interval, *, low: float = float("-inf"), high: float = float("inf"), decimals: int = 1) -> str:
    mean, ends = f"{interval.mean:.{decimals}f}", decimals if decimals > 1 else 0
    if interval.count < 2:
        return mean
    return f"{mean}\n[{max(interval.low, low):.{ends}f}, {min(interval.high, high):.{ends}f}]"
