"""Draw a leaderboard as a map: a row a teacher, a column an environment, the share of the gap in each cell."""

from typing import Protocol

import numpy as np
from matplotlib.figure import Figure

from teachgym.plots.figure_style import MUTED, house_style, legible, wrapped
from teachgym.statistics import Interval

COLUMNS = 18
"""Letters of an environment's name in a line."""


class _Row(Protocol):
    @property
    def teacher(self) -> str: ...
    @property
    def share(self) -> Interval: ...


class _Wide(_Row, Protocol):
    @property
    def lead(self) -> Interval: ...


class _Board(Protocol):
    @property
    def env(self) -> str: ...
    @property
    def rows(self) -> "tuple[_Row, ...]": ...


class _Shares(Protocol):
    """What is drawn: a ``teachgym.study.results.leaderboard.Leaderboard``."""

    @property
    def boards(self) -> "tuple[_Board, ...]":
        """Of the environments."""

    @property
    def wide(self) -> "tuple[_Wide, ...]":
        """Teachers in enough of them."""


def leaderboard_figure(board: _Shares) -> Figure:
    """Draw the map; the first column is the mean lead over ``random`` in the environments that a teacher fits.

    Args:
        board: With at least one environment.

    Raises:
        ValueError: If there is none.
    """
    if not board.boards:
        raise ValueError("there is no finished environment to draw; expected at least one")
    names, columns = [row.teacher for row in board.wide], ["mean lead over random", *(one.env for one in board.boards)]
    cells = np.full((len(names), len(columns)), np.nan)
    cells[:, 0] = [row.lead.mean for row in board.wide]
    for place, one in enumerate(board.boards, start=1):
        for row in one.rows:
            if row.teacher in names:
                cells[names.index(row.teacher), place] = row.share.mean
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
