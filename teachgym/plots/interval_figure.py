"""Draw aggregates of the final scores with their intervals: one panel a statistic, one line a teacher."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from teachgym.plots.figure_style import PAGE_WIDTH, house_style, legible, teacher_looks, wrapped
from teachgym.statistics import Interval

_THICK = 7


def interval_figure(intervals: Mapping[str, Mapping[str, Interval]], *, score_name: str) -> Figure:
    """One panel for each statistic, with its interval for each teacher.

    Args:
        intervals: For each teacher its interval by the name of the statistic, the same ones for all.
        score_name: What the score is, with its unit.

    Raises:
        ValueError: If there are no teachers, or too many.
    """
    looks, names = teacher_looks(intervals), list(intervals)
    statistics = list(intervals[names[0]])
    with house_style():
        figure = Figure(layout="constrained", figsize=(PAGE_WIDTH, 1.5 + 0.42 * len(names)))
        panels = figure.subplots(1, len(statistics), sharey=True, squeeze=False)[0]
        for axes, statistic in zip(panels, statistics, strict=True):
            for line, name in enumerate(reversed(names)):
                interval, colour = intervals[name][statistic], looks[name].colour
                if interval.low <= interval.high:  # not where one run has no interval
                    axes.hlines(line, interval.low, interval.high, color=colour, linewidth=_THICK, alpha=0.35)
                axes.plot(interval.mean, line, "o", color=colour, markersize=_THICK)
            axes.set_yticks(range(len(names)), [wrapped(name, 26) for name in reversed(names)])
            axes.set_ylim(-0.6, len(names) - 0.4)
            axes.set_title(statistic)
            axes.set_xlabel(legible(score_name))
            axes.grid(True, axis="x")
            axes.set_axisbelow(True)
        figure.suptitle("Final score with 95 % stratified bootstrap intervals")
    return figure
