"""Teachers over several environments: each one's share of the gap between doing nothing and knowing the truth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from teachgym.statistics import Interval, mean_interval
from teachgym.study.stored import StoredStudy
from teachgym.task_space import FloatArray

WORST, BEST = -1.0, 2.0
"""Shares are clipped to these before they are averaged over environments, so that no small gap decides alone."""
SAMPLES = 2000


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
    floor: str
    """The teacher whose share is 0."""
    ceiling: str
    """The teacher whose share is 1."""
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


@dataclass(frozen=True)
class Leaderboard:
    """All of it."""

    boards: tuple[Board, ...]
    overall: tuple[OverallRow, ...]
    """Teachers in at least half as many environments as the widest, by falling share; then the others."""

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def leaderboard(
    studies: Sequence[tuple[str, str, str, StoredStudy]], *, seed: int = 0, samples: int = SAMPLES
) -> Leaderboard:
    """Score teachers by their share of the gap.

    In an environment a teacher's share is ``(score - floor) / (ceiling - floor)`` of mean scores over seeds. A
    bootstrap sample redraws seeds, the same ones for the teacher, the floor and the ceiling, as these teach the same
    students.

    Args:
        studies: For each environment its name, the teachers that are floor and ceiling, and its study.
        seed: Of the bootstrap.
        samples: Of the bootstrap.

    Returns:
        The leaderboard; environments in which floor or ceiling have no finished cell are left out.
    """
    boards, draws = [], {}
    for number, (env, floor, ceiling, study) in enumerate(studies):
        scores = {teacher: _scores(study, teacher) for teacher in study.runs}
        scores = {teacher: found for teacher, found in scores.items() if found}
        if floor not in scores or ceiling not in scores:
            continue
        rng = np.random.default_rng([seed, number])
        seeds = sorted({one for found in scores.values() for one in found})
        drawn = rng.integers(len(seeds), size=(samples, len(seeds)))
        shares = {
            teacher: _shares(found, scores[floor], scores[ceiling], seeds, drawn) for teacher, found in scores.items()
        }
        draws[env] = shares
        rows = [
            BoardRow(teacher, mean_interval(list(scores[teacher].values())), _interval(found, len(scores[teacher])))
            for teacher, found in shares.items()
        ]
        times = [run.result.total_seconds for runs in study.runs.values() for run in runs if run.result is not None]
        rows.sort(key=lambda row: -row.share.mean)
        name = study.measures.headline_name
        boards.append(Board(env, floor, ceiling, name, float(np.median(times)), tuple(rows)))
    return Leaderboard(tuple(boards), tuple(_overall(draws)))


def _scores(study: StoredStudy, teacher: str) -> dict[int, float]:
    """Final scores by seed."""
    headline = study.measures.headline
    return {
        run.cell.seed: float(getattr(run.record.evaluations[-1], headline))
        for run in study.runs[teacher]
        if run.result is not None
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
        own = [np.clip(shares[teacher], WORST, BEST) for shares in draws.values() if teacher in shares]
        rows.append(OverallRow(teacher, len(own), _interval(np.mean(own, axis=0), len(own) + 1)))
    most = max((row.environments for row in rows), default=0)
    return sorted(rows, key=lambda row: (2 * row.environments < most, -row.share.mean))
