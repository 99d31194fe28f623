"""What one or several studies found of their teachers: every number with its interval and its count of seeds."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from teachgym.core.evaluation import Evaluation
from teachgym.core.record import EVALUATIONS
from teachgym.core.task_space import FloatArray
from teachgym.statistics import (
    Interval,
    Profile,
    bootstrap,
    holm,
    interquartile_mean,
    mean_difference,
    mean_interval,
    performance_profile,
    probability_of_improvement,
    stratified_welch,
)
from teachgym.statistics.bootstrap import mean, median
from teachgym.statistics.curves import WORST_SHARE, area_under_curve, forgetting, steps_to_threshold, worst_case
from teachgym.study.results.cautions import ENOUGH_FOR_BOOTSTRAP, cautions
from teachgym.study.results.measures import Measures
from teachgym.study.results.stored import CELLS, Run, StoredStudy

LEVEL = 0.05
"""P values below it, after Holm's correction, are called significant."""
PROFILE_SCORES = 101
_UNKNOWN = Interval(math.nan, math.nan, math.nan, 0)


@dataclass(frozen=True)
class Reached:
    """Student steps at which runs first reached the threshold, at a test."""

    threshold: float
    """Half of the best teacher's mean score; NaN where that is not above 0 when it is shown."""
    median: float
    """Over all runs; one that never reached it counts as infinity, and so may the median be."""
    reached: int
    """Runs that reached it."""
    count: int
    """All finished runs."""


@dataclass(frozen=True)
class Row:
    """What a teacher's finished cells gave."""

    teacher: str
    seeds: int
    """Finished cells, over all studies."""
    iqm: Interval
    """Interquartile mean of the final scores, with a stratified bootstrap interval."""
    mean: Interval
    """Mean of the final scores, with a stratified bootstrap interval."""
    median: Interval
    """Median of the final scores, with a stratified bootstrap interval."""
    mastered: Interval
    """Percent of the test tasks mastered at the end, with a Student-t interval."""
    mean_return: Interval
    """Mean outcome over the test tasks at the end, with a Student-t interval."""
    area: Interval
    """Mean height of the learning curve over the whole budget, with a Student-t interval."""
    worst_case: Interval
    """Mean outcome on the worst fifth of the test tasks at the end, with a Student-t interval."""
    forgetting: Interval
    """Best score of the learning curve minus the final one, with a Student-t interval."""
    reached: Reached
    """Student steps to the threshold."""
    difference: Interval
    """Mean score minus that of the reference, in the studies that have both, with Welch's 95 % interval; NaN for the
    reference itself."""
    p_value: float
    """Welch's test of the score against the reference; NaN for the reference itself, and where undefined."""
    p_corrected: float
    """The same, corrected by Holm over all teachers."""
    steps_per_second: float
    """Student steps per second and cell, without the tests."""
    world_share: float
    """Share of the time, without the tests, spent in the student's worlds."""
    teacher_share: float
    """Share of the time, without the tests, spent in the teacher."""


@dataclass(frozen=True)
class Pair:
    """Two teachers."""

    first: str
    second: str
    improvement: Interval
    """Probability that a run of the first has a better score than one of the second."""
    p_corrected: float
    """Welch's test of their scores, corrected by Holm over all pairs; NaN where undefined."""


