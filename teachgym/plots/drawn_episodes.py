"""What a curriculum figure shows of one run: its episodes as coloured dots, and how the teacher sampled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patheffects import AbstractPathEffect, withStroke
from numpy.typing import NDArray

from teachgym.core.record import Record
from teachgym.core.sampling import Sampling
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.plots.figure_style import MUTED

COLOUR_MAP = "viridis"
OVERLAY = "#000000"
FEW = 60
"""Dots of a panel below which they are drawn larger."""


def colour_scale(values: FloatArray) -> Normalize:
    """From the least to the greatest of the values that are shown, or from 0 where they are all the same."""
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if low == high:
        low, high = min(low, 0.0), max(high, 0.0)
    return Normalize(low, high if low < high else 1.0)


@dataclass(frozen=True, eq=False)
class DrawnRun:
    """One run of a teacher, ready to be drawn."""

    tasks: FloatArray
    """``(episodes, n)`` tasks of the finished episodes."""
    outcomes: FloatArray
    """``(episodes,)`` outcomes, for the colours."""
    steps: FloatArray
    """``(episodes,)`` student steps spent when each finished; grows."""
    sampling: Sequence[tuple[int, Sampling]]
    """How the teacher sampled, with the student steps at which it began to."""

    @classmethod
    def of(cls, name: str, records: Sequence[Record], space: TaskSpace) -> "DrawnRun":
        """Take the first seed of a teacher; without any, a run without episodes.

        Raises:
            ValueError: If its tasks do not lie in a space of that many dimensions.
        """
        record = records[0] if records else Record()
        if not record.feedback:
            return cls(np.empty((0, space.dimensions)), np.empty(0), np.empty(0), record.sampling)
        if record.tasks.shape[1] != space.dimensions:
            raise ValueError(
                f"tasks of {name!r} have {record.tasks.shape[1]} parameters; expected {space.dimensions}: "
                + ", ".join(space.names)
            )
        return cls(record.tasks, record.outcomes, np.array(record.finished_at, dtype=np.float64), record.sampling)

    @property
    def end(self) -> float:
        """Student steps at the end of the last episode; 0 before the first."""
        return float(self.steps[-1]) if len(self.steps) else 0.0


@dataclass(frozen=True)
class Dots:
    """How episodes are drawn, the same in all panels of a figure."""

    outcomes: Normalize
    """Maps outcomes to the colour scale."""
    every: int
    """One in so many episodes is drawn, so that dots stay apart; one number for all panels keeps densities true."""

    def draw(self, axes: Axes, x: FloatArray, y: FloatArray, outcomes: FloatArray, *, size: float) -> None:
        """Add the dots of one panel, of ``size`` square points each, larger where they are few; say so without any."""
        if len(x) == 0:
            axes.text(0.5, 0.5, "no episodes", color=MUTED, ha="center", va="center", transform=axes.transAxes)
            return
        shown: NDArray[np.intp] = np.arange(0, len(x), self.every)
        axes.scatter(
            x[shown],
            y[shown],
            c=outcomes[shown],
            s=size * min(max(FEW / len(shown), 1.0), 5.0),
            cmap=COLOUR_MAP,
            norm=self.outcomes,
            linewidths=0,
            alpha=0.9,
            rasterized=True,
            zorder=2,
        )


def halo(linewidth: float) -> list[AbstractPathEffect]:
    """A pale edge around a line of that width in points, so that it stays visible on dark dots."""
    return [withStroke(linewidth=linewidth + 2.0, foreground="white", alpha=0.75)]
