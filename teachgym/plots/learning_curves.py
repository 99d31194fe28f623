"""Draw what the students of a study could do on the test tasks, as they learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from teachgym.core.evaluation import Evaluation, ScoredBy
from teachgym.core.record import Record
from teachgym.core.task_space import FloatArray
from teachgym.plots.figure_style import (
    COLUMN_WIDTH,
    MUTED,
    PAGE_WIDTH,
    Look,
    house_style,
    legible,
    set_step_axis,
    teacher_looks,
    wrapped,
)
from teachgym.statistics import mean_interval

_Seeds = Sequence[Sequence[Evaluation]]
FEWEST_FOR_BAND = 3
"""Over two seeds a t interval is as wide as 12.7 standard errors, and would hide the lines."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One measure of one teacher over its seeds, at the evaluations that all seeds have."""

    steps: FloatArray
    """``(evaluations,)`` mean over the seeds of the student steps at which they were evaluated."""
    mean: FloatArray
    """``(evaluations,)`` mean over the seeds."""
    low: FloatArray
    """``(evaluations,)`` lower end of the 95 % interval; NaN with one seed."""
    high: FloatArray
    """``(evaluations,)`` upper end of it."""
    seeds: tuple[tuple[FloatArray, FloatArray], ...]
    """For each seed its student steps and values, including evaluations that other seeds lack."""


def learning_curve_figure(
    runs: Mapping[str, Sequence[Record]],
    *,
    title: str,
    outcome_name: str = "return",
    shows: Sequence[ScoredBy] = ("mastered", "mean_return"),
) -> Figure:
    """Share of test tasks mastered, mean test return, or both, against student steps; a panel each.

    One line for each teacher, its mean over seeds, with a band, its 95 % Student-t interval, unless there are
    only two seeds, and a thin line for each seed. Seeds are aligned by the index of the evaluation, since an
    evaluation waits for the end of an episode and so comes at slightly different steps. Where seeds have
    different numbers of evaluations, for instance because one was interrupted, line and band end with the
    shortest and the legend says so. Seeds without any evaluation are not counted. A line begins with the
    untrained student, unless a seed of the teacher was not tested then.

    Args:
        runs: For each teacher the records of its seeds.
        title: Stands above the panels.
        outcome_name: What an outcome is called.
        shows: The panels.

    Raises:
        ValueError: If there are no teachers, or too many.
    """
    looks, beside_text = teacher_looks(runs), len(shows) == 1
    with house_style():
        figure = Figure(layout="constrained")
        panels = dict(zip(shows, figure.subplots(1, len(shows), squeeze=False)[0], strict=True))
        figure.suptitle(wrapped(title, 60 if beside_text else 90))
        tested = {name: _aligned([record.evaluations for record in runs[name]]) for name in runs}
        labels = {name: wrapped(name, 44) + f" ({_extent(seeds)})" for name, seeds in tested.items()}
        several = any(len(seeds) > 1 for seeds in tested.values())
        for measure, axes in panels.items():
            curves = []
            for name, seeds in tested.items():
                if seeds:
                    curves.append(curve_of(seeds, measure))
                    _draw(axes, curves[-1], looks[name], labels[name])
                else:
                    axes.plot([], [], color=looks[name].colour, linestyle=looks[name].line_style, label=labels[name])
            if measure == "mastered":
                axes.set_ylabel("test tasks mastered (%)")
                _fit_axes(axes, curves, within=(0.0, 100.0), span=10.0)
            else:
                axes.set_ylabel(f"mean {legible(outcome_name)} on the test tasks")
                _fit_axes(axes, curves)
        columns = (1 if beside_text else 2) + (max(map(len, labels.values())) <= 30)
        columns = min(len(labels), columns)
        explained = f"thick: mean; thin: seeds; band: 95 % t-interval of the mean ({FEWEST_FOR_BAND} seeds or more)"
        figure.legend(
            *panels[shows[0]].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=columns,
            title=explained if several else None,
        )
        lines = sum(1 + label.count("\n") for label in labels.values()) / columns
        width, height = (COLUMN_WIDTH, 3.6) if beside_text else (PAGE_WIDTH, 4.7)
        figure.set_size_inches(width, height + 0.25 * lines)  # so that a long legend takes nothing from the panels
    return figure


