"""Draw what the students of each teacher could do in the end, test task by test task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from teachgym.core.evaluation import Evaluation
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.plots.drawn_episodes import COLOUR_MAP, colour_scale
from teachgym.plots.figure_style import PAGE_WIDTH, house_style, legible, parameter_label, wrapped

_COLUMNS = 4
_MOST_NAMED = 24
"""More test tasks than this are not named on an axis."""


@dataclass(frozen=True, eq=False)
class Mastery:
    """Of one teacher, over its seeds."""

    tasks: FloatArray
    """``(m, n)`` the test tasks."""
    share: FloatArray
    """``(m,)`` share of the seeds that master each."""
    outcome: FloatArray
    """``(m,)`` mean outcome over the seeds."""
    seeds: int
    """How many."""

    @classmethod
    def of(cls, tests: Sequence[Evaluation]) -> "Mastery":
        """From the last test of each seed, all on the same tasks."""
        returns = np.array([test.returns for test in tests])
        mastered = returns > tests[0].mastered_above
        return cls(tests[0].tasks, mastered.mean(axis=0), returns.mean(axis=0), len(tests))


def mastery_figure(
    found: Mapping[str, Mastery], space: TaskSpace, *, title: str, outcome_name: str, skills: Sequence[str] = ()
) -> Figure:
    """Maps of a test space of two parameters; a grid of teachers by tasks, from easy to hard, for any other.

    Colours go over the range of what is shown.

    Args:
        found: For each teacher what its students master.
        space: The test tasks' space.
        title: Stands above.
        outcome_name: What an outcome is called; shown where tasks are skills.
        skills: Their names, where the task is the number of one.

    Raises:
        ValueError: If there are no teachers.
    """
    if not found:
        raise ValueError("there is nothing mastered to draw; expected the tests of at least one teacher")
    with house_style():
        if skills:
            return _grid(found, title, f"mean {legible(outcome_name)}", [one.outcome for one in found.values()], skills)
        if space.dimensions == 2:
            return _maps(found, space, title)
        return _grid(found, title, "share of seeds that master it", [one.share for one in found.values()], ())


def _maps(found: Mapping[str, Mastery], space: TaskSpace, title: str) -> Figure:
    columns = min(len(found), _COLUMNS)
    rows = -(-len(found) // columns)
    figure = Figure(layout="constrained", figsize=(2.3 * columns + 1.4, 2.5 * rows + 0.9))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    dots, scale = None, colour_scale(np.concatenate([one.share for one in found.values()]))
    for axes in panels.ravel()[len(found) :]:
        axes.set_visible(False)
    for (name, one), axes in zip(found.items(), panels.ravel(), strict=False):
        dots = axes.scatter(*one.tasks.T, c=one.share, cmap=COLOUR_MAP, norm=scale, s=34, clip_on=False)
        axes.set_title(f"{wrapped(name, 24)}\n{one.seeds} seed{'s' if one.seeds > 1 else ''}")
        axes.set_xlim(space.low[0], space.high[0])
        axes.set_ylim(space.low[1], space.high[1])
    for axes in panels[:, 0]:
        axes.set_ylabel(parameter_label(space.parameters[1]))
    for axes in panels[-1]:
        axes.set_xlabel(parameter_label(space.parameters[0]))
    assert dots is not None, "there is at least one teacher"
    figure.colorbar(dots, ax=panels, label="share of seeds\nthat master the task", aspect=25, pad=0.01)
    figure.suptitle(wrapped(title, 90))
    return figure


def _grid(
    found: Mapping[str, Mastery], title: str, label: str, rows: list[FloatArray], skills: Sequence[str]
) -> Figure:
    values: NDArray[np.float64] = np.array(rows)
    order = np.arange(values.shape[1]) if skills else np.argsort(-values.mean(axis=0), kind="stable")
    figure = Figure(layout="constrained", figsize=(PAGE_WIDTH, 1.9 + 0.45 * len(found) + (1.0 if skills else 0.0)))
    axes = figure.subplots()
    scale = colour_scale(values)
    image = axes.imshow(values[:, order], cmap=COLOUR_MAP, norm=scale, aspect="auto", interpolation="nearest")
    names = [f"{wrapped(name, 26)} ({one.seeds})" for name, one in found.items()]
    axes.set_yticks(range(len(names)), names)
    if skills and len(skills) <= _MOST_NAMED:
        numbers = next(iter(found.values())).tasks[:, 0].astype(int)
        axes.set_xticks(range(len(order)), [legible(skills[number]) for number in numbers], rotation=30, ha="right")
        for (row, column), value in np.ndenumerate(values[:, order]):
            red, green, blue, _ = colormaps[COLOUR_MAP](scale(float(value)))
            ink = "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "white"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=ink)
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{len(order)} test tasks, from those that most master to those that nobody does")
    for side in axes.spines.values():
        side.set_visible(False)
    figure.colorbar(image, ax=axes, label=label, aspect=12, pad=0.01)
    figure.suptitle(wrapped(title, 90))
    return figure
