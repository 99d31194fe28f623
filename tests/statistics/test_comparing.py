"""Aggregates, tests and curves against independent implementations: SciPy, scikit-learn, brute force, closed forms."""

import itertools
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from scipy import stats

from teachgym.statistics import (
    bootstrap,
    interquartile_mean,
    mean_difference,
    mean_interval,
    performance_profile,
    probability_of_improvement,
    stratified_welch,
    welch,
)
from teachgym.statistics.bootstrap import mean, median
from teachgym.statistics.curves import area_under_curve, forgetting, steps_to_threshold, worst_case
from teachgym.statistics.power import smallest_difference
from teachgym.study.results.cautions import BOOTSTRAP_COVERAGE


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("count", range(1, 14))
def test_the_interquartile_mean_is_scipys_trimmed_mean(count: int) -> None:
    values = rng(count).normal(size=(3, count))
    np.testing.assert_allclose(interquartile_mean(values), stats.trim_mean(values, 0.25, axis=1), rtol=1e-12)


@pytest.mark.parametrize(("statistic", "theirs"), [(mean, np.mean), (median, np.median)])
def test_one_stratum_has_scipys_percentile_interval(statistic: Any, theirs: Any) -> None:
    values = rng(1).gamma(2.0, size=12)
    found = bootstrap([values], statistic, rng(), samples=40_000)
    expected = stats.bootstrap((values,), theirs, n_resamples=40_000, method="percentile", rng=rng(5))
    assert found.mean == theirs(values)
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=0.02)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=0.02)
    assert found.count == 12


def test_strata_are_redrawn_apart() -> None:
    """All the spread is between studies: redrawing within each leaves the mean where it is."""
    found = bootstrap([[1.0, 1.0, 1.0], [9.0, 9.0, 9.0]], mean, rng())
    assert (found.mean, found.low, found.high, found.count) == (5.0, 5.0, 5.0, 6)
    pooled = bootstrap([[1.0, 1.0, 1.0, 9.0, 9.0, 9.0]], mean, rng())
    assert pooled.low < 3.0 < 7.0 < pooled.high


def test_the_bootstrap_enumerated_by_hand() -> None:
    """Of two values there are four redraws: 0, 1/2, 1/2 and 1."""
    found = bootstrap([[0.0, 1.0]], mean, rng(), samples=20_000, confidence=0.4)
    assert (found.low, found.high) == (0.5, 0.5)
    assert (bootstrap([[0.0, 1.0]], mean, rng(), confidence=0.6).low) == 0.0


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [rng(3).normal(size=7)]
    assert bootstrap(values, mean, rng(4)) == bootstrap(values, mean, rng(4))


def test_one_run_has_no_interval() -> None:
    found = bootstrap([[3.0]], mean, rng())
    assert found.mean == 3.0
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize("count", sorted(BOOTSTRAP_COVERAGE))
def test_the_coverage_that_the_cautions_state(count: int) -> None:
    draw, trials = rng(7), 1500
    hits = 0
    for _ in range(trials):
        found = bootstrap([draw.normal(size=count)], mean, draw, samples=400)
        hits += found.low <= 0.0 <= found.high
    assert 100 * hits / trials == pytest.approx(BOOTSTRAP_COVERAGE[count], abs=3.5)


def test_student_t_intervals_keep_their_coverage() -> None:
    draw, trials = rng(8), 4000
    hits = sum(found.low <= 0.0 <= found.high for found in (mean_interval(draw.normal(size=5)) for _ in range(trials)))
    assert 100 * hits / trials == pytest.approx(95.0, abs=1.5)


def test_the_probability_of_improvement_is_mann_and_whitneys_u() -> None:
    draw = rng(2)
    for _ in range(20):
        a, b = draw.integers(0, 6, size=7).astype(float), draw.integers(0, 6, size=5).astype(float)
        expected = stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))
        assert probability_of_improvement([a], [b], draw, samples=10).mean == pytest.approx(expected)


def test_the_probability_of_improvement_over_studies_is_their_mean() -> None:
    found = probability_of_improvement([[1.0, 2.0], [5.0]], [[0.0], [7.0, 4.0]], rng())
    assert found.mean == pytest.approx((1.0 + 0.5) / 2)
    assert found.count == 3


def test_the_interval_of_the_probability_of_improvement_by_enumeration() -> None:
    a, b = [0.0, 2.0], [1.0, 3.0]
    every = [
        np.mean([[(x > y) + 0.5 * (x == y) for y in right] for x in left])
        for left in itertools.product(a, repeat=2)
        for right in itertools.product(b, repeat=2)
    ]
    found = probability_of_improvement([a], [b], rng(), samples=50_000, confidence=0.6)
    low, high = np.quantile(every, [0.2, 0.8])
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)


def test_welch_over_one_study_is_scipys() -> None:
    draw = rng(5)
    for _ in range(20):
        a, b = draw.normal(0, 1, size=5), draw.normal(0.5, 3, size=9)
        assert welch(a, b) == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-9)


def test_the_interval_of_a_difference_is_scipys() -> None:
    draw = rng(5)
    for _ in range(20):
        a, b = draw.normal(0, 1, size=5), draw.normal(0.5, 3, size=9)
        expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
        found = mean_difference([a], [b])
        assert found.mean == pytest.approx(a.mean() - b.mean())
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
        assert found.count == 5