def curve_of(seeds: _Seeds, measure: ScoredBy) -> Curve:
    """The curve of one measure; the interval of the percentage mastered is clipped to ``[0, 100]``."""
    steps = [np.array([test.spent for test in seed], dtype=np.float64) for seed in seeds]
    values = [np.array([getattr(test, measure) for test in seed]) for seed in seeds]
    common = min(len(seed) for seed in seeds)
    intervals = [mean_interval([seed[i] for seed in values]) for i in range(common)]
    ends = np.array([(interval.low, interval.high) for interval in intervals])
    low, high = (np.clip(ends, 0, 100) if measure == "mastered" else ends).T
    return Curve(
        np.mean([seed[:common] for seed in steps], axis=0),
        np.array([interval.mean for interval in intervals]),
        low,
        high,
        tuple(zip(steps, values, strict=True)),
    )


def _aligned(seeds: _Seeds) -> _Seeds:
    """The tests of those seeds that have any; without those of untrained students unless all seeds have one."""
    seeds = [seed for seed in seeds if seed]
    if all(seed[0].untrained for seed in seeds):
        return seeds
    trained = [[test for test in seed if not test.untrained] for seed in seeds]
    return [seed for seed in trained if seed]


def _extent(seeds: _Seeds) -> str:
    if not seeds:
        return "no evaluations yet"
    fewest, most = min(map(len, seeds)), max(map(len, seeds))
    count = f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
    return count if fewest == most else f"{count}, mean of the first {fewest} of {most} evaluations"


def _draw(axes: Axes, curve: Curve, look: Look, label: str) -> None:
    if len(curve.seeds) > 1:
        for steps, values in curve.seeds:
            marker = "." if len(steps) == 1 else ""
            alpha = min(0.4, 2.0 / len(curve.seeds))  # many lines would hide the band
            axes.plot(steps, values, color=look.colour, linewidth=0.8, marker=marker, alpha=alpha, zorder=2)
    if len(curve.seeds) >= FEWEST_FOR_BAND:
        axes.fill_between(curve.steps, curve.low, curve.high, color=look.colour, alpha=0.15, linewidth=0, zorder=1)
    if len(curve.seeds) >= FEWEST_FOR_BAND and len(curve.steps) == 1:  # a band of one evaluation has no area
        axes.vlines(curve.steps, curve.low, curve.high, color=look.colour, linewidth=4, alpha=0.3)
    marker = "o" if len(curve.steps) == 1 else ""
    axes.plot(
        curve.steps,
        curve.mean,
        color=look.colour,
        linestyle=look.line_style,
        linewidth=2.2,
        marker=marker,
        label=label,
        zorder=3,
    )


def _fit_axes(
    axes: Axes, curves: Sequence[Curve], *, within: tuple[float, float] = (-np.inf, np.inf), span: float | None = None
) -> None:
    """Fit the axes to what the seeds did, at least ``span`` wide; of a band they show half as much again a side.

    Over few seeds a t interval can be several times as wide as they lie apart, and would flatten the lines.
    """
    axes.grid(True)
    axes.set_axisbelow(True)
    axes.set_xlabel("student steps")
    set_step_axis(axes, max((float(steps[-1]) for curve in curves for steps, _ in curve.seeds), default=0.0))
    if not curves:
        axes.text(0.5, 0.5, "no evaluations yet", color=MUTED, ha="center", va="center", transform=axes.transAxes)
        axes.set_yticks([])
        return
    values = np.concatenate([values for curve in curves for _, values in curve.seeds])
    banded = [curve for curve in curves if len(curve.seeds) >= FEWEST_FOR_BAND]
    bands = np.array([ends for curve in banded for ends in (*curve.low, *curve.high)])
    low, high = float(values.min()), float(values.max())
    reach = (high - low) / 2.0
    bottom = max(min(low, bands.min(initial=low)), low - reach, within[0])
    top = min(max(high, bands.max(initial=high)), high + reach, within[1])
    span = max(0.05 * abs(high), 1e-3) if span is None else span
    if top - bottom < span:
        middle = (top + bottom) / 2.0
        bottom = min(max(middle - span / 2.0, within[0]), within[1] - span)
        top = bottom + span
    margin = 0.04 * (top - bottom)
    axes.set_ylim(bottom - margin, top + margin)
