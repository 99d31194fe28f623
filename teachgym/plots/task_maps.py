"""Two task parameters: a map of the task space for each teacher and stretch of the student's steps."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle

from teachgym.core.sampling import GaussianMixture, Sampling
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.plots.drawn_episodes import OVERLAY, Dots, DrawnRun, halo
from teachgym.plots.figure_style import PAGE_WIDTH, Look, parameter_label, short_steps, wrapped

STRETCHES = 4
DOTS_IN_MAP = 700
"""More dots than this hide each other on a panel of about 6 cm."""
SIGMAS = (1.0, 2.0)


def maps_every(runs: Mapping[str, DrawnRun]) -> int:
    """One in how many episodes to draw, so that the fullest map has ``DOTS_IN_MAP``."""
    edges = _edges(runs)
    fullest = max(int(np.histogram(run.steps, edges)[0].max()) for run in runs.values())
    return max(1, -(-fullest // DOTS_IN_MAP))


def draw_maps(
    figure: Figure, runs: Mapping[str, DrawnRun], space: TaskSpace, looks: Mapping[str, Look], dots: Dots
) -> list[Axes]:
    """One row for each teacher, one column for each of ``STRETCHES`` equal stretches of the longest run.

    A map shows the episodes that finished in its stretch, and how the teacher sampled as the stretch ended:
    each Gaussian as its ellipses of 1 and 2 sigma, the heavier the more often it is chosen, or the window.
    """
    figure.set_size_inches(PAGE_WIDTH, 2.3 * len(runs) + 1.9)
    grid = figure.subplots(len(runs), STRETCHES, sharex=True, sharey=True, squeeze=False)
    edges = _edges(runs)
    for (name, run), row in zip(runs.items(), grid, strict=True):
        row[0].annotate(
            wrapped(name, 20),
            (-0.22, 0.5),
            xycoords="axes fraction",
            rotation=90,
            ha="right",
            va="center",
            color=looks[name].colour,
            fontweight="bold",
            linespacing=1.1,
        )
        for axes, start, end in zip(row, edges[:-1], edges[1:], strict=True):
            inside = (run.steps > start) & (run.steps <= end)
            x, y = run.tasks[inside].T
            dots.draw(axes, x, y, run.outcomes[inside], size=13)
            sampling = sampling_at(run, end) if inside.any() else None
            if sampling is not None:
                draw_sampling(axes, sampling)
    for axes, start, end in zip(grid[0], edges[:-1], edges[1:], strict=True):
        if edges[-1] > 1:
            axes.set_title(f"{short_steps(start)} to {short_steps(end)} steps")
    margin = 0.03 * space.range
    grid[0, 0].set_xlim(space.low[0] - margin[0], space.high[0] + margin[0])
    grid[0, 0].set_ylim(space.low[1] - margin[1], space.high[1] + margin[1])
    for axes in grid.flat:
        axes.set_xlabel(wrapped(parameter_label(space.parameters[0]), 22))
        axes.label_outer(remove_inner_ticks=True)
    figure.supylabel(parameter_label(space.parameters[1]))
    return list(grid.flat)


def sampling_at(run: DrawnRun, end: float) -> Sampling | None:
    """How the teacher drew the last task before ``end`` student steps; None if it did not say."""
    begun = [sampling for steps, sampling in run.sampling if steps < end]
    return begun[-1] if begun else None


def draw_sampling(axes: Axes, sampling: Sampling) -> None:
    """Add the ellipses of a mixture, or the rectangle of a window."""
    if not isinstance(sampling, GaussianMixture):
        low, (width, height) = sampling.low, sampling.high - sampling.low
        axes.add_patch(
            Rectangle(
                (float(low[0]), float(low[1])),
                float(width),
                float(height),
                fill=False,
                edgecolor=OVERLAY,
                linewidth=2,
                path_effects=halo(2),
                zorder=3,
            )
        )
        return
    heaviest = float(np.max(sampling.weights))
    for mean, covariance, weight in zip(sampling.means, sampling.covariances, sampling.weights, strict=True):
        share = float(weight) / heaviest if heaviest > 0 else 1.0
        for sigmas in SIGMAS:
            linewidth = (0.5 + 1.7 * share) / sigmas**0.5
            width, height, angle = ellipse_axes(covariance, sigmas)
            axes.add_patch(
                Ellipse(
                    (float(mean[0]), float(mean[1])),
                    width,
                    height,
                    angle=angle,
                    fill=False,
                    edgecolor=OVERLAY,
                    linewidth=linewidth,
                    alpha=0.35 + 0.65 * share,
                    path_effects=halo(linewidth),
                    zorder=3,
                )
            )


def ellipse_axes(covariance: FloatArray, sigmas: float) -> tuple[float, float, float]:
    """Full width and height, and the angle in degrees of the width's axis, of a Gaussian's ellipse."""
    variances, directions = np.linalg.eigh(covariance)
    # rounding may leave a flat Gaussian a variance just below 0
    height, width = 2.0 * sigmas * np.sqrt(np.maximum(variances, 0.0))
    return float(width), float(height), float(np.degrees(np.arctan2(directions[1, 1], directions[0, 1])))


def _edges(runs: Mapping[str, DrawnRun]) -> FloatArray:
    return np.linspace(0.0, max(1.0, *(run.end for run in runs.values())), STRETCHES + 1)
