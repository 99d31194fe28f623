from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.progress import mixture_teacher
from teachgym.agents.progress.alp_gmm import AlpGmm, AlpGmmSettings
from teachgym.agents.progress.gaussian_mixtures import Mixture
from teachgym.core.needs import Needs
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.testing.teacher import check_teacher
from tests.agents.specs import answer, spec, teach

QUICK = AlpGmmSettings(fit_every=50, components_max=4)


class Corner:
    """A student that learns in one corner of the walker's space only: there its outcome rises and falls."""

    def __init__(self) -> None:
        self.visits = 0

    def __call__(self, task: FloatArray) -> float:
        if task[0] > 1 or task[1] > 2:
            return -150
        self.visits += 1
        return 350 if self.visits % 4 < 2 else -150


def in_corner(tasks: list[FloatArray]) -> float:
    return float(np.mean([task[0] <= 1 and task[1] <= 2 for task in tasks]))


@pytest.mark.parametrize("normalise", [False, True])
def test_where_one_corner_teaches_it_goes_there_more_often_than_uniform(normalise: bool) -> None:
    settings = AlpGmmSettings(fit_every=100, components_max=5, normalise=normalise)
    tasks = teach(AlpGmm(spec(), settings, seed=0), 1000, Corner())
    assert in_corner(tasks[:100]) < 0.2  # a ninth is uniform
    assert in_corner(tasks[500:]) > 0.5


def test_origins_follow_the_schedule() -> None:
    teacher = AlpGmm(spec(), QUICK, seed=0)
    origins = []
    for _ in range(550):
        teach(teacher, 1, Corner())
        origins.append(teacher.origin)
    assert set(origins[:50]) == {"bootstrap"}
    assert {origin.split()[0] for origin in origins[50:]} == {"random", "component"}
    assert 0.13 < np.mean([origin == "random" for origin in origins[50:]]) < 0.27


def test_the_bootstrap_may_end_before_or_after_the_first_fit() -> None:
    for bootstrap, expected in [(20, ["bootstrap"] * 20 + ["random"] * 30), (70, ["bootstrap"] * 70)]:
        teacher = AlpGmm(spec(), AlpGmmSettings(50, bootstrap, random_share=0, components_max=3), seed=0)
        origins = []
        for _ in range(80):
            teach(teacher, 1, Corner())
            origins.append(teacher.origin)
        assert origins[: len(expected)] == expected
        assert all(origin.startswith("component") for origin in origins[len(expected) :])


def test_the_bootstrap_counts_answers_not_actions() -> None:
    teacher = AlpGmm(spec(), QUICK, seed=0)
    teach(teacher, 49, lambda task: 0)
    for _ in range(20):
        teacher.act(None)
        assert teacher.origin == "bootstrap"


def with_easy_tasks(mean: tuple[float, ...], std: tuple[float, ...]) -> TeachingSpec:
    return replace(spec(), offers=Needs.EASY_TASKS, easy_tasks=EasyTasks(mean, std))


def test_an_easy_bootstrap_draws_from_the_easy_tasks_clipped_to_the_bounds() -> None:
    easy = with_easy_tasks((0.0, 6.0), (0.3, 0.6))
    tasks = np.array(teach(AlpGmm(easy, AlpGmmSettings(bootstrap="easy"), seed=0), 249, lambda task: 0))
    assert 0.3 < np.mean(tasks[:, 0] == 0) < 0.7
    assert 0.3 < np.mean(tasks[:, 1] == 6) < 0.7
    assert tasks[:, 0].max() < 1.5
    uniform = np.array(teach(AlpGmm(easy, seed=0), 249, lambda task: 0))
    assert uniform[:, 0].max() > 2.5


def test_an_easy_bootstrap_needs_easy_tasks() -> None:
    with pytest.raises(ValueError, match="it needs easy tasks"):
        AlpGmm(spec(), AlpGmmSettings(bootstrap="easy"), seed=0)


