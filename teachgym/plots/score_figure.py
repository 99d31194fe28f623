"""Draw the final score of every run: a point each, a line a teacher."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from teachgym.plots.figure_style import PAGE_WIDTH, house_style, legible, teacher_looks, wrapped

_SPREAD = 0.25
"""Points of a teacher lie up to so far above and below its line, in the order of its runs, so that all are seen."""


def score_figure(scores: Mapping[str, Sequence[float]], *, score_name: str) -> Figure:
    """Show all that is known where there are too few seeds for intervals; a stroke marks each teacher's mean.

    Args:
        scores: For each teacher the scores of its runs.
        score_name: What the score is, with its unit.

    Raises:
        ValueError: If there are no teachers, or too many.
    """
    looks, names = teacher_looks(scores), list(scores)[::-1]
    with house_style():
        figure = Figure(layout="constrained", figsize=(PAGE_WIDTH, 1.5 + 0.5 * len(names)))
        axes = figure.subplots()
        for line, name in enumerate(names):
            found, colour = scores[name], looks[name].colour
            places = line + (np.linspace(_SPREAD, -_SPREAD, len(found)) if len(found) > 1 else np.zeros(1))
            axes.plot(found, places, "o", color=colour, markersize=7, alpha=0.8, markeredgewidth=0)
            axes.vlines(float(np.mean(found)), line - 0.4, line + 0.4, color=colour, linewidth=2.2)
        axes.set_yticks(range(len(names)), [wrapped(name, 26) for name in names])
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlabel(legible(score_name))
        axes.grid(True, axis="x")
        axes.set_axisbelow(True)
        figure.suptitle("Final score of each student")
    return figure
