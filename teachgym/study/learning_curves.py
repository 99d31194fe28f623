"""Draw what the students of a study could do on the test tasks, as they learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from teachgym.evaluation import Evaluation
from teachgym.record import Record
from teachgym.statistics import mean_interval
from teachgym.study.figure_style import MUTED, Look, house_style, save_figure, short_steps, teacher_looks, wrapped
from teachgym.task_space import FloatArray

Seeds = Sequence[Sequence[Evaluation]]


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


def plot_learning_curves(runs: Mapping[str, Sequence[Record]], path: Path, *, title: str) -> None:
    """Write ``learning_curve_figure`` to a file, atomically.

    Args:
        runs: For each teacher the records of its seeds.
        path: Where to; the suffix decides the format.
        title: Stands above both panels.

    Raises:
        ValueError: If there are no teachers or too many, or the suffix names no known format.
    """
    save_figure(learning_curve_figure(runs, title=title), path)


def learning_curve_figure(runs: Mapping[str, Sequence[Record]], *, title: str) -> Figure:
    """Share of test tasks mastered and mean test return, side by side, against student steps.

    One line for each teacher, its mean over seeds, with a band, its 95 % Student-t interval, and a thin line
    for each seed. Seeds are aligned by the index of the evaluation, since an evaluation waits for the end of
    an episode and so comes at slightly different steps. Where seeds have different numbers of evaluations, for
    instance because one was interrupted, line and band end with the shortest and the legend says so. Seeds
    without any evaluation are not counted.

    Raises:
        ValueError: If there are no teachers, or too many.
    """
    if not runs:
        raise ValueError("there are no runs to draw; expected records of at least one teacher")
    looks = teacher_looks(runs)
    with house_style():
        figure = Figure(figsize=(11.0, 5.0), layout="constrained")
        mastered, returns = figure.subplots(1, 2)
        figure.suptitle(wrapped(title, 90))
        mastered.set_ylabel("test tasks mastered (%)")
        returns.set_ylabel("mean return on the test tasks")
        curves: list[tuple[Curve, Curve]] = []
        for name, records in runs.items():
            seeds = [record.evaluations for record in records if record.evaluations]
            label = wrapped(name, 44) + f" ({_extent(seeds)})"
            if not seeds:
                mastered.plot([], [], color=looks[name].colour, linestyle=looks[name].line_style, label=label)
                continue
            curves.append((mastered_curve(seeds), return_curve(seeds)))
            _draw(mastered, curves[-1][0], looks[name], label)
            _draw(returns, curves[-1][1], looks[name], label)
        _fit_axes(mastered, [curve for curve, _ in curves], least=0.0, most=100.0)
        _fit_axes(returns, [curve for _, curve in curves])
        handles, labels = mastered.get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=min(len(labels), 3 if max(map(len, labels)) <= 30 else 2),
            title="thick: mean over seeds; band: its 95 % Student-t interval; thin: single seeds",
        )
    return figure


def mastered_curve(seeds: Seeds) -> Curve:
    """Percentage of the test tasks mastered; the interval is clipped to ``[0, 100]``."""
    curve = _curve(seeds, [np.array([test.mastered for test in seed]) for seed in seeds])
    return Curve(curve.steps, curve.mean, np.clip(curve.low, 0, 100), np.clip(curve.high, 0, 100), curve.seeds)


def return_curve(seeds: Seeds) -> Curve:
    """Mean return over the test tasks."""
    return _curve(seeds, [np.array([test.mean_return for test in seed]) for seed in seeds])


def _curve(seeds: Seeds, values: Sequence[FloatArray]) -> Curve:
    steps = [np.array([test.student_steps for test in seed], dtype=np.float64) for seed in seeds]
    common = min(len(seed) for seed in seeds)
    intervals = [mean_interval([seed[i] for seed in values]) for i in range(common)]
    return Curve(
        np.mean([seed[:common] for seed in steps], axis=0),
        np.array([interval.mean for interval in intervals]),
        np.array([interval.low for interval in intervals]),
        np.array([interval.high for interval in intervals]),
        tuple(zip(steps, values, strict=True)),
    )


def _extent(seeds: Seeds) -> str:
    if not seeds:
        return "no evaluations yet"
    fewest, most = min(map(len, seeds)), max(map(len, seeds))
    count = f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
    return count if fewest == most else f"{count}, mean of the first {fewest} of {most} evaluations"


def _draw(axes: Axes, curve: Curve, look: Look, label: str) -> None:
    if len(curve.seeds) > 1:
        for steps, values in curve.seeds:
            axes.plot(steps, values, color=look.colour, linewidth=0.8, alpha=0.35, zorder=2)
        axes.fill_between(curve.steps, curve.low, curve.high, color=look.colour, alpha=0.15, linewidth=0, zorder=1)
    if len(curve.steps) == 1:  # a band of one evaluation has no area
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


def _fit_axes(axes: Axes, curves: Sequence[Curve], *, least: float = -np.inf, most: float = np.inf) -> None:
    """Fit the axes to what the seeds did; of a wide band they show no more than as much again on each side.

    With two seeds a t interval can be twenty times as wide as the seeds lie apart, and would flatten the lines.
    """
    axes.grid(True)
    axes.set_axisbelow(True)
    axes.set_xlabel("student steps")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: short_steps(steps)))
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    if not curves:
        axes.text(0.5, 0.5, "no evaluations yet", color=MUTED, ha="center", va="center", transform=axes.transAxes)
        axes.set_xlim(0, 1)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    values = np.concatenate([values for curve in curves for _, values in curve.seeds])
    low, high = float(values.min()), float(values.max())
    reach = (high - low) or max(abs(high), 1.0) * 0.05
    bottom = min([low, *np.concatenate([curve.low[np.isfinite(curve.low)] for curve in curves])])
    top = max([high, *np.concatenate([curve.high[np.isfinite(curve.high)] for curve in curves])])
    bottom, top = max(bottom, low - reach / 2, least), min(top, high + reach / 2, most)
    margin = 0.04 * ((top - bottom) or reach)
    axes.set_ylim(bottom - margin, top + margin)
    last = max(float(steps[-1]) for curve in curves for steps, _ in curve.seeds)
    axes.set_xlim(0, 1.02 * last if last > 0 else 1.0)