def test_fits_are_on_the_last_vectors_of_task_and_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[FloatArray] = []

    def record(vectors: FloatArray, rng: np.random.Generator, **options: Any) -> None:
        seen.append(vectors)

    monkeypatch.setattr(mixture_teacher, "fit_mixture", record)
    teacher = AlpGmm(spec(), AlpGmmSettings(fit_every=10), seed=0)
    for i in range(25):
        teacher.update(answer([0.1 * i, 0.2 * i], -150 + i * i))
    assert [vectors.shape for vectors in seen] == [(10, 3), (10, 3)]
    tasks, progress = seen[1][:, :2], seen[1][:, 2]
    np.testing.assert_allclose(tasks[:, 0], 0.1 * np.arange(10, 20))
    np.testing.assert_allclose(progress, (2 * np.arange(10, 20) - 1) / 500)
    assert seen[0][:6, 2].tolist() == [0] * 6
    teacher.act(None)
    assert teacher.origin == "random"  # no fit succeeded


def test_outcomes_are_scaled_and_clipped_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[FloatArray] = []
    monkeypatch.setattr(mixture_teacher, "fit_mixture", lambda vectors, rng, **options: seen.append(vectors))
    for scaled in (True, False):
        teacher = AlpGmm(spec(), AlpGmmSettings(fit_every=7, scale_outcomes=scaled), seed=0)
        for outcome in (0, 0, 0, 0, 0, -9000, 9000):
            teacher.update(answer([1, 1], outcome))
    assert [vectors[-1, -1] for vectors in seen] == [1, 18000]


def test_components_are_chosen_in_proportion_to_their_mean_progress() -> None:
    teacher = AlpGmm(spec(), AlpGmmSettings(bootstrap_episodes=0, random_share=0), seed=0)
    means = np.array([[0.5, 1.0, 0.1], [1.5, 3.0, 0.3], [2.5, 5.0, 0.0]])
    teacher._mixture = Mixture(means, np.stack([np.eye(3) * 1e-4] * 3), np.array([0.75, 0.05, 0.2]))
    tasks = np.array([teacher.act(None) for _ in range(2000)])
    shares = [np.mean(np.linalg.norm(tasks - mean[:2], axis=1) < 0.2) for mean in means]
    np.testing.assert_allclose(shares, [0.25, 0.75, 0], atol=0.03)
    sampling = teacher.sampling()
    assert sampling is not None
    np.testing.assert_allclose(sampling.weights, [0.25, 0.75, 0])
    assert sampling.means.tolist() == means[:, :2].tolist()
    assert sampling.covariances.shape == (3, 2, 2)
    assert sampling.uniform == 0


def test_the_weights_in_the_mixture_count_if_told_so() -> None:
    teacher = AlpGmm(spec(), AlpGmmSettings(bootstrap_episodes=0, weigh_components=True), seed=0)
    means = np.array([[0.5, 1.0, 0.1], [1.5, 3.0, 0.3], [2.5, 5.0, 0.0]])
    teacher._mixture = Mixture(means, np.stack([np.eye(3) * 1e-4] * 3), np.array([0.75, 0.05, 0.2]))
    sampling = teacher.sampling()
    assert sampling is not None
    np.testing.assert_allclose(sampling.weights, np.array([0.075, 0.015, 0]) / 0.09)


def test_sampling_is_none_until_the_mixture_is_used() -> None:
    teacher = AlpGmm(spec(), AlpGmmSettings(50, bootstrap_episodes=60, components_max=3), seed=0)
    teach(teacher, 59, Corner())
    assert teacher.sampling() is None
    teach(teacher, 1, Corner())
    assert teacher.sampling() is not None


