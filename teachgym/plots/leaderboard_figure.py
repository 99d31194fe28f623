"""Draw a leaderboard as a map: a row a teacher, a column an environment, the share of the gap in each cell."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from teachgym.plots.figure_style import MUTED, house_style, legible, wrapped

COLUMNS = 18
"""Letters of an environment's name in a line."""


def leaderboard_figure(leads: Mapping[str, float], shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the map; the first column is the mean lead over ``random`` in the environments that a teacher fits.

    Args:
        leads: For each teacher to be drawn its mean lead.
        shares: For each environment, at least one, the shares of its teachers.

    Raises:
        ValueError: If there is no environment.
    """
    if not shares:
        raise ValueError("there is no finished environment to draw; expected at least one")
    names, columns = list(leads), ["mean lead over random", *shares]
    found = [leads, *shares.values()]
    cells = np.array([[column.get(name, np.nan) for column in found] for name in names])
    with house_style():
        size = (3.8 + 1.05 * len(columns), 2.2 + 0.3 * len(names))
        figure = Figure(layout="constrained", figsize=size)
        axes = figure.subplots()
        axes.imshow(np.clip(cells, 0, 1), cmap="Blues", vmin=0, vmax=1.6, aspect="auto")
        for line, place in zip(*np.nonzero(np.isfinite(cells)), strict=True):
            value = round(float(cells[line, place]), 2) + 0.0  # not -0.00
            text = f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"
            text = f"+{text}" if place == 0 and value > 0 else text
            weight = "bold" if place == 0 else "normal"
            axes.text(place, line, text, ha="center", va="center", weight=weight)
        for line, place in zip(*np.nonzero(np.isnan(cells)), strict=True):
            axes.text(place, line, "·", ha="center", va="center", color=MUTED)
        axes.set_yticks(range(len(names)), [legible(name) for name in names])
        titles = [wrapped(name.replace(",", ", "), COLUMNS, lines=4) for name in columns]
        axes.set_xticks(range(len(columns)), titles, rotation=60, ha="left")
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.axvline(0.5, color="white", linewidth=4)
        for side in axes.spines.values():
            side.set_visible(False)
    return figure
