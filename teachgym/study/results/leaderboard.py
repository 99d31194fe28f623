"""Teachers over several environments: each one's share of the gap between doing nothing and knowing the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table

from teachgym.core.task_space import FloatArray
from teachgym.statistics import Interval, mean_interval
from teachgym.study.results.stored import StoredStudy

BASELINE = "random"
WORST, BEST = -1.0, 2.0
"""Shares are clipped to these before they are averaged over environments, so that no small gap decides alone."""


@dataclass(frozen=True)
class BoardRow:
    """A teacher in an environment."""

    teacher: str
    score: Interval
    """Final score, with a Student-t interval over seeds."""
    share: Interval
    """Of the gap, with a bootstrap interval."""


@dataclass(frozen=True)
class Board:
    """An environment."""

    env: str
    floor: str | float
    """The teacher, or the score, whose share is 0."""
    ceiling: str | float
    """The teacher, or the score, whose share is 1."""
    score_name: str
    """What the score is."""
    seconds: float
    """Median time of a cell, from making the environment to the last test."""
    rows: tuple[BoardRow, ...]
    """By falling share."""


@dataclass(frozen=True)
class OverallRow:
    """A teacher over the environments that it fits."""

    teacher: str
    environments: int
    share: Interval
    """Mean over environments of the clipped shares, with a bootstrap interval."""
    lead: Interval
    """The same less that of ``random`` in these environments, which makes teachers that fit different ones comparable;
    NaN where ``random`` is missing in one of them."""


@dataclass(frozen=True)
class Leaderboard:
    """All of it."""

    boards: tuple[Board, ...]
    overall: tuple[OverallRow, ...]
    """Teachers in at least half as many environments as the widest, by falling lead; then the others."""

    @property
    def wide(self) -> tuple[OverallRow, ...]:
        """Those in at least half as many environments as the widest."""
        most = max((row.environments for row in self.overall), default=0)
        return tuple(row for row in self.overall if 2 * row.environments >= most)


def leaderboard(
    studies: Sequence[tuple[str, str | float, str | float, StoredStudy]], *, samples: int = 2000
) -> Leaderboard:
    """Score teachers by their share of the gap.

    A score is the mean outcome over the test tasks at the end. In an environment a teacher's share is ``(score - floor)
    / (ceiling - floor)`` of mean scores over seeds. A bootstrap sample redraws seeds, the same ones for the teacher,
    the floor and the ceiling, as these teach the same students.

    Args:
        studies: For each environment its name, the teachers or scores that are floor and ceiling, and its study.
        samples: Of the bootstrap.

    Returns:
        The leaderboard; environments in which floor or ceiling have no finished cell are left out.
    """
    boards, draws = [], {}
    for number, (env, floor, ceiling, study) in enumerate(studies):
        scores = {teacher: _scores(study, teacher) for teacher in study.runs}
        scores = {teacher: found for teacher, found in scores.items() if found}
        if any(isinstance(end, str) and end not in scores for end in (floor, ceiling)):
            continue
        rng = np.random.default_rng([0, number])
        seeds = sorted({one for found in scores.values() for one in found})
        drawn = rng.integers(len(seeds), size=(samples, len(seeds)))
        low, high = (
            scores[end] if isinstance(end, str) else dict.fromkeys(seeds, float(end)) for end in (floor, ceiling)
        )
        shares = {teacher: _shares(found, low, high, seeds, drawn) for teacher, found in scores.items()}
        draws[env] = shares
        rows = [
            BoardRow(teacher, mean_interval(list(scores[teacher].values())), _interval(found, len(scores[teacher])))
            for teacher, found in shares.items()
        ]
        times = [run.result.total_seconds for runs in study.runs.values() for run in runs if run.result is not None]
        rows.sort(key=lambda row: -row.share.mean)
        name = f"test {study.measures.outcome_name}"
        boards.append(Board(env, floor, ceiling, name, float(np.median(times)), tuple(rows)))
    return Leaderboard(tuple(boards), tuple(_overall(draws)))


def leaderboard_table(board: Leaderboard) -> Table:
    """Lay the overall rows out for a terminal."""
    table = Table(
        title="Share of the gap between doing nothing (0) and the best that is known (1)",
        caption="Means over the environments that a teacher fits, with 95 % bootstrap intervals over seeds. Compare "
        "teachers by their lead over random in these; those in few environments are left out.",
    )
    for heading in ("teacher", "environments", "share of the gap", "lead over random"):
        table.add_column(heading, justify="left" if heading == "teacher" else "right")
    for row in board.wide:
        table.add_row(escape(row.teacher), str(row.environments), _text(row.share), _text(row.lead))
    return table


def _text(found: Interval) -> str:
    mean, low, high = (round(value, 2) + 0.0 for value in (found.mean, found.low, found.high))  # not -0.00
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def _scores(study: StoredStudy, teacher: str) -> dict[int, float]:
    """Final scores by seed."""
    return {
        run.cell.seed: run.record.evaluations[-1].mean_return for run in study.runs[teacher] if run.result is not None
    }


def _shares(
    found: dict[int, float], floor: dict[int, float], ceiling: dict[int, float], seeds: list[int], drawn: Any
) -> FloatArray:
    """``(1 + samples,)`` the share itself, then those of the samples; those without the teacher, or a gap, are NaN."""
    columns = [np.array([scores.get(seed, np.nan) for seed in seeds]) for scores in (found, floor, ceiling)]
    everything = [np.append(np.arange(len(seeds))[None], drawn, axis=0)] * 3
    with np.errstate(invalid="ignore", divide="ignore"):
        own, low, high = (_means(column[draw]) for column, draw in zip(columns, everything, strict=True))
        return np.asarray(np.where(high == low, np.nan, (own - low) / (high - low)))


def _means(values: FloatArray) -> FloatArray:
    """Means of rows, without the missing; NaN where all are."""
    there = ~np.isnan(values)
    return np.asarray(np.where(there, values, 0.0).sum(axis=1) / np.where(there.any(axis=1), there.sum(axis=1), np.nan))


def _interval(shares: FloatArray, count: int) -> Interval:
    known = shares[1:][np.isfinite(shares[1:])]
    if count < 2 or not len(known):
        return Interval(float(shares[0]), float("nan"), float("nan"), count)
    low, high = np.quantile(known, [0.025, 0.975])
    return Interval(float(shares[0]), float(low), float(high), count)


def _overall(draws: dict[str, dict[str, FloatArray]]) -> list[OverallRow]:
    teachers = dict.fromkeys(teacher for shares in draws.values() for teacher in shares)
    rows = []
    for teacher in teachers:
        fits = [shares for shares in draws.values() if teacher in shares]
        own = np.mean([np.clip(shares[teacher], WORST, BEST) for shares in fits], axis=0)
        unknown = np.full(len(own), np.nan)
        baseline = np.mean([np.clip(shares.get(BASELINE, unknown), WORST, BEST) for shares in fits], axis=0)
        share, lead = (_interval(found, len(fits) + 1) for found in (own, own - baseline))
        rows.append(OverallRow(teacher, len(fits), share, lead))
    most = max((row.environments for row in rows), default=0)

    def place(row: OverallRow) -> tuple[bool, float]:
        return 2 * row.environments < most, -(row.share.mean if np.isnan(row.lead.mean) else row.lead.mean)

    return sorted(rows, key=place)
