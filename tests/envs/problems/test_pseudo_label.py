"""Pseudo-labels: limits, the thresholds of the source, and what filters do."""

import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.digit_networks import split_digits
from teachgym.envs.problems.pseudo_label.env import PseudoLabelEnv, PseudoLabelStudent
from teachgym.envs.problems.pseudo_label.pseudo_label_rules import LEAST_SCORES, mixture_thresholds
from tests.envs.problems.problems import final_score

KEPT = 0.7, 1.0, 0.95
"""Controls under which some pseudo-labels are kept."""


def taught(controls: list[float] | tuple[float, ...], *, segments: int = 4, **settings: Any) -> PseudoLabelStudent:
    env = PseudoLabelEnv(budget=segments, **settings)
    env.reset(seed=1)
    for _ in range(segments):
        env.step(np.array(controls))
    student = env.lifetime.student
    assert isinstance(student, PseudoLabelStudent)
    return student


def weights(student: PseudoLabelStudent) -> list[FloatArray]:
    pairs = student._pairs
    networks = [network for pair in pairs for network in (pair.student, pair.teacher)]
    return [value.detach().numpy().copy() for network in networks for value in network.parameters()]


def same(left: PseudoLabelStudent, right: PseudoLabelStudent) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(weights(left), weights(right), strict=True))


def precision(env: PseudoLabelEnv, rule: str, seed: int) -> float:
    """Mean precision of pseudo-labels over an episode."""
    observation, _ = env.reset(seed=seed)
    over, found = False, []
    while not over:
        observation, _, over, _, info = env.step(env.teaching_spec.rules[rule](observation))
        found.append(info["truth"]["precision"])
    return float(np.mean(found))


@pytest.mark.parametrize("options", [{}, {"filter": "agreement"}, {"weighting": "confidence", "reviewer": True}])
def test_a_threshold_of_1_and_a_weight_of_0_are_both_learning_from_the_labels_only(options: dict[str, Any]) -> None:
    nothing_kept, nothing_weighs = taught((1.0, 2.0, 0.9), **options), taught((0.0, 0.0, 0.9), **options)
    assert same(nothing_kept, nothing_weighs)
    assert nothing_kept.seen()["kept"] == 0 < nothing_weighs.seen()["kept"]
    assert not same(nothing_kept, taught((0.0, 1.0, 0.9), **options))


def test_without_pseudo_labels_the_pool_makes_no_difference() -> None:
    env, other = PseudoLabelEnv(budget=3), PseudoLabelEnv(budget=3)
    for one in (env, other):
        one.reset(seed=1)
    data = other.lifetime.student._data  # type: ignore[attr-defined]
    data.pool = 1 - data.pool
    for one in (env, other):
        for _ in range(3):
            one.step(np.array([1.0, 1.0, 0.9]))
    assert env.lifetime.student.score() == other.lifetime.student.score()


def test_equal_thresholds_of_all_classes_are_a_shared_one() -> None:
    assert same(taught(KEPT), taught([KEPT[0]] * 10 + list(KEPT[1:]), thresholds="per-class"))


def test_every_class_has_a_threshold_of_its_own() -> None:
    def kept(thresholds: list[float]) -> float:
        return float(taught([*thresholds, 1.0, 0.9], segments=1, thresholds="per-class", updates=1).truth()["kept"])

    of_each = [kept([float(digit != other) for other in range(10)]) for digit in range(10)]
    assert sum(of_each) == kept([0.0] * 10) == 64
    assert max(of_each) < 64
    assert kept([1.0] * 10) == 0


def test_there_are_two_labels_of_each_class_and_the_pool_has_the_rest() -> None:
    data = taught(KEPT, segments=1)._data
    assert np.bincount(data.labels.numpy()).tolist() == [2] * 10
    every = np.concatenate([data.labelled, data.pool])
    assert len(every) == len(split_digits().train[0])
    assert np.array_equal(np.sort(every.sum(axis=1)), np.sort(split_digits().train[0].numpy().sum(axis=1)))


@pytest.mark.parametrize("filtering", ["none", "agreement"])
def test_the_filter_by_truth_keeps_what_is_right_and_nothing_else(filtering: str) -> None:
    env = PseudoLabelEnv(budget=3, truth=True, filter=filtering)  # type: ignore[arg-type]
    observation, _ = env.reset(seed=0)
    for _ in range(3):
        observation, _, _, _, info = env.step(env.teaching_spec.rules["truth"](observation))
        assert info["truth"]["precision"] == 1
        assert 0 < info["truth"]["kept"] < 20 * 64
    plain = PseudoLabelEnv(budget=3, filter=filtering)  # type: ignore[arg-type]
    assert precision(plain, "all", seed=0) < 0.9


def test_the_thresholds_of_the_mixture_part_two_clusters() -> None:
    rng = np.random.default_rng(0)
    low, high = rng.normal(0.3, 0.05, size=(3, 200)), rng.normal(0.85, 0.05, size=(3, 300))
    scores = np.concatenate([low, high], axis=1)
    assert mixture_thresholds(scores, policy="high") == pytest.approx([0.85] * 3, abs=0.02)
    middle = mixture_thresholds(scores, policy="middle")
    assert middle == pytest.approx(high.min(axis=1))


