"""What a comparison found, in sentences."""

import math
from collections.abc import Sequence

from teachgym.report.tables import turned
from teachgym.study.results.comparison import LEVEL, Comparison, Row, p_between
from teachgym.study.results.summary import p_text


def headline(comparison: Comparison) -> str:
    """The best teacher, which comes first, and how far it lies above the reference, with interval and p.

    Where the reference is the best, it is set against the second best.
    """
    best, *others = comparison.ranked
    reached = f"mean {comparison.score_name}: {best.mean.mean:.{comparison.score_decimals}f} ({_seeds(best)})"
    if not others:
        return f"{best.teacher} is the only teacher with finished cells, with a {reached}."
    if best.teacher == comparison.reference:
        second = others[0]
        gap, against, p_value = turned(second.difference), f"the second, {second.teacher}", second.p_corrected
    else:
        gap, against, p_value = best.difference, f"the reference, {comparison.reference}", best.p_corrected
    name = f"{best.teacher}, the reference," if best.teacher == comparison.reference else best.teacher
    if math.isnan(gap.mean):
        return f"{name} has the best {reached}. No study includes both it and {against}."
    decimals = comparison.score_decimals
    tested = (
        "without an interval or a test"
        if math.isnan(gap.low)
        else f"95 % interval {gap.low:.{decimals}f} to {gap.high:.{decimals}f}, {_p(p_value)}"
    )
    return f"{name} has the best {reached}. That is {gap.mean:.{decimals}f} above {against} ({tested})."


def finding(comparison: Comparison) -> str:
    """What is significant over all pairs of teachers; nothing where there is one teacher."""
    best, *others = [row.teacher for row in comparison.ranked]
    if not others:
        return ""
    if not comparison.leaders:
        return (
            f"Over all pairs, no teacher differs significantly from {best} (Welch's tests, corrected by Holm, level "
            f"{LEVEL:g}). That is not evidence that they are equal: see the notes."
        )
    tests = f"These p values are from Welch's tests against {best}, corrected by Holm over all pairs; level {LEVEL:g}."
    worse = [_tested(comparison, name) for name in others if name not in comparison.leaders]
    near = [_tested(comparison, name) for name in others if name in comparison.leaders]
    if not near:
        return f"{best} is significantly better than every other teacher: {_listed(worse)}. {tests}"
    return f"Significantly worse than {best}: {_listed(worse)}. Not significantly worse: {_listed(near)}. {tests}"


def _tested(comparison: Comparison, name: str) -> str:
    row = next(row for row in comparison.rows if row.teacher == name)
    p_value = p_between(comparison.pairs, name, comparison.best)
    return f"{name} ({row.mean.mean:.{comparison.score_decimals}f}, {_seeds(row)}, {_p(p_value)})"


def _p(p_value: float) -> str:
    shown = p_text(p_value)
    return "not tested" if math.isnan(p_value) else f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _seeds(row: Row) -> str:
    return f"{row.seeds} seed{'s' if row.seeds > 1 else ''}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
