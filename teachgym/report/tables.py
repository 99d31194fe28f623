"""The tables of a report, the best teacher first, as cells of text: for the page, for LaTeX and for spreadsheets."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from teachgym.plots.figure_style import short_steps
from teachgym.statistics import Interval
from teachgym.study.results.comparison import Comparison, Row
from teachgym.study.results.summary import p_text

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


@dataclass(frozen=True)
class TextTable:
    """Rows of text under headings; the first column names the rows."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: tuple[bool, ...]
    """Which rows lead."""


def main_table(comparison: Comparison) -> TextTable:
    """What teachers reached; every number has its interval, and the count of seeds stands beside it."""
    decimals, score = comparison.decimals, comparison.score_decimals
    columns: list[tuple[str, Callable[[Row], str]]] = [
        ("teacher", lambda row: row.teacher),
        ("seeds", lambda row: str(row.seeds)),
        (f"IQM, {comparison.score_name}", lambda row: interval_text(row.iqm, score)),
        ("% mastered", lambda row: interval_text(row.mastered, 1, low=0.0, high=100.0)),
        (f"mean {comparison.outcome_name}", lambda row: interval_text(row.mean_return, decimals)),
        (f"above {comparison.reference}", lambda row: interval_text(row.difference, score)),
        (f"p against {comparison.reference}", lambda row: p_text(row.p_corrected)),
    ]
    if not comparison.masters:
        columns = [column for column in columns if column[0] != "% mastered"]
    return _table(comparison, columns)


def more_table(comparison: Comparison) -> TextTable:
    """The rest of what was found of the scores."""
    decimals, score = comparison.decimals, comparison.score_decimals
    threshold = comparison.rows[0].reached.threshold
    columns: list[tuple[str, Callable[[Row], str]]] = [
        ("teacher", lambda row: row.teacher),
        ("seeds", lambda row: str(row.seeds)),
        ("mean", lambda row: interval_text(row.mean, score)),
        ("median", lambda row: interval_text(row.median, score)),
        ("area under the curve", lambda row: interval_text(row.area, score)),
        *([(f"steps to {threshold:.{score}f}", _steps_text)] if math.isfinite(threshold) else []),
        (f"worst fifth, mean {comparison.outcome_name}", lambda row: interval_text(row.worst_case, decimals)),
        ("forgetting", lambda row: interval_text(row.forgetting, score, low=0.0)),
    ]
    return _table(comparison, columns)


def cost_table(comparison: Comparison) -> TextTable:
    """What it took."""
    columns: list[tuple[str, Callable[[Row], str]]] = [
        ("teacher", lambda row: row.teacher),
        ("seeds", lambda row: str(row.seeds)),
        ("student steps per second", lambda row: f"{row.steps_per_second:,.0f}"),
        ("world", lambda row: f"{row.world_share:.1%}"),
        ("teacher's share", lambda row: f"{row.teacher_share:.2%}"),
        ("student and rest", lambda row: f"{max(1 - row.world_share - row.teacher_share, 0):.1%}"),
    ]
    return _table(comparison, columns)


def improvement_table(comparison: Comparison) -> TextTable:
    """For every two teachers the probability that a run of the row's beats one of the column's."""
    names = [row.teacher for row in comparison.ranked]
    found = {(pair.first, pair.second): pair for pair in comparison.pairs}
    rows = []
    for name in names:
        cells = [name]
        for other in names:
            if (name, other) in found:
                cells.append(interval_text(found[name, other].improvement, 2, low=0.0, high=1.0))
            elif (other, name) in found:
                cells.append(interval_text(turned(found[other, name].improvement, about=1.0), 2, low=0.0, high=1.0))
            else:
                cells.append("-")
        rows.append(tuple(cells))
    return TextTable(("", *names), tuple(rows), tuple(name in comparison.leaders for name in names))


def interval_text(interval: Interval, decimals: int, *, low: float = -math.inf, high: float = math.inf) -> str:
    """``12.3 [4.5, 20.1]``, clipped to what is possible; without an interval the number alone."""
    if math.isnan(interval.mean):
        return "-"
    if math.isnan(interval.low):
        return f"{interval.mean:.{decimals}f}"
    ends = f"{max(interval.low, low):.{decimals}f}, {min(interval.high, high):.{decimals}f}"
    return f"{interval.mean:.{decimals}f} [{ends}]"


def to_latex(table: TextTable, *, caption: str) -> str:
    """A ``table`` environment of plain LaTeX, which needs no package."""
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{_latex(caption)}}}"]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(table.headings) - 1)}}}", r"\hline"]
    lines += [" & ".join(map(_latex, table.headings)) + r" \\", r"\hline"]
    for row, marked in zip(table.rows, table.marked, strict=True):
        cells = [rf"\textbf{{{_latex(cell)}}}" if marked else _latex(cell) for cell in row]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}", r"\end{table}", ""])


def to_csv(comparison: Comparison) -> str:
    """Every number of every teacher, unrounded; ends of intervals in columns of their own.

    ``reference`` is the teacher that p values are against, and ``leads`` says which rows the other tables mark.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for number, row in enumerate(comparison.ranked):
        cells = {**dict(_flat(row)), "reference": comparison.reference, "leads": row.teacher in comparison.leaders}
        if number == 0:
            writer.writerow(cells)
        writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in cells.values()])
    return file.getvalue()


def _flat(row: Row) -> list[tuple[str, object]]:
    cells: list[tuple[str, object]] = []
    for name, value in vars(row).items():
        if isinstance(value, Interval):
            cells += [(name, value.mean), (f"{name}_low", value.low), (f"{name}_high", value.high)]
        elif name == "reached":
            cells += [("threshold", value.threshold), ("steps_to_threshold", value.median), ("reached", value.reached)]
        else:
            cells.append((name, value))
    return cells


def _table(comparison: Comparison, columns: Sequence[tuple[str, Callable[[Row], str]]]) -> TextTable:
    return TextTable(
        tuple(heading for heading, _ in columns),
        tuple(tuple(text(row) for _, text in columns) for row in comparison.ranked),
        tuple(row.teacher in comparison.leaders for row in comparison.ranked),
    )


def _steps_text(row: Row) -> str:
    reached = row.reached
    steps = short_steps(reached.median) if math.isfinite(reached.median) else "not reached"
    return f"{steps} ({reached.reached} of {reached.count})"


def turned(interval: Interval, *, about: float = 0.0) -> Interval:
    """The interval of ``about`` minus the estimate: a difference, or a probability, seen from the other side."""
    return Interval(about - interval.mean, about - interval.high, about - interval.low, interval.count)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)
