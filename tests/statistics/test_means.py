import numpy as np
import pytest
from scipy import stats

from teachgym.statistics import Interval, holm, mean_interval, welch


def test_interval_of_three_values_by_hand() -> None:
    # mean 2, standard deviation 1; with 2 degrees of freedom the p quantile of Student's t has the closed form
    # (2p - 1) sqrt(2 / (4p (1 - p))), which is 4.303 for p = 0.975
    half = 0.95 * np.sqrt(2.0 / (4.0 * 0.975 * 0.025)) / np.sqrt(3.0)
    interval = mean_interval([1.0, 2.0, 3.0])
    assert (interval.mean, interval.count) == (2.0, 3)
    assert interval.low == pytest.approx(2.0 - half, rel=1e-9)
    assert interval.high == pytest.approx(2.0 + half, rel=1e-9)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_interval_equals_that_of_scipy(confidence: float) -> None:
    values = np.random.default_rng(0).normal(50.0, 20.0, size=7)
    low, high = stats.t.interval(confidence, df=6, loc=values.mean(), scale=stats.sem(values))
    interval = mean_interval(values, confidence)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9)


def test_nominal_share_of_intervals_over_three_seeds_hold_the_true_mean() -> None:
    rng = np.random.default_rng(1)
    intervals = [mean_interval(rng.normal(5.0, 3.0, size=3)) for _ in range(4_000)]
    held = np.mean([interval.low <= 5.0 <= interval.high for interval in intervals])
    assert held == pytest.approx(0.95, abs=0.012)


def test_one_value_has_no_interval() -> None:
    interval = mean_interval([3.5])
    assert (interval.mean, interval.count) == (3.5, 1)
    assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3])
def test_equal_values_have_an_interval_of_no_width(value: float) -> None:
    assert mean_interval([value] * 3) == Interval(value, value, value, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [([], "no values"), ([1.0, np.nan], "finite"), ([np.inf], "finite"), (np.ones((2, 2)), "shape")],
)
def test_values_that_have_no_mean_are_refused(values: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mean_interval(values)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, np.nan])
def test_confidence_lies_strictly_between_0_and_1(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        mean_interval([1.0, 2.0], confidence)


def test_welch_by_hand_where_t_has_two_degrees_of_freedom() -> None:
    # two values on each side and equal variances: t = -2 / sqrt(1/2 + 1/2), 2 degrees of freedom, for which
    # the two-sided p value has the closed form 1 - |t| / sqrt(2 + t^2)
    assert welch([0.0, np.sqrt(2.0)], [2.0, 2.0 + np.sqrt(2.0)]) == pytest.approx(1 - 2 / np.sqrt(6), rel=1e-9)


def test_welch_against_a_side_without_variance_is_a_test_of_one_sample() -> None:
    values = [1.0, 2.0, 4.0]
    assert welch(values, [5.0, 5.0]) == pytest.approx(stats.ttest_1samp(values, 5.0).pvalue, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_welch_equals_that_of_scipy_and_is_symmetric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.0, 1.0, size=3 + seed), rng.normal(seed, 4.0, size=8)
    assert welch(a, b) == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-10)
    assert welch(a, b) == pytest.approx(welch(b, a), rel=1e-12)


@pytest.mark.parametrize(
    ("a", "b"), [([], []), ([1.0], [2.0, 3.0]), ([1.0, 1.0], [1.0, 1.0]), ([0.1, 0.1, 0.1], [0.2, 0.2, 0.2])]
)
def test_welch_is_nan_where_undefined(a: list[float], b: list[float]) -> None:
    assert np.isnan(welch(a, b))
    assert np.isnan(welch(b, a))


def test_welch_refuses_values_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        welch([1.0, np.nan], [1.0, 2.0])


def test_holm_by_hand() -> None:
    # ascending 0.01, 0.02, 0.03, 0.5 times 4, 3, 2, 1, never below an earlier one
    np.testing.assert_allclose(holm([0.03, 0.01, 0.5, 0.02]), [0.06, 0.04, 0.5, 0.06], rtol=1e-12)


def test_holm_never_exceeds_1_and_keeps_order() -> None:
    p = np.random.default_rng(0).uniform(size=20)
    adjusted = holm(p)
    assert np.all((adjusted >= p) & (adjusted <= 1.0))
    assert np.all(np.diff(adjusted[np.argsort(p)]) >= 0)


def test_holm_leaves_an_undefined_test_out_of_the_count() -> None:
    np.testing.assert_allclose(holm([np.nan, 0.02, 0.04]), [np.nan, 0.04, 0.04], rtol=1e-12)
    assert np.isnan(holm([np.nan])).all()
    assert holm([]).shape == (0,)


def test_holm_leaves_what_it_was_given_as_it_was() -> None:
    p = np.array([0.04, 0.01])
    holm(p)
    assert p.tolist() == [0.04, 0.01]


@pytest.mark.parametrize("p_values", [[-0.1], [1.1], [0.5, np.inf]])
def test_holm_refuses_what_is_no_p_value(p_values: list[float]) -> None:
    with pytest.raises(ValueError, match="p values"):
        holm(p_values)