def test_the_interval_of_a_difference_over_studies_agrees_with_the_test() -> None:
    draw = rng(6)
    for shift in np.linspace(0.0, 3.0, 40):
        b = [draw.normal(0, scale, size=6) for scale in (1.0, 2.0)]
        a = [draw.normal(shift, scale, size=4) for scale in (1.0, 2.0)]
        found = mean_difference(a, b)
        assert found.mean == pytest.approx(np.mean([a[0].mean() - b[0].mean(), a[1].mean() - b[1].mean()]))
        assert (found.low <= 0.0 <= found.high) == (stratified_welch(a, b) >= 0.05)


@pytest.mark.parametrize("sides", [([2.0], [1.0, 3.0]), ([2.0, 2.0], [1.0, 1.0])])
def test_a_difference_without_a_test_has_no_interval(sides: tuple[list[float], list[float]]) -> None:
    found = mean_difference([sides[0]], [sides[1]])
    assert found.mean == np.mean(sides[0]) - np.mean(sides[1])
    assert np.isnan([found.low, found.high]).all()


def test_the_test_over_several_studies_keeps_its_level_and_gains_power() -> None:
    draw, trials = rng(9), 2000
    wrong = found = found_alone = 0
    for _ in range(trials):
        a, b = ([draw.normal(0, scale, size=6) for scale in (1.0, 2.0)] for _ in range(2))
        wrong += stratified_welch(a, b) < 0.05
        better = [a[0] + 1.5, a[1] + 1.5]
        found += stratified_welch(better, b) < 0.05
        found_alone += welch(better[1], b[1]) < 0.05
    assert wrong / trials == pytest.approx(0.05, abs=0.015)
    assert found > 1.5 * found_alone


def test_a_profile_is_the_empirical_share_above() -> None:
    draw = rng(6)
    values = [draw.normal(size=8), draw.normal(1.0, size=4)]
    scores = np.linspace(-2, 3, 11)
    found = performance_profile(values, scores, draw)
    expected = 1.0 - stats.ecdf(np.concatenate(values)).cdf.evaluate(scores)
    np.testing.assert_allclose(found.share, expected)
    assert np.all(found.low <= found.share + 1e-12)
    assert np.all(found.share <= found.high + 1e-12)
    assert found.count == 12


def test_the_area_is_sklearns_where_tests_cover_the_budget() -> None:
    steps, values = np.array([0.0, 3.0, 4.0, 10.0]), np.array([0.0, 2.0, 5.0, 6.0])
    assert area_under_curve(steps, values, 10.0) == pytest.approx(sklearn.metrics.auc(steps, values) / 10.0)


def test_the_area_of_simple_curves() -> None:
    assert area_under_curve([5.0], [7.0], 10.0) == pytest.approx(7.0)
    assert area_under_curve([5.0, 10.0], [0.0, 1.0], 10.0) == pytest.approx(0.25)
    assert area_under_curve([5.0, 12.0], [1.0, 1.0], 10.0) == pytest.approx(1.0)


def test_steps_to_a_threshold() -> None:
    assert steps_to_threshold([1, 2, 3], [0.0, 5.0, 4.0], 4.5) == 2.0
    assert steps_to_threshold([1, 2, 3], [0.0, 5.0, 4.0], 5.0) == 2.0
    assert steps_to_threshold([1, 2, 3], [0.0, 5.0, 4.0], 6.0) == np.inf
    with pytest.raises(ValueError, match="ascending"):
        steps_to_threshold([2, 1], [0.0, 1.0], 0.5)


def test_forgetting_is_best_minus_last() -> None:
    assert forgetting([1.0, 4.0, 3.0]) == 1.0
    assert forgetting([1.0, 2.0]) == 0.0


def test_the_worst_case_is_the_mean_of_the_lowest() -> None:
    outcomes = np.arange(50.0)[::-1]
    assert worst_case(outcomes, 0.2) == np.arange(10.0).mean()
    assert worst_case(outcomes, 1.0) == outcomes.mean()
    assert worst_case([3.0, 1.0, 2.0], 0.1) == 1.0
    with pytest.raises(ValueError, match="share is 0"):
        worst_case(outcomes, 0.0)


@pytest.mark.parametrize("seeds", [2, 3, 5, 20])
def test_the_smallest_difference_is_found_four_times_in_five(seeds: int) -> None:
    draw, trials = rng(10), 3000
    difference = smallest_difference(seeds, 2.0)
    found = sum(
        stats.ttest_ind(draw.normal(difference, 2.0, size=seeds), draw.normal(0.0, 2.0, size=seeds)).pvalue < 0.05
        for _ in range(trials)
    )
    assert found / trials == pytest.approx(0.8, abs=0.03)


def test_what_is_not_allowed_is_named() -> None:
    with pytest.raises(ValueError, match="no values in a stratum"):
        bootstrap([[1.0], []], mean, rng())
    with pytest.raises(ValueError, match="finite"):
        bootstrap([[1.0, np.nan]], mean, rng())
    with pytest.raises(ValueError, match="confidence is 95"):
        bootstrap([[1.0]], mean, rng(), confidence=95)
    with pytest.raises(ValueError, match="no values in a stratum"):
        probability_of_improvement([[1.0]], [[]], rng())
    with pytest.raises(ValueError, match="seeds is 1"):
        smallest_difference(1, 1.0)