@pytest.mark.learned
@pytest.mark.parametrize("seed", range(5))
def test_the_mixture_is_that_of_the_library_that_the_source_uses(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.sort(np.concatenate([rng.beta(2, 4, size=30), rng.beta(9, 2, size=20)]))[None]
    mixture = GaussianMixture(
        2,
        weights_init=[0.5, 0.5],
        means_init=[[scores.min()], [scores.max()]],
        precisions_init=[[[1.0]], [[1.0]]],
        tol=0.0,
        max_iter=100,
    )
    points = scores.reshape(-1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        upper = mixture.fit(points).predict(points) == 1
    density = np.where(upper, mixture.score_samples(points), -np.inf)
    assert mixture_thresholds(scores, policy="high")[0] == pytest.approx(scores[0, density.argmax()])
    assert mixture_thresholds(scores, policy="middle")[0] == pytest.approx(scores[0, upper].min())


def test_where_all_scores_are_equal_the_threshold_is_that_score_or_0() -> None:
    found = mixture_thresholds(np.array([[0.0] * 10, [0.7] * 10]))
    assert found.tolist() in ([0.0, 0.0], [0.0, 0.7])


def test_the_quantiles_that_are_shown_are_those_of_the_confidence() -> None:
    student = taught(KEPT)
    confidence, guesses, _ = student._guess(torch.tensor(student._data.pool))
    seen = student.seen()
    assert [seen[f"confidence_{place}"] for place in range(20)] == pytest.approx(
        np.quantile(confidence.numpy(), (np.arange(20) + 0.5) / 20)
    )
    by_class = taught([KEPT[0]] * 10 + list(KEPT[1:]), thresholds="per-class").seen()
    for digit in range(10):
        own = confidence[guesses == digit].numpy()
        assert by_class[f"share_of_{digit}"] == pytest.approx(len(own) / len(guesses))
        if len(own) >= LEAST_SCORES:
            assert by_class[f"confidence_9_of_{digit}"] == pytest.approx(np.quantile(own, 0.95))


@pytest.mark.parametrize("options", [{"thresholds": "per-class"}, {"filter": "agreement"}, {"reviewer": True}, {}])
def test_the_source_takes_the_threshold_of_the_mixture_after_its_warm_up(options: dict[str, Any]) -> None:
    env = PseudoLabelEnv(budget=10, **options)
    observation, _ = env.reset(seed=0)
    assert env.teaching_spec.rules["paper"](observation)[-2] == 0
    observation, *_ = env.step(env.teaching_spec.rules["rescaled"](observation))
    high, middle = (env.teaching_spec.rules[rule](observation) for rule in ("paper", "middle"))
    assert high[-2:].tolist() == [2.0, 0.9995]
    assert (high >= middle).all()
    names = dict(zip(env.observation_names, observation.tolist(), strict=True))
    end = "_of_3" if "thresholds" in options else ""
    count = 10 if "thresholds" in options else 20
    scores = np.array([[names[f"confidence_{place}{end}"] for place in range(count)]])
    assert high[3 if end else 0] == pytest.approx(mixture_thresholds(scores)[0])


def test_soft_teachers_momentum_rises_from_0() -> None:
    env = PseudoLabelEnv(budget=100, updates=20)
    observation, _ = env.reset(seed=0)
    rule = env.teaching_spec.rules["soft"]
    assert rule(observation).tolist() == [0.9, 4.0, 0.0]
    observation[0] = 0.5
    assert rule(observation)[2] == pytest.approx(0.999)
    observation[0] = 0.05
    assert rule(observation)[2] == pytest.approx(1 - 1 / 101)


def test_confidence_weights_sum_to_1() -> None:
    terms, sure = torch.tensor([1.0, 3.0]), torch.tensor([0.25, 0.75])
    weighted, gated = taught(KEPT, segments=1, weighting="confidence"), taught(KEPT, segments=1)
    assert float(weighted._mean(terms, sure)) == 2.5
    assert float(gated._mean(terms, sure)) == 4 / 64


def test_a_reviewer_follows_more_slowly_than_the_teacher() -> None:
    def weight(network: torch.nn.Module) -> torch.Tensor:
        return next(network.parameters())

    student = taught((0.5, 1.0, 0.9), segments=1, reviewer=True)
    still = taught((0.5, 1.0, 1.0), segments=1, reviewer=True)
    start = weight(still._pairs[0].teacher)
    assert torch.equal(weight(still._reviewers[0]), start)
    slow, quick = (weight(network) - start for network in (student._reviewers[0], student._pairs[0].teacher))
    assert 0 < float(slow.norm()) < 0.8 * float(quick.norm())


@pytest.mark.parametrize("option", ["thresholds", "weighting", "filter", "reviewer", "updates"])
def test_options_that_are_not_allowed_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=option):
        PseudoLabelEnv(**{option: "other"})  # type: ignore[arg-type]


@pytest.mark.slow
def test_agreement_makes_pseudo_labels_more_precise_and_the_truth_beats_all() -> None:
    seeds = range(3)
    single, dual = PseudoLabelEnv(), PseudoLabelEnv(filter="agreement")
    gains = [precision(dual, "all", seed) - precision(single, "all", seed) for seed in seeds]
    assert np.mean(gains) > 0.03
    plain = {rule: np.mean([final_score(single, rule, seed=seed) for seed in seeds]) for rule in ("none", "constant")}
    best = np.mean([final_score(PseudoLabelEnv(truth=True), "truth", seed=seed) for seed in seeds])
    assert best > plain["constant"] + 0.04
    assert plain["constant"] > plain["none"] + 0.02


def test_its_documentation_measures_rules_by_their_names() -> None:
    measured = (PseudoLabelEnv.__doc__ or "").partition("Measured here")[2].partition(";")[0]
    names = re.findall(r"([a-z-]+)`*\s+0\.\d", measured)
    assert set(names) == {"none", "paper", "rescaled", "all", "soft", "constant", "controls", "truth"}
    assert set(names) - {"controls", "truth"} <= set(PseudoLabelEnv(budget=2).teaching_spec.rules)
