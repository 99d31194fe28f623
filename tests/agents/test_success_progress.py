from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.arms.success_progress import SuccessProgress, SuccessProgressSettings, stretch
from teachgym.core.needs import Needs
from teachgym.core.spec import TeachingSpec
from teachgym.testing.made_up import discrete_specs
from teachgym.testing.teacher import check_teacher
from tests.agents.arm_specs import answered, arms, play

Rates = list[list[bool]]


@pytest.mark.parametrize(
    "settings",
    [
        SuccessProgressSettings(update_every=7, carry_over=True),
        SuccessProgressSettings(update_every=9, untried="zero", baseline="none", strata=((0, 1),), best_by="progress"),
    ],
)
def test_it_keeps_the_contract(settings: SuccessProgressSettings) -> None:
    check_teacher(SuccessProgress, settings=settings, episodes=50)
    check_teacher(SuccessProgress, settings=settings, episodes=50, specs=discrete_specs(Needs.SUCCESS))


def told(settings: SuccessProgressSettings, *updates: Rates) -> SuccessProgress:
    """A teacher that has been told these successes: per update, per arm. It must update after each."""
    teacher = SuccessProgress(arms(len(updates[0])), settings, seed=0)
    for update in updates:
        for arm, successes in enumerate(update):
            for success in successes:
                teacher.update(answered(10**6, arm, 0.5, success=success))
    assert teacher._since == 0
    return teacher


def share_of(rate: float) -> list[bool]:
    """Ten answers with this share of successes."""
    return [True] * round(10 * rate) + [False] * (10 - round(10 * rate))


def test_stretching_makes_theta_one_half() -> None:
    np.testing.assert_allclose(stretch(np.array([0, 0.1, 1]), 0.1), [0, 0.5, 1])
    np.testing.assert_allclose(stretch(np.array([0.3, 0.5]), 0.5), [0.3, 0.5])
    small, large = np.diff(stretch(np.array([0.01, 0.06, 0.9, 0.95]), 0.1))[[0, 2]]
    assert small > 5 * large


def test_chances_are_those_of_the_formulas() -> None:
    history = np.array([[0.0, 0.9, 0.2, 0.0], [0.4, 1.0, 0.2, 0.0], [0.5, 0.9, 0.1, 0.0]])
    teacher = told(SuccessProgressSettings(update_every=40), *[[share_of(rate) for rate in row] for row in history])
    baseline = np.minimum(history[0], 0.75)
    rates = np.maximum(history - baseline, 0) / (1 - baseline)
    fast = slow = rates[0]
    for p in rates[1:]:
        fast = 0.1 * p + 0.9 * fast
        slow = 0.1 * fast + 0.9 * slow

    def reweighted(x: Any) -> Any:
        return (x - 0.1 * x) / (x + 0.1 - 0.2 * x)

    progress = abs(reweighted(fast) - reweighted(slow))
    active = progress[:3]  # the last arm never had a success
    weights = 1 / (1 + np.exp(-(active - np.mean(active)) / np.std(active)))
    expected = 0.75 * np.append(weights / weights.sum(), 0) + 0.25 / 4
    np.testing.assert_allclose(teacher._chances, expected)


def test_without_a_baseline_rates_are_taken_as_they_are() -> None:
    updates = [[share_of(0.5), share_of(0.0)], [share_of(1.0), share_of(0.0)]]
    teacher = told(SuccessProgressSettings(update_every=20, baseline="none", smoothing=0.5), *updates)
    np.testing.assert_allclose(teacher._fast, [0.75, 0])
    np.testing.assert_allclose(teacher._slow, [0.625, 0])
    np.testing.assert_allclose(teacher._chances, [0.75 + 0.125, 0.125])


def test_all_arms_are_alike_before_the_first_success() -> None:
    teacher = told(SuccessProgressSettings(update_every=30), [share_of(0.0)] * 3)
    np.testing.assert_allclose(teacher._chances, 1 / 3)


def test_arms_that_stay_what_they_are_make_no_progress_though_averages_are_rounded() -> None:
    rates = [0.3, 0.6, 0.7, 0.0]
    updates = [[share_of(rate) for rate in rates] for _ in range(20)]
    chances = told(SuccessProgressSettings(update_every=40, baseline="none"), *updates)._chances
    np.testing.assert_allclose(chances, [0.25 + 0.0625] * 3 + [0.0625])


