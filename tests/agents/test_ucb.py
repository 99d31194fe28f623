"""UCB1 by its own name is the bandit's rule, paid by the environment."""

import numpy as np

from teachgym.agents import teacher_class
from teachgym.agents.arms.bandit import Bandit, BanditSettings
from teachgym.agents.arms.ucb import Ucb, UcbSettings
from teachgym.core.teacher import Teacher
from tests.agents.arm_specs import answered, arms

PAY = (0.1, 0.9, 0.3)


def taught(teacher: Teacher, steps: int) -> list[int]:
    """The arms played, where every outcome is the same and only the environment's reward tells arms apart."""
    rng, played = np.random.default_rng(5), []
    for step in range(steps):
        arm = int(teacher.act(np.zeros(1, np.float32)))
        played.append(arm)
        teacher.update(answered(step, arm, 0.5, reward=float(rng.random() < PAY[arm])))
    return played


def test_it_is_found_by_name() -> None:
    assert teacher_class("ucb") is Ucb


def test_it_plays_what_the_bandit_plays_with_that_rule_and_reward() -> None:
    settings = BanditSettings(rule="ucb", reward="environment")
    assert taught(Ucb(arms(3), seed=2), 200) == taught(Bandit(arms(3), settings, seed=2), 200)


def test_it_goes_where_the_environment_pays() -> None:
    played = taught(Ucb(arms(3), seed=0), 1500)
    assert np.mean(np.array(played[500:]) == 1) > 0.8
    assert set(played[:3]) == {0, 1, 2}


def test_its_regret_is_below_the_bound_of_auer_et_al() -> None:
    steps, best = 1500, max(PAY)
    gaps = [best - pay for pay in PAY if pay < best]
    bound = sum(8 * np.log(steps) / gap for gap in gaps) + (1 + np.pi**2 / 3) * sum(gaps)
    regrets = [sum(best - PAY[arm] for arm in taught(Ucb(arms(3), seed=seed), steps)) for seed in range(3)]
    assert np.mean(regrets) < bound < steps * (best - np.mean(PAY))  # the last is what uniform draws would lose


def test_a_window_can_be_set() -> None:
    settings = UcbSettings(rule="sliding-window-ucb", window=40)
    same = BanditSettings(rule="sliding-window-ucb", window=40, reward="environment")
    assert taught(Ucb(arms(3), settings, seed=1), 120) == taught(Bandit(arms(3), same, seed=1), 120)
