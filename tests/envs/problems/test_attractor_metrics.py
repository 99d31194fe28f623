"""Systems with known exponents and densities, and measures of attractors."""

import numpy as np
import pytest

from teachgym.envs.problems.teacher_forcing.attractor_metrics import (
    prediction_error,
    spectrum_distance,
    state_divergence,
)
from teachgym.envs.problems.teacher_forcing.chaotic_systems import SYSTEMS, Series, orbit


@pytest.mark.parametrize(("name", "length", "within"), [("logistic", 20_000, 0.01), ("henon", 20_000, 0.01)])
def test_neighbours_drift_apart_by_the_known_exponent(name: str, length: int, within: float) -> None:
    system = SYSTEMS[name]
    states = orbit(system, length, np.random.default_rng(0))
    tangent, total, size = np.ones(system.dimensions), 0.0, 1e-7
    for state in states:
        tangent *= size / np.linalg.norm(tangent)
        after = system.step(state + tangent) - system.step(state)
        total += np.log(np.linalg.norm(after) / size)
        tangent = after
    assert total / length == pytest.approx(system.exponent, abs=within)


def test_the_lorenz_system_drifts_apart_by_0_9_a_time_unit() -> None:
    system = SYSTEMS["lorenz"]
    states = orbit(system, 8000, np.random.default_rng(0))
    tangent, total = np.ones(3), 0.0
    for state in states:
        tangent *= 1e-6 / np.linalg.norm(tangent)
        tangent = system.step(state + tangent) - system.step(state)
        total += np.log(np.linalg.norm(tangent) / 1e-6)
    assert total / 8000 == pytest.approx(system.exponent, rel=0.05)


def test_the_logistic_map_has_the_arcsine_density() -> None:
    states = orbit(SYSTEMS["logistic"], 50_000, np.random.default_rng(1))[:, 0]
    edges = np.linspace(0, 1, 11)
    expected = np.diff(2 / np.pi * np.arcsin(np.sqrt(edges)))
    found = np.histogram(states, edges)[0] / len(states)
    assert found == pytest.approx(expected, abs=0.01)


def test_a_series_is_scaled_and_its_noise_is_as_said() -> None:
    rng = np.random.default_rng(0)
    series = Series("henon", length=20_000, test_length=20_000, noise=0.1, rng=rng)
    assert series.test.std(axis=0) == pytest.approx([1, 1])
    assert series.train.std(axis=0) == pytest.approx([np.sqrt(1.01)] * 2, rel=0.02)


def test_the_divergence_is_zero_for_the_same_states_small_for_others_of_the_system_and_great_for_one_point() -> None:
    rng = np.random.default_rng(0)
    one, other = (orbit(SYSTEMS["henon"], 4000, rng) for _ in range(2))
    assert state_divergence(one, one) == pytest.approx(0, abs=1e-12)
    near, far = state_divergence(other, one), state_divergence(np.zeros_like(one), one)
    assert 0 < near < 1
    assert far > 10
    assert state_divergence(one + np.nan, one) > 10


def test_the_divergence_is_that_of_the_histograms() -> None:
    wanted = np.repeat([[0.0], [1.0]], [30, 10], axis=0)
    found = np.repeat([[0.0], [1.0]], [10, 30], axis=0)
    expected = 0.75 * np.log(3) + 0.25 * np.log(1 / 3)
    assert state_divergence(found, wanted, bins=2) == pytest.approx(expected, abs=1e-5)


def test_the_distance_of_spectra_is_zero_for_the_same_and_grows_with_the_frequency_apart() -> None:
    time = np.arange(2000)[:, None]
    slow, near, far = (np.sin(2 * np.pi * frequency * time) for frequency in (0.05, 0.06, 0.3))
    assert spectrum_distance(slow, slow) == pytest.approx(0, abs=1e-6)
    assert 0.05 < spectrum_distance(near, slow) < spectrum_distance(far, slow) <= 1
    assert spectrum_distance(far + np.inf, slow) == 1


def test_the_prediction_error_is_a_mean_of_squares() -> None:
    assert prediction_error(np.ones((3, 2)), np.zeros((3, 2))) == 1
