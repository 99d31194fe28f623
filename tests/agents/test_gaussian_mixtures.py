import warnings

import numpy as np
import pytest
import sklearn.mixture

from teachgym.agents.progress.gaussian_mixtures import Criterion, Mixture, aicc_penalty, chances, fit_mixture
from teachgym.core.task_space import Parameter, TaskSpace


def three_clusters() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(centre, 0.05, (80, 2)) for centre in (0.0, 1.0, 2.0)])


@pytest.mark.parametrize("criterion", ["aic", "bic", "aicc"])
def test_three_clusters_get_about_three_components(criterion: Criterion) -> None:
    mixture = fit_mixture(three_clusters(), np.random.default_rng(0), least=2, most=6, criterion=criterion)
    assert mixture is not None
    assert len(mixture.means) == 3 if criterion == "bic" else len(mixture.means) >= 3


def test_the_aic_decides_as_scikit_learn_computes_it() -> None:
    vectors = np.random.default_rng(1).random((250, 3))
    mixture = fit_mixture(vectors, np.random.default_rng(5), least=2, most=10, criterion="aic")
    seeds = np.random.default_rng(5).integers(2**32, size=9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = [
            sklearn.mixture.GaussianMixture(k, random_state=int(seed)).fit(vectors)
            for k, seed in zip(range(2, 11), seeds, strict=True)
        ]
    best = min(models, key=lambda model: float(model.aic(vectors)))
    assert mixture is not None
    np.testing.assert_allclose(mixture.means, best.means_)
    np.testing.assert_allclose(mixture.weights, best.weights_)


def test_no_more_components_are_tried_than_there_are_distinct_vectors() -> None:
    vectors = np.repeat([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], 20, axis=0)
    mixture = fit_mixture(vectors, np.random.default_rng(0), least=2, most=10, criterion="aic")
    assert mixture is not None
    assert len(mixture.means) <= 3
    assert fit_mixture(np.ones((50, 2)), np.random.default_rng(0), least=2, most=10, criterion="aic") is None


def test_a_fit_that_fails_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = sklearn.mixture.GaussianMixture.fit

    def sometimes(model: sklearn.mixture.GaussianMixture, vectors: object) -> object:
        if model.n_components != 4:
            raise FloatingPointError("underflow")
        return fit(model, vectors)

    monkeypatch.setattr(sklearn.mixture.GaussianMixture, "fit", sometimes)
    mixture = fit_mixture(three_clusters(), np.random.default_rng(0), least=2, most=6, criterion="aic")
    assert mixture is not None
    assert len(mixture.means) == 4
    assert fit_mixture(three_clusters(), np.random.default_rng(0), least=2, most=3, criterion="aic") is None


def test_the_aicc_penalty_counts_the_parameters_of_full_covariances() -> None:
    # 2 components in 3 dimensions: 2 * (3 means + 6 covariances) + 1 free weight = 19 parameters.
    assert aicc_penalty(250, 2, 3) == 2 * 19 * 20 / (250 - 20)
    assert aicc_penalty(20, 2, 3) == float("inf")


def test_where_the_aicc_is_undefined_the_fewest_components_are_kept() -> None:
    vectors = np.random.default_rng(0).random((15, 2))
    mixture = fit_mixture(vectors, np.random.default_rng(0), least=3, most=5, criterion="aicc")
    assert mixture is not None
    assert len(mixture.means) == 3


def test_chances_are_in_proportion_clamped_at_0_and_equal_if_all_are_0() -> None:
    assert chances(np.array([1.0, 3.0, -5.0])).tolist() == [0.25, 0.75, 0.0]
    assert chances(np.array([0.0, 0.0, -1.0, 0.0])).tolist() == [0.25] * 4
    assert chances(np.array([5e-324, 0.0])).tolist() == [1.0, 0.0]


def test_draws_have_the_mean_and_covariance_of_their_component() -> None:
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    mixture = Mixture(np.array([[0.0, 0.0], [3.0, -1.0]]), np.stack([np.eye(2), covariance]), np.array([0.5, 0.5]))
    rng = np.random.default_rng(0)
    draws = np.array([mixture.draw(1, rng) for _ in range(5000)])
    np.testing.assert_allclose(draws.mean(axis=0), [3, -1], atol=0.06)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.1)


def test_over_tasks_drops_what_is_no_task_and_restores_units() -> None:
    space = TaskSpace([Parameter("height", 1.0, 3.0), Parameter("spacing", 0.0, 6.0)])
    mixture = Mixture(np.array([[0.5, 0.5, 0.1]]), np.eye(3)[None], np.ones(1))
    described = mixture.over_tasks(space, weights=np.ones(1), uniform=0.2, normalised=True)
    assert described.means.tolist() == [[2, 3]]
    assert described.covariances.tolist() == [[[4, 0], [0, 36]]]
    assert (described.weights.tolist(), described.uniform) == ([1], 0.2)
    raw = mixture.over_tasks(space, weights=np.ones(1), uniform=0.2, normalised=False)
    assert raw.means.tolist() == [[0.5, 0.5]]
