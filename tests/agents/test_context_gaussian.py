from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from teachgym.agents.shaping.context_gaussian import LEAST_STD, MOST_STD, ContextGaussian
from teachgym.core.task_space import FloatArray

DIMENSIONS = pytest.mark.parametrize("n", [1, 2, 5])


def made_up(n: int, seed: int) -> ContextGaussian:
    rng = np.random.default_rng(seed)
    factor = np.tril(rng.normal(size=(n, n)) * 0.3)
    np.fill_diagonal(factor, rng.uniform(0.2, 1.5, n))
    return ContextGaussian(rng.normal(size=n), factor)


def torch_normal(gaussian: ContextGaussian) -> torch.distributions.MultivariateNormal:
    mean, factor = torch.from_numpy(gaussian.mean), torch.from_numpy(gaussian.factor)
    return torch.distributions.MultivariateNormal(mean, scale_tril=factor)


def numeric_gradient(function: Callable[[ContextGaussian], float], at: ContextGaussian) -> FloatArray:
    def of_vector(vector: FloatArray) -> float:
        return function(ContextGaussian.from_vector(vector, at.dimensions))

    return np.asarray(approx_fprime(at.vector(), of_vector, 1e-7))


@DIMENSIONS
def test_vectors_have_a_number_for_each_free_parameter_and_lead_back(n: int) -> None:
    gaussian = made_up(n, 0)
    vector = gaussian.vector()
    assert vector.shape == (2 * n + n * (n - 1) // 2,)
    back = ContextGaussian.from_vector(vector, n)
    np.testing.assert_allclose(back.mean, gaussian.mean)
    np.testing.assert_allclose(back.factor, gaussian.factor)


@DIMENSIONS
def test_log_densities_are_scipys(n: int) -> None:
    gaussian, points = made_up(n, 0), np.random.default_rng(1).normal(size=(7, n))
    expected = np.reshape(multivariate_normal(gaussian.mean, gaussian.covariance).logpdf(points), 7)
    np.testing.assert_allclose(gaussian.log_densities(points), expected)


@DIMENSIONS
def test_the_divergence_is_torchs_and_0_from_itself(n: int) -> None:
    one, other = made_up(n, 0), made_up(n, 1)
    expected = torch.distributions.kl_divergence(torch_normal(one), torch_normal(other))
    assert one.kl(other) == pytest.approx(float(expected))
    assert one.kl(one) == pytest.approx(0, abs=1e-12)


def test_the_divergence_is_the_closed_form_in_one_dimension() -> None:
    one = ContextGaussian.diagonal(np.array([0.3]), np.array([0.1]))
    other = ContextGaussian.diagonal(np.array([0.5]), np.array([0.25]))
    expected = np.log(0.25 / 0.1) + (0.1**2 + 0.2**2) / (2 * 0.25**2) - 0.5
    assert one.kl(other) == pytest.approx(expected)


@DIMENSIONS
def test_gradients_are_those_of_finite_differences(n: int) -> None:
    one, other = made_up(n, 0), made_up(n, 1)
    rng = np.random.default_rng(2)
    points, weights = rng.normal(size=(7, n)), rng.normal(size=7)
    np.testing.assert_allclose(
        one.log_density_gradient(points, weights),
        numeric_gradient(lambda gaussian: float(weights @ gaussian.log_densities(points)), one),
        rtol=1e-4,
        atol=1e-5,
    )
    np.testing.assert_allclose(
        one.kl_gradient(other), numeric_gradient(lambda gaussian: gaussian.kl(other), one), rtol=1e-4, atol=1e-5
    )


@DIMENSIONS
def test_the_fisher_information_is_the_covariance_of_the_score(n: int) -> None:
    gaussian = made_up(n, 0)
    size = len(gaussian.vector())
    fisher = np.array([gaussian.fisher_product(unit) for unit in np.eye(size)])
    np.testing.assert_allclose(fisher, fisher.T, atol=1e-9)
    points = gaussian.draw(np.random.default_rng(3), 20_000)
    scores = np.array([gaussian.log_density_gradient(point[None], np.ones(1)) for point in points])
    np.testing.assert_allclose(scores.T @ scores / len(points), fisher, atol=0.1 * np.max(np.diag(fisher)))


@DIMENSIONS
def test_the_fisher_information_is_the_curvature_of_the_divergence_both_ways(n: int) -> None:
    gaussian = made_up(n, 0)
    change = np.random.default_rng(4).normal(size=len(gaussian.vector()))
    expected = 0.5 * change @ gaussian.fisher_product(change)
    near = ContextGaussian.from_vector(gaussian.vector() + 1e-4 * change, n)
    assert gaussian.kl(near) / 1e-8 == pytest.approx(expected, rel=5e-3)
    assert near.kl(gaussian) / 1e-8 == pytest.approx(expected, rel=5e-3)


@DIMENSIONS
def test_draws_have_its_mean_and_covariance(n: int) -> None:
    gaussian = made_up(n, 0)
    draws = gaussian.draw(np.random.default_rng(0), 50_000)
    np.testing.assert_allclose(draws.mean(axis=0), gaussian.mean, atol=0.03)
    np.testing.assert_allclose(np.cov(draws.T).reshape(n, n), gaussian.covariance, atol=0.05)


@DIMENSIONS
def test_other_coordinates_leave_divergences_alone_and_lead_back(n: int) -> None:
    base, one, other = made_up(n, 0), made_up(n, 1), made_up(n, 2)
    seen = base.seen_from(base)
    np.testing.assert_allclose(seen.mean, np.zeros(n), atol=1e-12)
    np.testing.assert_allclose(seen.factor, np.eye(n), atol=1e-12)
    assert one.seen_from(base).kl(other.seen_from(base)) == pytest.approx(one.kl(other))
    back = one.seen_from(base).placed_in(base)
    np.testing.assert_allclose(back.mean, one.mean)
    np.testing.assert_allclose(back.factor, one.factor, atol=1e-12)
    points = base.draw(np.random.default_rng(0), 5)
    np.testing.assert_allclose(base.mean + base.standardise(points) @ base.factor.T, points)


def test_bounds_hold_centre_and_widths() -> None:
    wild = ContextGaussian(np.array([-3.0, 0.5, 9.0]), np.array([[1e-9, 0, 0], [0.1, 0.2, 0], [0, 900.0, 1.0]]))
    tame = wild.bounded()
    assert tame.mean.tolist() == [0, 0.5, 1]
    assert tame.factor[0, 0] == LEAST_STD
    assert tame.factor[1].tolist() == [0.1, 0.2, 0]
    assert np.sqrt(tame.covariance[2, 2]) == pytest.approx(MOST_STD)
    inside = made_up(2, 5)
    inside = ContextGaussian(np.full(2, 0.5), inside.factor)
    assert inside.bounded().factor.tolist() == inside.factor.tolist()
