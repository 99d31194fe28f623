"""Rules for skill trees behave as those of the source: its conformance checks, played on a plain tree."""

from typing import Any

import numpy as np
import pytest

from teachgym.agents import teacher_class
from teachgym.agents.tree_rules.alternating import Alternating, AlternatingSettings
from teachgym.agents.tree_rules.balanced_orders import (
    BalanceWeak,
    BalanceWeakSettings,
    UniformTree,
    UniformTreeSettings,
)
from teachgym.agents.tree_rules.fill_balanced import FillBalanced, FillBalancedSettings
from teachgym.agents.tree_rules.random_explore_exploit import RandomExploreExploit, RandomExploreExploitSettings
from teachgym.agents.tree_rules.threshold import Threshold, ThresholdSettings
from teachgym.core.teacher import Teacher
from teachgym.testing import check_teacher
from tests.agents.data_specs import PlainTree, shares_problem, tree_problem

NAMES = ("uniform-tree", "balance-weak", "threshold", "alternating", "fill-balanced", "random-explore-exploit")


def play(teacher: Teacher, tree: PlainTree, steps: int) -> list[list[bool]]:
    """Which skills were explored in every step."""
    explored = []
    for _ in range(steps):
        plan: Any = teacher.act(tree.observe())
        assert teacher.spec.action_space.contains(plan)
        explored.append(tree.step(plan))
    return explored


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(name: str) -> None:
    check_teacher(teacher_class(name), specs=[tree_problem(1, 1), tree_problem(3, 10)], episodes=40)


@pytest.mark.parametrize("name", NAMES)
def test_it_begins_by_growing_every_skill(name: str) -> None:
    assert play(teacher_class(name)(tree_problem(3, 10), seed=0), PlainTree(3, 10), 1) == [[True] * 3]


def test_the_threshold_explores_unless_the_last_step_helped() -> None:
    tree, teacher = PlainTree(2, 30), Threshold(tree_problem(2, 30), seed=0)
    play(teacher, tree, 1)
    assert tree.orders == [[10] * 10] * 2
    tree.rewards = [0.02, 0.01]
    assert play(teacher, tree, 1) == [[False, True]]
    assert tree.orders == [[20] * 10, [10] * 15]


def test_the_threshold_exploits_where_nothing_is_left_to_explore() -> None:
    tree, teacher = PlainTree(1, 30, parts=4), Threshold(tree_problem(1, 30), ThresholdSettings(more=3), seed=0)
    assert play(teacher, tree, 3) == [[True], [False], [False]]
    assert tree.orders == [[16] * 4]


