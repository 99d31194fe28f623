from typing import Any

import numpy as np
import pytest

from teachgym.agents.replay.level_scores import (
    LevelScore,
    ScoreSettings,
    advantages,
    discounted_sums,
    needs_of_score,
    slope,
)
from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from tests.agents.specs import spec

REWARDS = np.array([1.0, -2.0, 0.5, 3.0])
VALUES_OF_IT = np.array([2.0, 0.5, -1.0, 1.0, 0.25])
DISCOUNT, DECAY = 0.9, 0.6


def score(name: str, **settings: Any) -> LevelScore:
    return LevelScore(ScoreSettings(score=name, discount=DISCOUNT, gae_lambda=DECAY, **settings), spec())  # type: ignore[arg-type]


def episode(outcome: float = 0.0, trace: EpisodeTrace | None = None) -> Feedback:
    return Feedback(np.zeros(2), outcome, outcome > 230, 1, 0, trace=trace)


def valued(rewards: Any = REWARDS, values: Any = VALUES_OF_IT) -> Feedback:
    return episode(trace=EpisodeTrace(rewards, values))


def scores(scorer: LevelScore, episodes: list[Feedback]) -> list[Any]:
    memory = scorer.first_memory()
    found = []
    for feedback in episodes:
        value, memory = scorer(feedback, memory)
        assert memory.shape == (scorer.memory,)
        found.append(value)
    return found


def by_definition(decay: float) -> list[float]:
    """Advantages as sums over all later one-step errors."""
    errors = [REWARDS[t] + DISCOUNT * VALUES_OF_IT[t + 1] - VALUES_OF_IT[t] for t in range(4)]
    return [sum((DISCOUNT * decay) ** (k - t) * errors[k] for k in range(t, 4)) for t in range(4)]


RETURNS = [sum(DISCOUNT ** (k - t) * REWARDS[k] for k in range(t, 4)) for t in range(4)]
GROUNDED = [RETURNS[t] - VALUES_OF_IT[t] for t in range(4)]


@pytest.mark.parametrize("decay", [0.0, 0.6, 1.0])
def test_advantages_are_decaying_sums_of_one_step_errors(decay: float) -> None:
    found = advantages(REWARDS, VALUES_OF_IT, discount=DISCOUNT, gae_lambda=decay)
    np.testing.assert_allclose(found, by_definition(decay), rtol=1e-12)


def test_without_decay_advantages_are_the_returns_less_the_values() -> None:
    values = np.append(VALUES_OF_IT[:-1], 0.0)  # after a termination
    grounded = discounted_sums(REWARDS, DISCOUNT) - values[:-1]
    np.testing.assert_allclose(advantages(REWARDS, values, discount=DISCOUNT, gae_lambda=1.0), grounded, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("value-l1", sum(abs(a) for a in by_definition(DECAY)) / 4),
        ("positive-value-loss", sum(max(a, 0) for a in by_definition(DECAY)) / 4),
        ("signed-value-loss", sum(by_definition(DECAY)) / 4),
        ("grounded-value-l1", sum(abs(a) for a in GROUNDED) / 4),
        ("grounded-positive-value-loss", sum(max(a, 0) for a in GROUNDED) / 4),
        ("grounded-signed-value-loss", sum(GROUNDED) / 4),
        ("one-step-td", sum(abs(a) for a in by_definition(0.0)) / 4),
        ("max-mc", 2.5 - (2 + 0.5 - 1 + 1) / 4),
    ],
)
def test_scores_from_values_are_means_over_the_episode(name: str, expected: float) -> None:
    assert scores(score(name), [valued()]) == [pytest.approx(expected, rel=1e-12)]
    assert needs_of_score(name) == Needs.VALUES  # type: ignore[arg-type]


def test_max_mc_compares_with_the_best_return_on_the_level_so_far() -> None:
    flat = [valued(np.full(2, reward), np.zeros(3)) for reward in (1.0, 3.0, 2.0)]
    assert scores(score("max-mc"), flat) == [2, 6, 6]
    discounted = scores(score("max-mc", discount_best_return=True), flat)
    np.testing.assert_allclose(discounted, [1.9, 5.7, 5.7])