def test_normalising_makes_units_irrelevant() -> None:
    wide = TaskSpace([Parameter("height", 0.0, 3e4), Parameter("spacing", 0.0, 6e-4)])
    settings = AlpGmmSettings(fit_every=50, components_max=3, normalise=True)
    plain = teach(AlpGmm(spec(), settings, seed=0), 120, lambda task: 100 * np.sin(task[0]))
    other = teach(AlpGmm(spec(wide), settings, seed=0), 120, lambda task: 100 * np.sin(task[0] / 1e4))
    np.testing.assert_allclose(np.array(other) / [1e4, 1e-4], plain, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "fits", "distances"),
    [
        ({}, False, False),
        ({"normalise": True}, True, True),
        ({"normalise_distances": True}, False, True),
        ({"normalise": True, "normalise_distances": False}, True, False),
    ],
)
def test_fits_and_distances_are_normalised_together_or_apart(
    settings: dict[str, Any], fits: bool, distances: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[FloatArray] = []
    monkeypatch.setattr(mixture_teacher, "fit_mixture", lambda vectors, rng, **options: seen.append(vectors))
    teacher = AlpGmm(spec(), AlpGmmSettings(fit_every=7, scale_outcomes=False, **settings), seed=0)
    # From (0, 0), the nearest is (1, 0) in raw units, and (0, 1.8) in shares of the ranges 3 and 6.
    for task, outcome in [([3, 6], 0)] * 4 + [([1, 0], 10), ([0, 1.8], 20), ([0, 0], 0)]:
        teacher.update(answer(task, outcome))
    assert seen[0][-1, -1] == (20 if distances else 10)
    assert seen[0][0, :2].tolist() == ([1, 1] if fits else [3, 6])


@pytest.mark.parametrize("criterion", ["aic", "bic", "aicc"])
@pytest.mark.parametrize("aicc_dimensions", ["fitted", "task"])
def test_every_criterion_teaches(criterion: Any, aicc_dimensions: Any) -> None:
    settings = AlpGmmSettings(
        fit_every=50, components_max=3, criterion=criterion, aicc_dimensions=aicc_dimensions, max_history=40
    )
    teacher = AlpGmm(spec(spaces.Box(-1.0, 1.0, (2, 3))), settings, seed=0)
    tasks = teach(teacher, 120, lambda task: float(np.sum(task)))
    assert tasks[-1].shape == (2, 3)
    assert len(teacher.state_dict()["progress"]["tasks"]) == 40


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"fit_every": 0}, "fit_every is 0; expected a whole number, at least 1"),
        ({"bootstrap_episodes": -1}, "bootstrap_episodes is -1"),
        ({"random_share": 1.2}, r"random_share is 1.2; expected a number in \[0, 1\]"),
        ({"random_share": "much"}, "random_share is 'much'"),
        ({"components_min": 0}, "components_min is 0"),
        ({"components_max": 1}, "components_max is 1; expected .* at least 2"),
        ({"criterion": "AIC"}, "criterion is 'AIC'; expected one of 'aic', 'bic', 'aicc'"),
        ({"aicc_dimensions": "all"}, "aicc_dimensions is 'all'"),
        ({"max_history": 5}, "max_history is 5; expected a whole number, at least 6"),
        ({"bootstrap": "hard"}, "bootstrap is 'hard'; expected one of 'uniform', 'easy'"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AlpGmmSettings(**setting)


def test_easy_tasks_of_other_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"easy_tasks.mean is .*; expected 2 finite numbers"):
        AlpGmm(with_easy_tasks((0.0,), (1.0,)), AlpGmmSettings(bootstrap="easy"), seed=0)


def test_feedback_of_other_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match="the feedback's task has 3 numbers; expected 2"):
        AlpGmm(spec(), seed=0).update(answer([0, 0, 0], 1))


def test_it_keeps_the_contract_with_every_option() -> None:
    settings = AlpGmmSettings(
        fit_every=20, bootstrap="easy", components_max=3, weigh_components=True, normalise_distances=True
    )
    check_teacher(AlpGmm, settings=settings, episodes=50)