def test_an_arm_without_answers_keeps_its_averages_unless_it_counts_as_zero() -> None:
    updates = [[share_of(0.5), share_of(0.5)], [[], share_of(0.5) * 2]]
    kept = told(SuccessProgressSettings(update_every=20, baseline="none"), *updates)
    zero = told(SuccessProgressSettings(update_every=20, baseline="none", untried="zero"), *updates)
    np.testing.assert_allclose(kept._fast, [0.5, 0.5])
    np.testing.assert_allclose(zero._fast, [0.45, 0.5])
    assert kept._chances[0] == 0.5
    assert zero._chances[0] > 0.5


def test_an_arms_baseline_is_its_own_first_rate() -> None:
    teacher = told(SuccessProgressSettings(update_every=20), [share_of(0.5) * 2, []], [[], share_of(0.8) * 2])
    np.testing.assert_allclose(teacher._baseline, [0.5, 0.75])
    np.testing.assert_allclose(teacher._fast, [0, 0.2])


def test_a_rate_may_be_carried_over_as_one_answer() -> None:
    updates = [[share_of(0.8), share_of(0.0)], [share_of(0.0), share_of(0.0)]]
    carried = told(SuccessProgressSettings(update_every=20, carry_over=True), *updates)
    np.testing.assert_allclose(carried._rates, [0.8 / 11, 0])


@pytest.mark.parametrize(("best_by", "kept"), [("success", 1), ("progress", 0), ("learnability", 2)])
def test_strata_leave_only_their_best_arm(best_by: Any, kept: int) -> None:
    updates = [[share_of(rate) for rate in row] for row in ([0.0, 0.9, 0.6, 0.3], [0.2, 0.9, 0.6, 0.3])]
    settings = SuccessProgressSettings(update_every=40, strata=((0, 1, 2), (3,)), best_by=best_by)
    plain = told(SuccessProgressSettings(update_every=40), *updates)._chances
    left = np.full(4, 0.001)
    left[[kept, 3]] = 1
    np.testing.assert_allclose(told(settings, *updates)._chances, plain * left / (plain @ left))


def test_where_one_arm_is_being_learnt_it_is_played_more_often_than_uniform() -> None:
    def chance(step: int, arm: int) -> float:
        return min(1.0, step / 1500) if arm == 2 else float(arm == 0)

    teacher = SuccessProgress(arms(8), seed=0)
    played = np.array(play(teacher, 1500, chance, success=True))
    assert np.mean(played[:80] == 2) < 0.3
    assert np.mean(played[700:] == 2) > 0.4
    assert teacher.origin == "progress"


def test_the_default_interval_is_ten_answers_per_arm() -> None:
    teacher = SuccessProgress(arms(4), seed=0)
    play(teacher, 39, lambda step, arm: 0.0)
    teacher.act(None)
    assert teacher.origin == "uniform"
    play(teacher, 1, lambda step, arm: 0.0, start=40)
    teacher.act(None)
    assert teacher.origin == "progress"


def test_it_needs_successes_and_known_arms() -> None:
    blind = TeachingSpec(spaces.Discrete(3), spaces.Box(0.0, 1.0, (1,)), (-150.0, 350.0), 230.0)
    with pytest.raises(ValueError, match="needs success"):
        SuccessProgress(blind, seed=0)
    with pytest.raises(ValueError, match="strata name arm 5; expected numbers below 3"):
        SuccessProgress(arms(3), SuccessProgressSettings(strata=((5,),)), seed=0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"update_every": 0}, "update_every is 0"),
        ({"smoothing": 0}, "smoothing is 0"),
        ({"theta": 1}, r"theta is 1; expected a number in \(0, 1\)"),
        ({"uniform_share": -0.1}, "uniform_share is -0.1"),
        ({"baseline": "last"}, "baseline is 'last'"),
        ({"untried": "drop"}, "untried is 'drop'"),
        ({"best_by": "return"}, "best_by is 'return'"),
        (
            {"strata": ((),)},
            r"strata is \(\(\),\); expected a list of items, each a list of whole numbers, .* not empty",
        ),
        ({"strata": ((-1,),)}, r"strata is \(\(-1,\),\); expected"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SuccessProgressSettings(**setting)
