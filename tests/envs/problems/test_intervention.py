"""Interventions: what explanations are worth, and who should get them."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

import teachgym
from teachgym.envs.problems.intervention.env import ExplainedStudent, InterventionEnv
from tests.envs.problems.problems import final_score, play_rule

SEEDS = range(5)


def gains(seed: int, **settings: Any) -> tuple[np.ndarray, float]:
    """What an explanation of each item is worth, and the score without any."""
    env = InterventionEnv(**settings)
    _, info = env.reset(seed=seed)
    return info["truth"]["gains"], final_score(env, "none", seed=seed)


@pytest.mark.parametrize("action", ["weights", "scores", "each"])
@pytest.mark.parametrize("budget", [0.0, 0.03, 0.5, 1.0])
def test_the_truth_reaches_the_optimum_in_closed_form(action: Any, budget: float) -> None:
    for seed in range(2):
        worth, alone = gains(seed)
        most = min(int(np.sum(worth > 0)), int(budget * 1000))
        env = InterventionEnv(action=action, explained=budget, truth=True)
        assert final_score(env, "truth", seed=seed) == pytest.approx(alone + most / 1000)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.2, 0.6]))
def test_no_scores_beat_the_truth(seed: int, budget: float) -> None:
    env = InterventionEnv(action="scores", explained=budget, truth=True)
    best, rng = final_score(env, "truth", seed=1), np.random.default_rng(seed)
    env.reset(seed=1)
    over = False
    while not over:
        _, _, over, _, info = env.step(rng.random(50) * (rng.random(50) < 0.3))
    assert info["score"] <= best + 1e-12


def test_with_the_whole_budget_every_rule_explains_everything_and_that_is_worse_than_what_is_right() -> None:
    for seed in SEEDS:
        worth, alone = gains(seed)
        everything = alone + worth.sum() / 1000
        for rule in ("paper", "least-able", "most-helped", "deceive", "unguided"):
            assert final_score(InterventionEnv(explained=1.0), rule, seed=seed) == pytest.approx(everything)
        assert final_score(InterventionEnv(explained=1.0, truth=True), "truth", seed=seed) > everything


@pytest.mark.learned
def test_unguided_explanations_gain_in_proportion_to_the_budget() -> None:
    budgets = np.array([0.2, 0.4, 0.6, 0.8])
    shares = []
    for seed in range(8):
        worth, alone = gains(seed)
        scores = [final_score(InterventionEnv(explained=budget), "unguided", seed=seed) for budget in budgets]
        shares.append((np.array(scores) - alone) / (worth.sum() / 1000))
    assert np.mean(shares, axis=0) == pytest.approx(budgets, abs=0.06)


def test_weights_and_scores_explain_the_same_items_by_the_same_rule() -> None:
    for rule in ("paper", "least-able", "least-sure", "deceive"):
        by_weights = play_rule(InterventionEnv(), rule, seed=4)
        assert by_weights == play_rule(InterventionEnv(action="scores"), rule, seed=4)


def test_the_budget_is_never_exceeded_and_costs_its_share() -> None:
    env = InterventionEnv(explained=0.1, price=0.5)
    env.reset(seed=0)
    paid, over = 0.0, False
    while not over:
        _, _, over, _, info = env.step(np.array([0.0, 0.0, 0.0, 0.0, 1.0]))
        paid = info["paid"]
    assert paid == pytest.approx(0.5 * 0.1)


def test_a_score_of_nothing_explains_nothing() -> None:
    env = InterventionEnv(action="scores", price=1.0)
    env.reset(seed=0)
    assert env.step(np.zeros(50))[4]["paid"] == 0
    assert env.step(np.eye(50)[3])[4]["paid"] == pytest.approx(1 / 1000)


def test_what_was_explained_is_read_with_the_teachers_labels_and_lasts() -> None:
    env = InterventionEnv(refit=True)
    env.reset(seed=0)
    student = env.lifetime.student
    assert isinstance(student, ExplainedStudent)
    env.step(np.array([0.0, 0.0, -1.0, 0.0, 0.2]))
    assert len(student._read) == 70
    assert (
        student._known[60:].tolist()
        == student._data.teacher_labels[
            [int(np.flatnonzero((student._data.items[0] == one).all(axis=1))[0]) for one in student._read[60:]]
        ].tolist()
    )


@pytest.mark.slow
def test_utility_beats_unguided_explanations_at_every_budget_between() -> None:
    for budget, margin in ((0.2, 0.01), (0.4, 0.01), (0.6, 0.008)):
        useful, unguided = (
            np.mean([final_score(InterventionEnv(explained=budget), rule, seed=seed) for seed in range(10)])
            for rule in ("paper", "unguided")
        )
        assert useful > unguided + margin
        deceived = np.mean([final_score(InterventionEnv(explained=budget), "deceive", seed=seed) for seed in range(10)])
        assert deceived < unguided - 0.005


@pytest.mark.slow
def test_a_deceptive_teacher_does_harm_and_the_more_the_more_it_explains() -> None:
    for seed in SEEDS:
        alone = gains(seed)[1]
        scores = [
            final_score(InterventionEnv(explainer="deceptive", explained=budget), "paper", seed=seed)
            for budget in (0.2, 0.6, 1.0)
        ]
        assert alone - 0.02 > scores[0] > scores[1] + 0.1 > scores[2] + 0.2


@pytest.mark.slow
def test_a_student_that_reads_what_is_explained_needs_less() -> None:
    kept, lost = (
        np.mean([final_score(InterventionEnv(refit=refit), "paper", seed=seed) for seed in SEEDS])
        for refit in (True, False)
    )
    assert kept > lost + 0.01


def test_each_is_a_choice_for_bandits() -> None:
    env = InterventionEnv(action="each")
    assert env.action_space == spaces.Discrete(2)
    record = teachgym.teach(env, teachgym.make_teacher("linucb", env, seed=0), seed=0)
    assert len(record.feedback) == 1000
    env.reset(seed=0)
    with pytest.raises(ValueError, match="whole number from 0 to 1"):
        env.step(np.array([0.5]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"explained": 1.5}, "explained"),
        ({"action": "all"}, "action"),
        ({"explainer": "kind"}, "explainer"),
        ({"items": 0}, "items"),
        ({"items": 400, "action": "scores"}, "at most 200"),
        ({"items": 2, "action": "each"}, "expected 1"),
        ({"budget": 30}, "at most 1000 items"),
        ({"refit": True, "truth": True}, "not known"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InterventionEnv(**settings)