@pytest.mark.parametrize("skills", [1, 2, 3])
@pytest.mark.parametrize("cap", [50, 3])
def test_alternating_explores_every_other_step_and_stays_below_its_cap(skills: int, cap: int) -> None:
    settings = AlternatingSettings(new=2, each=5, cap=cap)
    tree, teacher = PlainTree(skills, 40), Alternating(tree_problem(skills, 40), settings, seed=0)
    for step in range(30):
        (explored,) = play(teacher, tree, 1)
        for k, orders in enumerate(tree.orders):
            assert sum(order > 0 for order in orders) in (0, 2)
            assert sum(tree.made[k]) <= cap
            if step < 2 * (cap // 10):
                assert explored[k] == (step % 2 == 0)
            assert bool(sum(orders)) == (explored[k])
    assert all(sum(made) == (50 if cap == 50 else 2) for made in tree.made)


def test_alternating_sets_to_zero_what_it_explored_and_explores_again() -> None:
    tree, teacher = PlainTree(1, 10), Alternating(tree_problem(1, 10), AlternatingSettings(new=2, each=5), seed=0)
    play(teacher, tree, 1)
    assert tree.orders == [[5, 5]]
    plan = teacher.act(tree.observe())
    assert plan["change"][0, :2].tolist() == [-5, -5]
    tree.step(plan)
    play(teacher, tree, 1)
    assert tree.orders == [[0, 0, 5, 5]]


def test_alternating_takes_up_what_has_least_once_all_is_grown() -> None:
    settings = AlternatingSettings(new=2, each=5, cap=40)
    tree, teacher = PlainTree(1, 10, parts=3), Alternating(tree_problem(1, 10), settings, seed=0)
    play(teacher, tree, 20)
    assert sum(tree.made[0]) <= 40
    assert max(tree.made[0]) - min(tree.made[0]) <= 5


@pytest.mark.parametrize(
    ("skills", "subskills", "target", "cap"), [(1, 1, 15, 5), (1, 3, 15, 5), (3, 3, 15, 5), (3, 3, 20, 6)]
)
def test_fill_balanced_fills_every_subskill_to_its_target(skills: int, subskills: int, target: int, cap: int) -> None:
    settings = FillBalancedSettings(subskills=subskills, target=target, cap=cap)
    tree, teacher = PlainTree(skills, 10), FillBalanced(tree_problem(skills, 10), settings, seed=0)
    for _ in range(50):
        play(teacher, tree, 1)
        assert all(order <= cap for orders in tree.orders for order in orders)
    assert tree.made == [[target] * subskills] * skills
    assert tree.orders == [[0] * subskills] * skills


def test_random_moves_keep_their_limits_and_toss_a_fair_coin() -> None:
    settings = RandomExploreExploitSettings(most_new=3, most=20, most_active=5)
    tree, teacher = PlainTree(40, 1000), RandomExploreExploit(tree_problem(40, 1000), settings, seed=0)
    assert play(teacher, tree, 1) == [[True] * 40]
    coins = 0.0
    for _ in range(20):
        room = [sum(order > 0 for order in orders) < 5 for orders in tree.orders]
        (explored,) = play(teacher, tree, 1)
        coins += sum(explored) - sum(room) / 2
        assert all(sum(order > 0 for order in orders) <= 5 for orders in tree.orders)
    assert abs(coins) < 4 * np.sqrt(40 * 20 / 4)


def test_uniform_trees_make_as_much_of_everything_and_spend_the_whole_budget() -> None:
    tree, teacher = PlainTree(3, 10, parts=4), UniformTree(tree_problem(3, 10, budget=600), seed=0)
    play(teacher, tree, 6)
    assert sum(map(sum, tree.made)) == 600
    assert all(abs(made - 50) <= 6 for skill in tree.made for made in skill)
    small = UniformTree(tree_problem(3, 10, budget=600), UniformTreeSettings(new=2, examples=30), seed=0)
    again = PlainTree(3, 10)
    play(small, again, 2)
    assert sum(map(sum, again.made)) == 60
    assert [len(orders) for orders in again.orders] == [2, 2, 2]


def test_balance_weak_moves_data_to_what_is_not_known() -> None:
    settings = BalanceWeakSettings(new=2, examples=120, floor=0.0)
    tree, teacher = PlainTree(2, 10, parts=2), BalanceWeak(tree_problem(2, 10), settings, seed=0)
    play(teacher, tree, 1)
    tree.accuracy = {(0, 0): 1.0, (0, 1): 0.5, (1, 0): 0.75, (1, 1): 0.25}
    play(teacher, tree, 1)
    assert tree.orders == [[0, 40], [20, 60]]


def test_balance_weak_grows_a_skill_that_is_known_and_without_feedback_is_uniform() -> None:
    tree, teacher = PlainTree(2, 10), BalanceWeak(tree_problem(2, 10), BalanceWeakSettings(new=2, examples=80), seed=0)
    play(teacher, tree, 1)
    tree.accuracy = {(0, slot): 0.9 for slot in range(2)}
    assert play(teacher, tree, 1) == [[True, False]]
    blind = PlainTree(2, 10, parts=2)
    play(teacher, blind, 2)
    assert blind.orders == [[20, 20], [20, 20]]


def test_settings_and_environments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="cap is 0"):
        AlternatingSettings(cap=0)
    with pytest.raises(ValueError, match="threshold is nan"):
        ThresholdSettings(threshold=float("nan"))
    with pytest.raises(ValueError, match="explore is 2"):
        RandomExploreExploitSettings(explore=2)
    with pytest.raises(ValueError, match="it acts on TreePlans, and the action space is Shares"):
        Threshold(shares_problem(3), seed=0)
