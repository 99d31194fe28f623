"""What the figures of a study share: colours, fonts, the unit of steps, and how a file is written."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from teachgym.agents import TEACHERS
from teachgym.base.exclusive import exclusive
from teachgym.base.files import replacing
from teachgym.core.task_space import Parameter

# Okabe and Ito's palette, told apart with any common colour blindness; without its yellow, too pale for lines
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINE_STYLES = ("-", "--", ":", "-.")
MOST_LOOKS = len(COLOURS) * len(LINE_STYLES)
"""More teachers than this can't be told apart in one figure."""
DOTS_PER_INCH = 150
FONT_SIZE = 11
"""Of all text in all figures, in points; a report shows it as large as its own text."""
PAGE_WIDTH = 10.6
"""Inches of a figure that is as wide as a report, whose text is ``FONT_SIZE``."""
COLUMN_WIDTH = 6.2
"""Inches of a figure beside a column of text."""
MUTED = "#666666"

_STYLE: Any = {  # typed loosely: the known settings differ between versions of matplotlib
    "axes.edgecolor": "#444444",
    "axes.grid": False,
    "axes.labelsize": FONT_SIZE,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": FONT_SIZE,
    "figure.titlesize": FONT_SIZE,
    "figure.titleweight": "bold",
    "figure.labelsize": FONT_SIZE,
    "font.family": "sans-serif",
    "font.size": FONT_SIZE,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8,
    "legend.fontsize": FONT_SIZE,
    "legend.frameon": False,
    "legend.title_fontsize": FONT_SIZE,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "text.usetex": False,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
}


_ILLEGIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Look:
    """How one teacher is drawn in every figure."""

    colour: str
    """Hexadecimal RGB."""
    line_style: str
    """Solid, unless there are more teachers than colours."""


def teacher_looks(names: Iterable[str]) -> dict[str, Look]:
    """Give every teacher a look of its own.

    A registered teacher takes the colour of its place in ``TEACHERS`` unless another one has it already, so
    that it looks alike in the figures of different studies. Other names take what is left, in order.

    Raises:
        ValueError: If there is no teacher, or more than there are looks.
    """
    names, places = list(names), {name: place for place, name in enumerate(TEACHERS)}
    free = [Look(colour, style) for style in LINE_STYLES for colour in COLOURS]
    if not 1 <= len(names) <= MOST_LOOKS:
        raise ValueError(
            f"there are {len(names)} teachers to draw; expected at least one, and at most {MOST_LOOKS} in one figure"
        )
    looks: dict[str, Look] = {}
    for name in sorted(names, key=lambda name: places.get(name, len(places))):
        own = Look(COLOURS[places.get(name, 0) % len(COLOURS)], LINE_STYLES[0])
        looks[name] = own if own in free else free[0]
        free.remove(looks[name])
    return looks


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the same fonts and frames whatever style the user has set; theirs is back afterwards."""
    with exclusive(), matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def short_steps(steps: float) -> str:
    """Write a number of steps with three digits: ``950``, ``12.5k``, ``3M``."""
    rounded = float(f"{steps:.3g}")
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rounded >= size:
            return f"{rounded / size:.3g}{suffix}"
    return f"{rounded:.3g}"


def set_step_axis(axes: Axes, last: float, *, ticks: int = 6) -> None:
    """Make the x axis reach from 0 to the ``last`` student steps; without any it has no ticks."""
    axes.set_xlim(0, 1.02 * last if last > 0 else 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]) if last > 0 else NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: short_steps(steps)))


def legible(text: str) -> str:
    """The text with a replacement character for each control character and lone surrogate, which nothing can show."""
    return _ILLEGIBLE.sub("\N{REPLACEMENT CHARACTER}", text)


def parameter_label(parameter: Parameter) -> str:
    """Name of a task parameter for an axis, with its unit."""
    return legible(parameter.name.replace("_", " ") + (f" ({parameter.unit})" if parameter.unit else ""))


def wrapped(text: str, width: int, *, lines: int = 2) -> str:
    """Break a long text into lines of at most ``width`` characters; what does not fit ends in an ellipsis."""
    parts = textwrap.wrap(legible(text), width)
    if len(parts) > lines:
        parts = [*parts[: lines - 1], parts[lines - 1][: width - 1] + "…"]
    return "\n".join(parts)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure atomically, in the format of the path's suffix (``.png``, ``.pdf``, ``.svg``).

    Raises:
        ValueError: If the suffix names no format that can be written.
    """
    known = figure.canvas.get_supported_filetypes()
    form = path.suffix.removeprefix(".").lower()
    if form not in known:
        raise ValueError(f"figure path is {path}; expected a name that ends in one of .{', .'.join(sorted(known))}")
    with replacing(path) as file:
        figure.savefig(file, format=form, dpi=DOTS_PER_INCH, facecolor="white")
