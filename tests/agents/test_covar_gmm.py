from dataclasses import replace

import numpy as np
import pytest

from teachgym.agents.progress import mixture_teacher
from teachgym.agents.progress.covar_gmm import CovarGmm, CovarGmmSettings
from teachgym.agents.progress.gaussian_mixtures import Mixture
from teachgym.core.needs import Needs
from teachgym.core.spec import EasyTasks
from teachgym.core.task_space import FloatArray
from teachgym.testing.teacher import check_teacher
from tests.agents.specs import answer, spec, teach

QUICK = CovarGmmSettings(fit_every=20, components_max=3)


def test_fits_are_on_the_last_vectors_of_task_time_and_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[FloatArray] = []
    monkeypatch.setattr(mixture_teacher, "fit_mixture", lambda vectors, rng, **options: seen.append(vectors))
    teacher = CovarGmm(spec(), CovarGmmSettings(fit_every=10), seed=0)
    for i in range(25):
        teacher.update(answer([0.1 * i, 0.2 * i], -150 + 20 * i))
    assert [vectors.shape for vectors in seen] == [(10, 4), (10, 4)]
    np.testing.assert_allclose(seen[1][:, 0], 0.1 * np.arange(10, 20))
    np.testing.assert_allclose(seen[1][:, 2], np.arange(10) / 10)
    np.testing.assert_allclose(seen[1][:, 3], np.arange(10, 20) / 25)


@pytest.mark.parametrize(("absolute", "expected"), [(False, [0.25, 0.75, 0]), (True, [1 / 6, 3 / 6, 2 / 6])])
def test_components_are_chosen_in_proportion_to_the_covariance_of_time_and_outcome(
    absolute: bool, expected: list[float]
) -> None:
    settings = CovarGmmSettings(bootstrap_episodes=0, random_share=0, absolute_progress=absolute)
    teacher = CovarGmm(spec(), settings, seed=0)
    means = np.array([[0.5, 1.0, 0.5, 0.1], [1.5, 3.0, 0.5, 0.2], [2.5, 5.0, 0.5, 0.9]])
    covariances = np.stack([np.diag([1e-3, 1e-3, 0.1, 0.1])] * 3)
    covariances[:, 2, 3] = covariances[:, 3, 2] = 0.01, 0.03, -0.02
    teacher._mixture = Mixture(means, covariances, np.ones(3) / 3)
    tasks = np.array([teacher.act(None) for _ in range(2000)])
    shares = [np.mean(np.linalg.norm(tasks - mean[:2], axis=1) < 0.3) for mean in means]
    np.testing.assert_allclose(shares, expected, atol=0.04)
    sampling = teacher.sampling()
    assert sampling is not None
    np.testing.assert_allclose(sampling.weights, expected)
    assert sampling.covariances.shape == (3, 2, 2)


class Walker:
    """A student that gets better with every visit to tasks below 1, and worse with every visit to tasks above 2."""

    def __init__(self) -> None:
        self.visits = np.zeros(3)

    def __call__(self, task: FloatArray) -> float:
        place = int(min(task[0], 2.999))
        self.visits[place] += 1
        return 100.0 + (1, 0, -1)[place] * min(float(self.visits[place]), 400.0) * 0.6


def places(tasks: list[FloatArray]) -> list[float]:
    return [float(np.mean([int(min(task[0], 2.999)) == place for task in tasks])) for place in range(3)]


@pytest.mark.parametrize("normalise", [False, True])
def test_it_goes_where_outcomes_rise_and_not_where_they_fall(normalise: bool) -> None:
    settings = CovarGmmSettings(fit_every=100, components_max=5, normalise=normalise)
    shares = places(teach(CovarGmm(spec(), settings, seed=0), 500, Walker())[100:])
    assert shares[0] > 0.55
    assert shares[2] < 0.25


def test_absolute_progress_goes_where_outcomes_fall_too() -> None:
    settings = CovarGmmSettings(fit_every=100, components_max=5, absolute_progress=True)
    shares = places(teach(CovarGmm(spec(), settings, seed=0), 500, Walker())[100:])
    assert min(shares[0], shares[2]) > 0.3
    assert shares[1] < 0.3


def test_origins_follow_the_schedule() -> None:
    teacher = CovarGmm(spec(), QUICK, seed=0)
    origins = []
    for _ in range(320):
        teach(teacher, 1, lambda task: float(task[0]))
        origins.append(teacher.origin.split()[0])
    assert set(origins[:20]) == {"bootstrap"}
    assert set(origins[20:]) == {"random", "component"}
    assert 0.13 < origins[20:].count("random") / 300 < 0.27


def test_an_easy_bootstrap_draws_from_the_easy_tasks() -> None:
    settings = replace(QUICK, bootstrap="easy")
    with pytest.raises(ValueError, match="it needs easy tasks"):
        CovarGmm(spec(), settings, seed=0)
    easy = replace(spec(), offers=Needs.EASY_TASKS, easy_tasks=EasyTasks((1.0, 2.0), (0.01, 0.0)))
    tasks = np.array(teach(CovarGmm(easy, settings, seed=0), 20, lambda task: 0))
    np.testing.assert_allclose(tasks, [[1, 2]] * 20, atol=0.05)


def test_it_keeps_the_contract_with_every_option() -> None:
    settings = replace(QUICK, absolute_progress=True, bootstrap="easy", weigh_components=True, normalise=True)
    check_teacher(CovarGmm, settings=settings, episodes=60)


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match=r"components_max is 1; expected .* at least 2"):
        CovarGmmSettings(components_max=1)
