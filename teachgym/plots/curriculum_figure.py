"""Draw where in the task space each teacher sent its student, over time."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from teachgym.core.record import Record
from teachgym.core.sampling import GaussianMixture, Window
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.plots.drawn_episodes import COLOUR_MAP, OVERLAY, Dots, DrawnRun, colour_scale
from teachgym.plots.figure_style import house_style, teacher_looks, wrapped
from teachgym.plots.task_maps import draw_maps, maps_every
from teachgym.plots.task_timelines import draw_timelines, timelines_every

_MIDDLE = (2.5, 97.5)
"""Percentiles of the outcomes at the ends of the colour scale."""


def curriculum_figure(runs: Mapping[str, Sequence[Record]], space: TaskSpace, *, title: str) -> Figure:
    """The finished episodes of each teacher's first seed, coloured by outcome, with how the teacher sampled.

    Colours go over the middle 95 % of the outcomes, so that a few extreme ones do not leave the others all alike.

    A space of two parameters is drawn as maps, one for each of four equal stretches of the student's steps;
    any other as one panel for each parameter, its value against the student's steps. Long runs are thinned
    evenly, and the legend says how much.

    Args:
        runs: For each teacher the records of its seeds; the first seed is drawn.
        space: The task space that the tasks lie in.
        title: Stands above the panels.

    Raises:
        ValueError: If there are no teachers or too many, or tasks do not lie in a space of that many dimensions.
    """
    looks, maps = teacher_looks(runs), space.dimensions == 2
    drawn = {name: DrawnRun.of(name, records, space) for name, records in runs.items()}
    with house_style():
        figure = Figure(layout="constrained")
        outcomes = np.concatenate([run.outcomes for run in drawn.values()])
        scale = colour_scale(np.percentile(outcomes, _MIDDLE) if outcomes.size else outcomes)
        dots = Dots(scale, maps_every(drawn) if maps else timelines_every(drawn))
        panels = (draw_maps if maps else draw_timelines)(figure, drawn, space, looks, dots)
        figure.suptitle(wrapped(title, 90))
        figure.colorbar(
            ScalarMappable(dots.outcomes, COLOUR_MAP),
            ax=panels,
            label="outcome of the episode",
            extend=_beyond(outcomes, scale),
            aspect=30,
            pad=0.01,
        )
        figure.legend(handles=_legend(drawn.values(), dots.every, maps=maps), loc="outside lower center")
    return figure


def _beyond(outcomes: FloatArray, scale: Normalize) -> str:
    placed = np.asarray(scale(outcomes))
    below, above = bool(np.any(placed < 0.0)), bool(np.any(placed > 1.0))
    return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]


def _legend(runs: Collection[DrawnRun], every: int, *, maps: bool) -> list[Line2D]:
    kinds = {type(sampling) for run in runs for _, sampling in run.sampling}
    episodes = "finished episode of the teacher's first seed" + (f", one in {every} drawn" if every > 1 else "")
    handles = [Line2D([], [], linestyle="", marker="o", color=colormaps[COLOUR_MAP](0.45), label=episodes)]
    if GaussianMixture in kinds:
        label = "1 and 2 sigma of the teacher's Gaussians as the stretch ends, the likely ones heavier"
        label = label if maps else "mean and standard deviation of the teacher's Gaussians"
        handles.append(Line2D([], [], color=OVERLAY, linewidth=1.8, label=label))
    if Window in kinds:
        label = "the teacher's window" + (" as the stretch ends" if maps else "")
        window: dict[str, Any] = (
            {"linestyle": "", "marker": "s", "markersize": 9, "markerfacecolor": "none"} if maps else {}
        )
        handles.append(Line2D([], [], color=OVERLAY, linewidth=1.0, label=label, **window))
    return handles
