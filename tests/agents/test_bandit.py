from typing import Any

import numpy as np
import pytest

from teachgym.agents.arms.bandit import Bandit, BanditSettings
from teachgym.agents.arms.exploration import EXPLORATION_RULES, Exp3S, UcbRule
from teachgym.testing.made_up import discrete_specs
from teachgym.testing.teacher import check_teacher
from tests.agents.arm_specs import MANY_ARMS, answered, arms, play
from tests.agents.specs import spec, teach

DETERMINISTIC = ("ucb", "discounted-ucb", "sliding-window-ucb")


@pytest.mark.parametrize("rule", EXPLORATION_RULES)
def test_every_rule_keeps_the_contract(rule: Any) -> None:
    settings = BanditSettings(rule=rule, reward="outcome")
    check_teacher(Bandit, settings=settings, episodes=40)
    check_teacher(
        Bandit, settings=settings, episodes=40, specs=MANY_ARMS if rule in DETERMINISTIC else discrete_specs()
    )


@pytest.mark.parametrize("reward", ["progress", "absolute-progress", "environment"])
@pytest.mark.parametrize("rescale", ["range", "quantiles"])
def test_every_reward_keeps_the_contract(reward: Any, rescale: Any) -> None:
    settings = BanditSettings(rule="thompson", reward=reward, rescale=rescale, quantile_window=9, most_arms=6)
    check_teacher(Bandit, settings=settings, episodes=40)


@pytest.mark.parametrize("rule", EXPLORATION_RULES)
def test_where_one_arm_makes_progress_it_is_played_more_often_than_uniform(rule: Any) -> None:
    teacher = Bandit(arms(6), BanditSettings(rule=rule), seed=0)
    played = play(teacher, 3000, lambda step, arm: (step // 3) % 2 if arm == 4 else 0.5)
    assert np.mean(np.array(played[1500:]) == 4) > 0.4  # a sixth is uniform


def test_signed_progress_leaves_what_is_forgotten_where_absolute_progress_goes_to_it() -> None:
    def share(step: int, arm: int) -> float:
        return max(0.0, 1 - step / 2000) if arm == 1 else 0.5

    shares = []
    for reward in ("progress", "absolute-progress"):
        settings = BanditSettings(rule="epsilon-greedy", reward=reward, step_size=0.1)
        shares.append(np.mean(np.array(play(Bandit(arms(3), settings, seed=0), 1800, share)) == 1))
    assert shares[0] < 0.1
    assert shares[1] > 0.8


def test_a_corner_of_a_box_that_teaches_is_found() -> None:
    teacher = Bandit(spec(), BanditSettings(rule="ucb", most_arms=9, reward="outcome"), seed=0)
    tasks = teach(teacher, 1500, lambda task: 300 if task[0] < 1 and task[1] < 2 else -100)
    assert np.mean([task[0] < 1 and task[1] < 2 for task in tasks[500:]]) > 0.8


def test_the_first_answer_of_an_arm_has_no_progress() -> None:
    teacher = Bandit(arms(2), BanditSettings(rule="epsilon-greedy"), seed=0)
    assert isinstance(counts := teacher._rule.state()["counts"], np.ndarray)
    teacher.update(answered(0, 1, 0.5))
    assert teacher._rule.state()["counts"].tolist() == counts.tolist() == [0, 0]
    teacher.update(answered(1, 1, 0.8))
    assert teacher._rule.state()["counts"].tolist() == [0, 1]
    np.testing.assert_allclose(teacher._rule.state()["values"], [0, 0.3])


def test_defaults_are_those_of_acl() -> None:
    rule = Bandit(arms(5), seed=0)._rule
    assert isinstance(rule, Exp3S)
    rule.learn(2, 1.0, np.array([0.2]))
    weight, alpha = np.exp(0.025 / 0.2), 0.5
    expected = np.full(5, (1 - alpha) + alpha * (3 + weight) / 4)
    expected[2] = (1 - alpha) * weight + alpha
    np.testing.assert_allclose(rule.chances(), 0.8 * expected / expected.sum() + 0.2 / 5)


def test_settings_reach_their_rule() -> None:
    rule = Bandit(arms(2), BanditSettings(rule="ucb", exploration=0.0), seed=0)._rule
    assert isinstance(rule, UcbRule)
    for arm, reward in ((0, 0.6), (1, 0.5), (0, 0.52)):
        rule.learn(arm, reward, None)
    assert rule.choose(np.random.default_rng(0)).action == 0


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"rule": "ucb1"}, "rule is 'ucb1'; expected one of 'epsilon-greedy'"),
        ({"reward": "return"}, "reward is 'return'"),
        ({"rescale": "ranks"}, "rescale is 'ranks'"),
        ({"rule": "ucb", "epsilon": 0.1}, "epsilon is 0.1, but rule 'ucb' does not use it; .*'epsilon-greedy', 'exp3'"),
        ({"rule": "exp3", "share": 0.1}, r"share is 0.1, but rule 'exp3' .* choose a rule that does: 'exp3\.s'"),
        ({"temperature": 1.0}, "temperature is 1.0, but rule 'exp3.s' does not use it"),
        ({"rule": "exp3", "rescale": "none"}, "rule 'exp3' needs rewards in known bounds"),
        ({"reward": "environment", "rescale": "bounds"}, "whose bounds are unknown"),
        ({"epsilon": 0.0}, r"epsilon is 0.0; expected a number in \(0, 1\]"),
        ({"rule": "epsilon-greedy", "step_size": 0}, "step_size is 0"),
        ({"rule": "boltzmann", "temperature": 0}, "temperature is 0; expected a number above 0"),
        ({"rule": "discounted-ucb", "discount": 1.1}, "discount is 1.1"),
        ({"rule": "ucb", "exploration": -1}, "exploration is -1; expected a non-negative number"),
        ({"rule": "sliding-window-ucb", "window": 0}, "window is 0; expected a whole number"),
        ({"share": 1.0}, r"share is 1.0; expected a number in \[0, 1\)"),
        ({"rule": "thompson", "prior_mean": float("nan")}, "prior_mean is nan"),
        ({"rule": "thompson", "noise_std": 0}, "noise_std is 0"),
        ({"quantiles": (0.8, 0.2)}, r"quantiles is \(0.8, 0.2\)"),
        ({"quantile_window": 0}, "quantile_window is 0"),
        ({"most_arms": 0}, "most_arms is 0"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BanditSettings(**setting)
