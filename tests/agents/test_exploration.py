"""The rules against closed forms and known bandit specs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from teachgym.agents.arms.exploration import (
    EXPLORATION_RULES,
    Boltzmann,
    DiscountedUcb,
    EpsilonGreedy,
    Exp3,
    Exp3S,
    ExplorationRule,
    SlidingWindowUcb,
    Thompson,
    UcbRule,
    best,
    greedy,
    softmax,
)
from teachgym.core.task_space import FloatArray

MEANS = np.array([0.3, 0.5, 0.8, 0.4])


def run(rule: ExplorationRule, steps: int, means: Callable[[int], FloatArray], seed: int = 0) -> FloatArray:
    """Play against rewards of 0 and 1; returns (steps,) the regret of every step."""
    rng, world = np.random.default_rng(seed), np.random.default_rng(seed + 1000)
    regret = np.zeros(steps)
    for step in range(steps):
        arm, _, note = rule.choose(rng)
        now = means(step)
        regret[step] = now.max() - now[arm]
        rule.learn(arm, float(world.random() < now[arm]), np.array(note))
    return regret


def stationary(step: int) -> FloatArray:
    return MEANS


def switching(step: int) -> FloatArray:
    return np.array([0.9, 0.1]) if step < 8000 else np.array([0.2, 0.6])


def test_ucb_keeps_the_bound_of_its_paper_and_its_regret_grows_like_the_logarithm() -> None:
    runs = np.array([np.cumsum(run(UcbRule(4), 8000, stationary, seed)) for seed in range(3)]).mean(axis=0)
    gaps = 0.8 - MEANS[MEANS < 0.8]
    for steps in (500, 2000, 8000):
        assert runs[steps - 1] < np.sum(8 * np.log(steps) / gaps + (1 + np.pi**2 / 3) * gaps)
    # Four times the steps add the same again if growth is logarithmic, and four times as much if it is linear.
    first, second = runs[1999] - runs[499], runs[7999] - runs[1999]
    assert first > 5
    assert second < 1.6 * first


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        ("epsilon-greedy", {}),
        ("boltzmann", {}),
        ("ucb", {}),
        ("discounted-ucb", {"discount": 0.999}),
        ("sliding-window-ucb", {}),
        ("exp3", {"learning_rate": 0.05}),
        ("exp3.s", {}),
        ("thompson", {"noise_std": 0.5}),
    ],
)
def test_every_rule_finds_the_best_arm(rule: str, settings: dict[str, Any]) -> None:
    regret = run(EXPLORATION_RULES[rule](4, **settings), 3000, stationary)
    assert np.mean(regret[-1000:]) < 0.5 * np.mean(0.8 - MEANS)
    assert np.mean(regret[-1000:] == 0) > 0.5


@pytest.mark.parametrize(
    "rule",
    [
        DiscountedUcb(2),
        SlidingWindowUcb(2, window=300),
        EpsilonGreedy(2, step_size=0.05),
        Thompson(2, noise_std=0.5, discount=0.99),
        Exp3S(2, learning_rate=0.1, share=0.001),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_a_switch_is_followed_where_plain_ucb_is_late(rule: ExplorationRule) -> None:
    after = slice(8300, 8800)
    assert np.mean(run(UcbRule(2), 9000, switching)[after] == 0) < 0.3
    assert np.mean(run(rule, 9000, switching)[after] == 0) > 0.6


def test_greedy_takes_another_arm_as_often_as_epsilon_says() -> None:
    rng = np.random.default_rng(0)
    chosen = [greedy(np.array([0.0, 2.0, 1.0]), 0.3, rng) for _ in range(3000)]
    assert np.mean([origin == "random" for _, origin in chosen]) == pytest.approx(0.3, abs=0.03)
    assert np.mean([arm == 1 for arm, _ in chosen]) == pytest.approx(0.8, abs=0.03)
    assert {arm for arm, origin in chosen if origin == "best"} == {1}


def test_ties_are_broken_evenly() -> None:
    rng = np.random.default_rng(0)
    drawn = [best(np.array([1.0, 0.0, 1.0]), rng) for _ in range(2000)]
    assert np.mean(np.array(drawn) == 0) == pytest.approx(0.5, abs=0.04)
    assert 1 not in drawn


def test_values_are_means_or_moving_averages() -> None:
    plain, moving = EpsilonGreedy(2), EpsilonGreedy(2, step_size=0.5)
    for reward in (1.0, 0.0, 0.5):
        plain.learn(1, reward, None)
        moving.learn(1, reward, None)
    assert plain.values.tolist() == [0, 0.5]
    assert moving.values.tolist() == [0, 0.5]
    plain.learn(1, 0.9, None)
    moving.learn(1, 0.9, None)
    np.testing.assert_allclose(plain.values, [0, 0.6])
    np.testing.assert_allclose(moving.values, [0, 0.7])


@pytest.mark.parametrize("name", ["epsilon-greedy", "boltzmann", "ucb", "discounted-ucb", "sliding-window-ucb"])
def test_every_arm_is_tried_once_first(name: str) -> None:
    rule, rng = EXPLORATION_RULES[name](6), np.random.default_rng(0)
    choices = []
    for _ in range(6):
        choices.append(rule.choose(rng))
        rule.learn(choices[-1].action, 0.5, None)
    assert sorted(choice.action for choice in choices) == list(range(6))
    assert {choice.origin for choice in choices} == {"untried"}
    assert rule.choose(rng).origin != "untried"


def test_boltzmann_draws_in_proportion_to_exponentials() -> None:
    rule, rng = Boltzmann(3, temperature=0.5), np.random.default_rng(0)
    for arm, reward in enumerate((0.0, 0.5, 1.0)):
        rule.learn(arm, reward, None)
    drawn = np.bincount([rule.choose(rng).action for _ in range(4000)]) / 4000
    weights = np.exp([0, 1, 2])
    np.testing.assert_allclose(drawn, weights / weights.sum(), atol=0.025)


def test_softmax_takes_any_size_of_number() -> None:
    np.testing.assert_allclose(softmax(np.array([1e6, 1e6 + np.log(3)])), [0.25, 0.75])


@pytest.mark.parametrize("answers", [6, 40])
def test_bounds_are_those_of_the_papers(answers: int) -> None:
    rng = np.random.default_rng(1)
    history = [(i % 3 if i < 3 else int(rng.integers(3)), float(rng.random())) for i in range(answers)]
    window, discount = 25, 0.9
    rules: list[Any] = [UcbRule(3), DiscountedUcb(3, discount=discount), SlidingWindowUcb(3, window=window)]
    for rule in rules:
        for arm, reward in history:
            rule.learn(arm, reward, None)
    ages = answers - 1 - np.arange(answers)
    weights = [np.ones(answers), discount**ages, (ages < window).astype(float)]
    scales = [np.sqrt(2), 2 * np.sqrt(0.6), np.sqrt(0.6)]  # c: sqrt(2), then 2 B sqrt(xi) and B sqrt(xi)
    played = np.array([[arm == k for arm, _ in history] for k in range(3)])
    paid = np.array([reward for _, reward in history])
    for rule, weight, scale in zip(rules, weights, scales, strict=True):
        n = played @ weight
        bounds = played @ (weight * paid) / n + scale * np.sqrt(np.log(n.sum()) / n)
        assert rule.choose(rng).action == np.argmax(bounds)
        counts, sums = rule._totals()
        np.testing.assert_allclose(counts, n)
        np.testing.assert_allclose(sums, played @ (weight * paid))


def test_a_window_forgets_arms_that_fell_out_of_it() -> None:
    rule = SlidingWindowUcb(2, window=3)
    rule.learn(0, 1.0, None)
    for _ in range(3):
        rule.learn(1, 1.0, None)
    choice = rule.choose(np.random.default_rng(0))
    assert (choice.action, choice.origin) == (0, "untried")


def test_exp3_weights_are_those_computed_by_hand() -> None:
    gamma, arms = 0.3, 3
    rule, rng = Exp3(arms, epsilon=gamma), np.random.default_rng(0)
    weights = np.ones(arms)
    for step in range(200):
        chances = (1 - gamma) * weights / weights.sum() + gamma / arms
        np.testing.assert_allclose(rule.chances(), chances)
        arm, origin, note = rule.choose(rng)
        assert origin == "chance"
        np.testing.assert_allclose(note, [chances[arm]])
        reward = (0.2, 0.9, 0.5)[arm] * (step % 2)
        rule.learn(arm, reward, np.array(note))
        weights[arm] *= np.exp(gamma * reward / chances[arm] / arms)


def test_exp3s_weights_are_those_of_graves_formula() -> None:
    eta, epsilon, arms = 0.2, 0.1, 4
    rule, rng = Exp3S(arms, epsilon=epsilon, learning_rate=eta), np.random.default_rng(0)
    logs = np.zeros(arms)
    for t in range(1, 100):
        policy = np.exp(logs) / np.exp(logs).sum()
        chances = (1 - epsilon) * policy + epsilon / arms
        np.testing.assert_allclose(rule.chances(), chances)
        arm, _, note = rule.choose(rng)
        reward = (-1.0, 0.5, 0.0, 1.0)[arm]
        rule.learn(arm, reward, np.array(note))
        estimates = np.where(np.arange(arms) == arm, reward / chances, 0)
        moved, alpha = np.exp(logs + eta * estimates), 1 / (t + 1)
        others = [np.delete(moved, i).sum() / (arms - 1) for i in range(arms)]
        logs = np.log((1 - alpha) * moved + alpha * np.array(others))


def test_a_late_reward_counts_by_the_probability_of_its_own_decision() -> None:
    for make in (lambda: Exp3(2), lambda: Exp3S(2, share=0.1)):
        likely, rare, unknown = make(), make(), make()
        likely.learn(0, 1.0, np.array([0.5]))
        rare.learn(0, 1.0, np.array([0.25]))
        unknown.learn(0, 1.0, None)  # taken at the present probability, one half
        assert rare.chances()[0] > likely.chances()[0] > 0.5
        np.testing.assert_allclose(unknown.chances(), likely.chances())


def test_exponential_weights_stay_finite_however_long_one_arm_wins() -> None:
    rules = Exp3(3, epsilon=0.01, learning_rate=1.0), Exp3S(3, epsilon=0.01, learning_rate=1.0, share=0.0)
    for rule in rules:
        for _ in range(5000):
            rule.learn(1, 1.0, None)
        chances = rule.chances()
        assert np.isfinite(chances).all()
        np.testing.assert_allclose(chances, [0.01 / 3, 1 - 0.02 / 3, 0.01 / 3])


def test_thompsons_posterior_is_that_of_a_gaussian_with_known_noise() -> None:
    rule = Thompson(2, prior_mean=0.4, prior_std=0.5, noise_std=0.2)
    rewards = [0.9, 0.7, 1.0]
    for reward in rewards:
        rule.learn(1, reward, None)
    # The joint Gaussian of mean and rewards, conditioned on the rewards.
    joint = np.full((4, 4), 0.25) + np.diag([0, 0.04, 0.04, 0.04])
    gain = joint[0, 1:] @ np.linalg.inv(joint[1:, 1:])
    means, stds = rule.posterior()
    np.testing.assert_allclose(means, [0.4, 0.4 + float(gain @ (np.array(rewards) - 0.4))])
    np.testing.assert_allclose(stds, [0.5, float(np.sqrt(joint[0, 0] - gain @ joint[1:, 0]))])


def test_thompson_plays_an_arm_as_often_as_it_is_the_best_under_the_posterior() -> None:
    rule, rng = Thompson(2, noise_std=0.5), np.random.default_rng(0)
    for arm, reward in ((0, 1.0), (0, 0.8), (1, 0.4)):
        rule.learn(arm, reward, None)
    means, stds = rule.posterior()
    chance = norm.cdf((means[0] - means[1]) / np.hypot(*stds))
    played = np.mean([rule.choose(rng).action == 0 for _ in range(4000)])
    assert played == pytest.approx(chance, abs=0.025)