@dataclass(frozen=True)
class Comparison:
    """Teachers, over one study or several."""

    studies: tuple[str, ...]
    """Their titles; runs of the same title are one stratum."""
    score_name: str
    """What the score is: the number that teachers are compared by. Over several studies, a share from 0 to 1."""
    outcome_name: str
    """What an outcome is called."""
    decimals: int
    """How many decimals of an outcome are worth showing."""
    score_decimals: int
    """How many decimals of a score are."""
    masters: bool
    """Whether percents of mastered tasks mean anything."""
    reference: str
    """The teacher that the others are tested against."""
    rows: tuple[Row, ...]
    """One a teacher with a finished cell, in the order of the studies."""
    pairs: tuple[Pair, ...]
    """Every two of them."""
    scores: dict[str, tuple[float, ...]]
    """By teacher: the final score of each of its runs."""
    profiles: dict[str, Profile]
    """By teacher: the share of its runs above each score."""
    best: str
    """The teacher with the best mean score."""
    leaders: tuple[str, ...]
    """The best, and those not significantly worse than it, by falling mean score. Empty where that is everyone, as
    nothing is found then."""
    cautions: tuple[str, ...]
    """What a reader should know before believing any of it."""

    @property
    def ranked(self) -> tuple[Row, ...]:
        """The rows by falling mean score."""
        return tuple(sorted(self.rows, key=lambda row: -row.mean.mean))

    @property
    def few_seeds(self) -> bool:
        """Whether bootstrap intervals are too narrow, as a teacher has too few seeds for them."""
        return any(row.seeds < ENOUGH_FOR_BOOTSTRAP for row in self.rows)

    @property
    def leading(self) -> str:
        """What the leaders are, in words, with the test that is meant."""
        return (
            f"{self.best}, which has the best mean, and those not significantly worse than it by Welch's tests, "
            "corrected by Holm over all pairs"
        )


@dataclass(frozen=True)
class Stratum:
    """Finished runs under the same settings."""

    title: str
    measures: Measures
    runs: dict[str, list[Run]]
    """By teacher."""


def compare_studies(
    studies: Sequence[StoredStudy], *, reference: str | None = None, samples: int = 2000
) -> Comparison | None:
    """Compare the teachers of one or several studies by their finished cells.

    The unit is a run: a student of a teacher. A study, which is an environment, a student and a budget, is a stratum;
    studies of the same title are one, with the seeds of all. Over several strata, teachers are compared by scores from
    0 to 1: the share of mastered tasks, or the mean outcome scaled by its range.

    Args:
        studies: From 1 up.
        reference: The teacher that the others are tested against; None takes the first.
        samples: Of the bootstrap.

    Returns:
        The comparison; None if no cell is finished.

    Raises:
        ValueError: If there is no such reference, or two studies hold the same seed of the same teacher.
    """
    strata = merge(studies)
    names = list(dict.fromkeys(name for stratum in strata for name, runs in stratum.runs.items() if runs))
    if not names:
        return None
    if reference is not None and reference not in names:
        raise ValueError(f"reference is {reference!r}; expected a teacher with a finished cell: {', '.join(names)}")
    return _Comparing(strata, names, reference or names[0], samples).compare(studies)


def merge(studies: Sequence[StoredStudy]) -> list[Stratum]:
    """Put finished runs under the same settings together.

    Where no student, finished or not, mastered a test task, the measures are ``without_mastery``.

    Raises:
        ValueError: If two studies hold the same seed of the same teacher under the same settings, or a run's last test
            has a return that is not finite.
    """
    strata: dict[str, Stratum] = {}
    mastering = {study.title for study in studies if any(test.mastered > 0 for test in _tests(study))}
    for study in studies:
        measures = study.measures if study.title in mastering else study.measures.without_mastery()
        stratum = strata.setdefault(study.title, Stratum(study.title, measures, {}))
        for teacher, runs in study.runs.items():
            there = stratum.runs.setdefault(teacher, [])
            for run in runs:
                if run.result is None:
                    continue
                test = run.record.evaluations[-1]
                if not np.isfinite(test.returns).all():
                    path = study.folder / CELLS / run.cell.folder_name / EVALUATIONS
                    raise ValueError(
                        f"{path}: the last test of {teacher} with seed {run.cell.seed} has a return that is not "
                        "finite; leave the cell out, or run it again"
                    )
                if any(other.cell.seed == run.cell.seed for other in there):
                    raise ValueError(
                        f"{study.folder} holds {teacher} with seed {run.cell.seed} of {study.title!r}, and so does "
                        "another study that was given; leave one of them out"
                    )
                there.append(run)
    return list(strata.values())


def _tests(study: StoredStudy) -> Iterator[Evaluation]:
    return (test for runs in study.runs.values() for run in runs for test in run.record.evaluations)


