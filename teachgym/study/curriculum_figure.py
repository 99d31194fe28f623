"""Draw where in the task space each teacher sent its student, over time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.patheffects import withStroke

from teachgym.record import Record
from teachgym.study.figure_style import save_figure
from teachgym.task_space import TaskSpace

COLOUR_MAP = "viridis"
STRETCHES = 4
DOTS_IN_PANEL = 800
HALO = withStroke(linewidth=3.5, foreground="white", alpha=0.8)


def plot_curriculum(
    runs: Mapping[str, Sequence[Record]],
    space: TaskSpace,
    path: Path,
    *,
    title: str,
    outcome_range: tuple[float, float],
) -> None:
    """Write ``curriculum_figure`` to a file, atomically.

    Args:
        runs: For each teacher the records of its seeds; the first seed is drawn.
        space: The task space that the tasks lie in.
        path: Where to; the suffix decides the format.
        title: Stands above the panels.
        outcome_range: Outcomes at the two ends of the colour scale.

    Raises:
        ValueError: As ``curriculum_figure``, or if the suffix names no known format.
    """
    save_figure(curriculum_figure(runs, space, title=title, outcome_range=outcome_range), path)