def test_policy_entropy_is_the_mean() -> None:
    trace = EpisodeTrace(np.zeros(2), entropies=np.array([1.0, -2.0]))
    assert scores(score("policy-entropy"), [episode(trace=trace)]) == [-0.5]
    assert needs_of_score("policy-entropy") == Needs.ENTROPIES


def test_learnability_is_greatest_where_every_second_episode_succeeds() -> None:
    wins = [episode(outcome) for outcome in (300, 0, 300, 300)]
    np.testing.assert_allclose(scores(score("learnability", success_prior=0), wins), [0, 1 / 4, 2 / 9, 3 / 16])
    np.testing.assert_allclose(scores(score("learnability"), wins), [2 / 9, 1 / 4, 6 / 25, 2 / 9])
    assert needs_of_score("learnability") == Needs.SUCCESS


def test_learnability_forgets_what_is_older_than_the_window() -> None:
    wins = [episode(0), *[episode(300)] * 4]
    found = scores(score("learnability", success_prior=0, score_window=3), wins)
    np.testing.assert_allclose(found, [0, 1 / 4, 2 / 9, 0, 0])


def test_outcome_slope_is_that_of_a_line_through_the_window() -> None:
    outcomes = [-150, 100, 50, 350, 0, -100, 200]
    found = scores(score("outcome-slope", score_window=4), [episode(outcome) for outcome in outcomes])
    scaled = (np.array(outcomes) + 150) / 500
    windows = [scaled[max(0, i - 3) : i + 1] for i in range(1, 7)]
    fitted = [abs(np.polyfit(range(len(window)), window, 1)[0]) for window in windows]
    np.testing.assert_allclose(found, [0, *fitted], atol=1e-12)
    assert not needs_of_score("outcome-slope")
    assert slope(np.array([3.0])) == 0


def test_outcome_change_is_since_the_last_episode() -> None:
    scorer = score("outcome-change")
    np.testing.assert_allclose(
        scores(scorer, [episode(outcome) for outcome in (-150, 350, 100, 9000)]), [0, 1, 0.5, 0.5]
    )
    assert scorer.borrows
    assert not needs_of_score("outcome-change")


@pytest.mark.parametrize(
    "feedback",
    [
        valued(np.zeros(0), np.zeros(1)),
        valued(np.array([np.nan]), np.zeros(2)),
        valued(np.array([np.inf]), np.zeros(2)),
        valued(np.array([1.0]), np.array([-np.inf, 0.0])),
        valued(np.full(3, 1.7e308), np.full(4, -1.7e308)),
    ],
    ids=["no step", "nan", "inf", "-inf", "overflow"],
)
@pytest.mark.parametrize("name", ["value-l1", "positive-value-loss", "signed-value-loss", "one-step-td", "max-mc"])
def test_an_episode_without_a_finite_score_has_none(name: str, feedback: Feedback) -> None:
    assert scores(score(name), [feedback]) == [None]


def test_a_return_that_is_not_finite_is_not_remembered_as_the_best() -> None:
    found = scores(score("max-mc"), [valued(np.array([np.inf]), np.zeros(2)), valued(np.array([1.0]), np.zeros(2))])
    assert found == [None, 1]


@pytest.mark.parametrize(("name", "missing"), [("value-l1", "rewards"), ("policy-entropy", "entropies")])
def test_feedback_without_a_trace_is_an_error(name: str, missing: str) -> None:
    with pytest.raises(ValueError, match=f"no trace of {missing}, which the teacher needs"):
        scores(score(name), [episode()])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"score": "regret"}, "score is 'regret'; expected one of 'value-l1', 'positive-value-loss'"),
        ({"discount": 1.1}, "discount is 1.1"),
        ({"gae_lambda": -1}, "gae_lambda is -1"),
        ({"score_window": 1}, "score_window is 1; expected a whole number, at least 2"),
        ({"success_prior": -1.0}, "success_prior is -1.0; expected a number, at least 0"),
        ({"success_prior": float("inf")}, "success_prior is inf"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScoreSettings(**setting)