class _Comparing:
    """One comparison in the making."""

    def __init__(self, strata: list[Stratum], names: list[str], reference: str, samples: int) -> None:
        self._strata, self._names, self._reference, self._samples = strata, names, reference, samples
        self._several = len(strata) > 1
        self._scores = {name: [self._of(stratum, name, _final) for stratum in strata] for name in names}
        self._means = {name: float(np.mean(self._together(name))) for name in names}
        self._best = max(names, key=self._means.__getitem__)
        measures = strata[0].measures
        self._decimals = 3 if self._several else 1 if measures.scored_by == "mastered" else measures.decimals
        half = self._means[self._best] / 2
        self._threshold = half if round(half, self._decimals) > 0 else math.nan

    def compare(self, studies: Sequence[StoredStudy]) -> Comparison:
        pairs = self._pairs()
        against = dict(zip(self._names, self._against_reference(), strict=True))
        corrected = dict(zip(self._names, holm(list(against.values())).tolist(), strict=True))
        rows = tuple(self._row(name, against[name], corrected[name]) for name in self._names)
        leaders = self._leaders(pairs)
        measures = self._strata[0].measures
        return Comparison(
            studies=tuple(stratum.title for stratum in self._strata),
            score_name="score, from 0 to 1" if self._several else measures.score_name,
            outcome_name="outcome, from 0 to 1" if self._several else measures.outcome_name,
            decimals=3 if self._several else measures.decimals,
            score_decimals=self._decimals,
            masters=all(stratum.measures.masters for stratum in self._strata),
            reference=self._reference,
            rows=rows,
            pairs=pairs,
            scores={name: tuple(self._together(name).tolist()) for name in self._names},
            profiles=self._profiles(),
            best=self._best,
            leaders=leaders if len(leaders) < len(self._names) else (),
            cautions=self._cautions(studies, rows),
        )

    def _of(self, stratum: Stratum, name: str, number: Callable[[Run, Measures], float]) -> list[float]:
        """One number a run of the stratum, scaled where there are several strata."""
        return [self._scaled(number(run, stratum.measures), stratum.measures) for run in stratum.runs.get(name, [])]

    def _scaled(self, score: float, measures: Measures) -> float:
        if not self._several:
            return score
        if measures.scored_by == "mastered":
            return score / 100.0
        return self._scaled_outcome(score, measures)

    def _scaled_outcome(self, outcome: float, measures: Measures) -> float:
        if not self._several:
            return outcome
        worst, best = measures.outcome_range
        return (outcome - worst) / (best - worst)

    def _together(self, name: str) -> FloatArray:
        return np.array([score for scores in self._scores[name] for score in scores])

    def _shared(self, first: str, second: str) -> tuple[list[list[float]], list[list[float]]]:
        """The scores of two teachers in the strata that have both."""
        both = [(a, b) for a, b in zip(self._scores[first], self._scores[second], strict=True) if a and b]
        return [a for a, _ in both], [b for _, b in both]

    def _pairs(self) -> tuple[Pair, ...]:
        found, p_values = [], []
        for number, (first, second) in enumerate(combinations(self._names, 2)):
            a, b = self._shared(first, second)
            rng = np.random.default_rng([0, 1, number])
            found.append(probability_of_improvement(a, b, rng, samples=self._samples) if a else _UNKNOWN)
            p_values.append(stratified_welch(a, b) if a else math.nan)
        corrected = holm(p_values).tolist() if p_values else []
        return tuple(
            Pair(first, second, improvement, p)
            for (first, second), improvement, p in zip(combinations(self._names, 2), found, corrected, strict=True)
        )

    def _against_reference(self) -> Iterator[float]:
        for name in self._names:
            a, b = self._shared(name, self._reference)
            yield stratified_welch(a, b) if name != self._reference and a else math.nan

    def _difference(self, name: str) -> Interval:
        a, b = self._shared(name, self._reference)
        return mean_difference(a, b) if name != self._reference and a else _UNKNOWN

    def _steps_to_threshold(self, run: Run, measures: Measures) -> float:
        if math.isnan(self._threshold):
            return math.inf
        return steps_to_threshold(*self._curve(run, measures), self._threshold)

    def _row(self, name: str, p_value: float, p_corrected: float) -> Row:
        strata = [scores for scores in self._scores[name] if scores]
        runs = [(run, stratum.measures) for stratum in self._strata for run in stratum.runs.get(name, [])]
        results = [run.result for run, _ in runs if run.result is not None]
        busy = max(sum(result.total_seconds - result.evaluation_seconds for result in results), 1e-9)
        aggregates = [
            bootstrap(strata, statistic, np.random.default_rng([0, 0]), samples=self._samples)
            for statistic in (interquartile_mean, mean, median)
        ]
        tests = [(run.record.evaluations[-1], measures) for run, measures in runs]
        worst = [self._scaled_outcome(worst_case(test.returns, WORST_SHARE), m) for test, m in tests]
        times = [self._steps_to_threshold(run, measures) for run, measures in runs]
        return Row(
            teacher=name,
            seeds=len(runs),
            iqm=aggregates[0],
            mean=aggregates[1],
            median=aggregates[2],
            mastered=mean_interval([test.mastered for test, _ in tests]),
            mean_return=mean_interval([self._scaled_outcome(test.mean_return, m) for test, m in tests]),
            area=mean_interval([area_under_curve(*self._curve(run, m), budget=_budget(run)) for run, m in runs]),
            worst_case=mean_interval(worst),
            forgetting=mean_interval([forgetting(self._curve(run, measures)[1]) for run, measures in runs]),
            reached=Reached(self._threshold, float(np.median(times)), int(np.isfinite(times).sum()), len(times)),
            difference=self._difference(name),
            p_value=p_value,
            p_corrected=p_corrected,
            steps_per_second=sum(result.spent for result in results) / busy,
            world_share=sum(result.world_seconds for result in results) / busy,
            teacher_share=sum(result.teacher_seconds for result in results) / busy,
        )

    def _curve(self, run: Run, measures: Measures) -> tuple[FloatArray, FloatArray]:
        tests = run.record.evaluations
        steps = np.array([test.spent for test in tests], dtype=np.float64)
        return steps, np.array([self._scaled(measures.score(test), measures) for test in tests])

    def _profiles(self) -> dict[str, Profile]:
        every = np.concatenate([self._together(name) for name in self._names])
        step = np.ptp(every) / PROFILE_SCORES
        scores = np.linspace(every.min() - step, every.max(), PROFILE_SCORES)  # all runs are above the first
        return {
            name: performance_profile(
                [found for found in self._scores[name] if found],
                scores,
                np.random.default_rng([0, 2]),
                samples=self._samples,
            )
            for name in self._names
        }

    def _leaders(self, pairs: Sequence[Pair]) -> tuple[str, ...]:
        leaders = [name for name in self._names if name == self._best or not p_between(pairs, name, self._best) < LEVEL]
        return tuple(sorted(leaders, key=lambda name: -self._means[name]))

    def _cautions(self, studies: Sequence[StoredStudy], rows: Sequence[Row]) -> tuple[str, ...]:
        found = [scores for name in self._names for scores in self._scores[name] if len(scores) > 1]
        spread = float(np.sqrt(np.mean([np.var(scores, ddof=1) for scores in found]))) if found else math.nan
        measures = self._strata[0].measures
        meant = {study.title: study.measures.scored_by for study in studies}
        return cautions(
            {row.teacher: row.seeds for row in rows},
            [missing for study in studies for missing in study.missing],
            spread=math.nan if self._several else spread,
            score_name=measures.score_name,
            decimals=self._decimals,
            unmastered=[one.title for one in self._strata if one.measures.scored_by != meant[one.title]],
            versions=list(dict.fromkeys(version for study in studies for version in study.versions)),
        )


def p_between(pairs: Sequence[Pair], first: str, second: str) -> float:
    """The corrected p value of two teachers, whichever comes first in the pair."""
    return next(pair.p_corrected for pair in pairs if {pair.first, pair.second} == {first, second})


def _final(run: Run, measures: Measures) -> float:
    return measures.score(run.record.evaluations[-1])


def _budget(run: Run) -> float:
    assert run.result is not None
    return float(max(run.result.spent, 1))
