"""Any number of task parameters: each parameter's value over the student's steps, for each teacher."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from teachgym.core.sampling import GaussianMixture, Sampling
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.plots.drawn_episodes import OVERLAY, Dots, DrawnRun, halo
from teachgym.plots.figure_style import PAGE_WIDTH, Look, parameter_label, set_step_axis, wrapped

MOST_COLUMNS = 3
"""With more parameters than this a teacher is a column instead of a row."""
DOTS_IN_TIMELINE = 1_200


def timelines_every(runs: Mapping[str, DrawnRun]) -> int:
    """One in how many episodes to draw, so that the fullest panel has ``DOTS_IN_TIMELINE``."""
    return max(1, -(-max(len(run.steps) for run in runs.values()) // DOTS_IN_TIMELINE))


def draw_timelines(
    figure: Figure, runs: Mapping[str, DrawnRun], space: TaskSpace, looks: Mapping[str, Look], dots: Dots
) -> list[Axes]:
    """One panel for each teacher and parameter, with the mean and spread that the teacher sampled it with.

    Few parameters make columns, and a teacher a row; many make rows, so that panels stay wide enough.
    """
    tall = space.dimensions > MOST_COLUMNS
    if tall:
        figure.set_size_inches(max(PAGE_WIDTH, 1.5 * len(runs) + 3.0), 0.85 * space.dimensions + 2.2)
        panels = figure.subplots(space.dimensions, len(runs), sharex=True, sharey="row", squeeze=False).T
    else:
        figure.set_size_inches(PAGE_WIDTH, 2.3 * len(runs) + 1.9)
        panels = figure.subplots(len(runs), space.dimensions, sharex=True, sharey="col", squeeze=False)
    for (name, run), of_teacher in zip(runs.items(), panels, strict=True):
        title = {"color": looks[name].colour, "fontweight": "bold"}
        of_teacher[0].set_title(wrapped(name, 22 if tall else 80), loc="center" if tall else "left", **title)
        spans = sampled_spans(run, space.dimensions)
        for i, axes in enumerate(of_teacher):
            dots.draw(axes, run.steps, run.tasks[:, i], run.outcomes, size=6 if tall else 11)
            if spans is not None:
                _draw_spans(axes, spans[0], [values[:, i] for values in spans[1:]], thin=tall)
    for i, parameter in enumerate(space.parameters):
        first, margin = panels[0, i], 0.05 * float(space.range[i])
        first.set_ylim(parameter.low - margin, parameter.high + margin)
        if tall:
            first.set_yticks([parameter.low, parameter.high])
            first.set_ylabel(parameter_label(parameter).replace(" (", "\n("), rotation=0, ha="right", va="center")
        else:
            for axes in panels[:, i]:
                axes.set_ylabel(wrapped(parameter_label(parameter), 24))
    set_step_axis(panels[0, 0], max(run.end for run in runs.values()), ticks=4 if tall else 6)
    for axes in panels.flat:
        place = axes.get_subplotspec()
        if place.is_last_row():
            axes.set_xlabel("student steps")
        axes.tick_params(bottom=place.is_last_row(), left=place.is_first_col() or not tall)
    return list(panels.flat)


def sampled_spans(run: DrawnRun, dimensions: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray] | None:
    """Where the teacher sampled each parameter, from when to when.

    Returns:
        ``(k + 1,)`` student steps at which the k samplings began, and at which the last ended; then
        ``(k + 1, n)`` low, centre and high, the last row repeated: mean minus and plus the standard deviation
        of a mixture of Gaussians without its uniform share, or the bounds of a window, whose centre is NaN.
        None if the teacher did not say.
    """
    begun = [(steps, sampling) for steps, sampling in run.sampling if steps < run.end]
    if not begun:
        return None
    spans = np.array([_span(sampling) for _, sampling in begun]).reshape(len(begun), 3, dimensions)
    low, centre, high = np.concatenate([spans, spans[-1:]]).transpose(1, 0, 2)
    return np.array([*(steps for steps, _ in begun), run.end], dtype=np.float64), low, centre, high


def _span(sampling: Sampling) -> tuple[FloatArray, FloatArray, FloatArray]:
    if not isinstance(sampling, GaussianMixture):
        return sampling.low, np.full_like(sampling.low, np.nan), sampling.high
    mean = sampling.weights @ sampling.means
    variances = np.diagonal(sampling.covariances, axis1=1, axis2=2) + (sampling.means - mean) ** 2
    spread = np.sqrt(np.maximum(sampling.weights @ variances, 0.0))
    return mean - spread, mean, mean + spread


def _draw_spans(axes: Axes, steps: FloatArray, spans: Sequence[FloatArray], *, thin: bool) -> None:
    low, centre, high = spans
    width = 0.7 if thin else 1.0
    for values, linewidth in ((low, width), (high, width), (centre, 2 * width)):
        effects = halo(linewidth)
        axes.step(steps, values, where="post", color=OVERLAY, linewidth=linewidth, path_effects=effects, zorder=3)
    axes.fill_between(steps, low, high, step="post", color=OVERLAY, alpha=0.10, linewidth=0, zorder=2.5)
