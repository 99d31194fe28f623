"""The skill tree grows and keeps its orders as the source's does, and the defects found there are absent."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from teachgym.data.observation import TreeField
from teachgym.data.skills import Skill
from teachgym.data.tree_plan import TreePlan, TreePlans
from teachgym.envs.data.grown_tree import GrownTree
from teachgym.envs.data.skill_tree import MENU, SkillTreeEnv
from tests.data.toy import settings


def make(**more: Any) -> SkillTreeEnv:
    arguments = {"action": "plan", "rounds": 20, "subskills": 3, **settings(**{"budget": 5000, **more})}
    made = gymnasium.make("teachgym/SkillTree-v0", disable_env_checker=True, **arguments).unwrapped
    assert isinstance(made, SkillTreeEnv)
    made.reset(seed=0)
    return made


def empty_plan(env: SkillTreeEnv) -> TreePlan:
    assert isinstance(env.action_space, TreePlans)
    return env.action_space.empty()


def explore(env: SkillTreeEnv, new: int, each: int) -> TreePlan:
    plan = empty_plan(env)
    plan["explore"][:], plan["new"][:], plan["each"][:] = 1, new, each
    return plan


def exploit(env: SkillTreeEnv, *changes: int) -> TreePlan:
    plan = empty_plan(env)
    plan["change"][:, : len(changes)] = changes
    return plan


def orders(env: SkillTreeEnv) -> list[list[int]]:
    return [list(tree.orders) for tree in env.lifetime.trees]


def test_it_begins_with_all_skills_and_no_subskills() -> None:
    env = make(student_settings={"needed": 0})
    observation, info = env.reset(seed=0)
    assert observation.shape == (3, 4, len(TreeField))
    assert observation[:, 0, TreeField.ACTIVE].tolist() == [1, 1, 1]
    assert observation[:, 1:].sum() == 0
    assert info["skill_accuracy"] == {"same": 0.0, "next": 0.0, "double": 0.0}


def test_exploring_adds_subskills_and_orders_and_makes_what_is_ordered() -> None:
    env = make()
    observation, *_, info = env.step(explore(env, 2, 3))
    assert orders(env) == [[3, 3]] * 3
    assert [tree.made for tree in env.lifetime.trees] == [[3, 3]] * 3
    assert info["budget_used"] == 18
    assert {example.path for example in env.lifetime.data} == {
        (skill, size) for skill in ("same", "next", "double") for size in ("small", "middle")
    }
    assert observation[:, 0, TreeField.ALLOCATION].tolist() == [6, 6, 6]
    assert observation[:, 1:, TreeField.MADE].tolist() == [[3, 3, 0]] * 3


def test_exploring_one_by_one_makes_three_more_each_time_until_all_is_grown() -> None:
    env = make()
    spent = [env.step(explore(env, 1, 1))[4]["feedback"].cost for _ in range(5)]
    assert spent == [3, 6, 9, 9, 9]
    assert all(tree.is_complete for tree in env.lifetime.trees)


def test_orders_stand_until_they_are_changed_and_never_fall_below_zero() -> None:
    env = make()
    env.step(explore(env, 2, 5))
    assert env.step(exploit(env))[4]["feedback"].cost == 30
    assert env.step(exploit(env, -5, 2))[4]["feedback"].cost == 21
    assert orders(env) == [[0, 7]] * 3
    env.step(exploit(env, -50, 0))
    assert orders(env) == [[0, 7]] * 3
    env.step(exploit(env, 4, -7))  # taken up again
    assert orders(env) == [[4, 0]] * 3
    env.step(exploit(env, 0, 0, 9))  # a slot that nothing is in
    assert orders(env) == [[4, 0]] * 3


def test_one_skill_can_explore_while_another_exploits() -> None:
    env = make()
    env.step(explore(env, 1, 4))
    plan = exploit(env, 6)
    plan["explore"][1], plan["new"][1], plan["each"][1] = 1, 1, 2
    observation, *_ = env.step(plan)
    assert orders(env) == [[10], [4, 2], [10]]
    assert observation[:, 0, TreeField.LAST].tolist() == [-1, 1, -1]
    assert observation[:, 0, TreeField.EXPLORED].tolist() == [1, 2, 1]
    assert observation[:, 0, TreeField.EXPLOITED].tolist() == [1, 0, 1]


def test_accuracy_on_generated_data_is_known_once_there_is_some_and_never_nan() -> None:
    env = make(student_settings={"needed": 10})
    first, *_ = env.step(explore(env, 2, 4))
    assert first[:, 1:3, TreeField.TESTED].tolist() == [[1, 1]] * 3
    assert first[:, 1:3, TreeField.TRAINED_ACCURACY].tolist() == [[0, 0]] * 3
    second, reward, *_ = env.step(exploit(env, 0, -4))
    assert second[:, 1:3, TreeField.TRAINED_ACCURACY].tolist() == [[1, 0]] * 3  # the second was asked no more
    assert second[:, 1:3, TreeField.TESTED].tolist() == [[1, 1]] * 3
    assert reward == pytest.approx(1.0)
    assert second[:, 0, TreeField.REWARD].tolist() == [1, 1, 1]
    third, reward, *_ = env.step(exploit(env, -4))
    assert reward == 0
    assert np.isfinite(third).all()
    assert third[:, 0, TreeField.REWARD].tolist() == [0, 0, 0]


def test_orders_beyond_the_budget_are_cut_in_proportion() -> None:
    env = make(budget=20)
    *_, over, _, info = env.step(explore(env, 2, 10))
    assert over
    assert info["budget_used"] == 20
    assert sorted(n for tree in env.lifetime.trees for n in tree.made) == [3, 3, 3, 3, 4, 4]


def test_deeper_trees_grow_level_by_level_and_know_their_parents() -> None:
    skill = Skill("a", (Skill("b", (Skill("c"), Skill("d"))), Skill("e", (Skill("f"),))))
    tree = GrownTree(skill, most=4)
    tree.explore(3, 1)
    assert tree.paths == [("a", "b"), ("a", "e"), ("a", "b", "c")]
    assert [tree.parent(slot) for slot in range(3)] == [0, 0, 1]
    tree.explore(9, 1)
    assert len(tree.paths) == 4
    assert tree.is_complete
    shallow = GrownTree(skill, most=9, depth=1)
    shallow.explore(9, 1)
    assert shallow.paths == [("a", "b"), ("a", "e")]


def test_a_skill_without_parts_is_its_own_only_subskill() -> None:
    tree = GrownTree(Skill("a"), most=4)
    tree.explore(2, 5)
    assert (tree.paths, tree.orders, tree.parent(0), tree.is_complete) == ([("a",)], [5], 0, True)


def test_random_growth_keeps_levels_and_is_fixed_by_its_seed() -> None:
    skill = Skill("a", tuple(Skill(f"b{k}", (Skill("c"),)) for k in range(6)))
    trees = [GrownTree(skill, most=12, shuffled_by=[seed]) for seed in (1, 1, 2)]
    for tree in trees:
        tree.explore(12, 0)
        assert [len(path) for path in tree.paths] == [2] * 6 + [3] * 6
    assert trees[0].paths == trees[1].paths != trees[2].paths


def test_what_the_menu_stands_for() -> None:
    env = make(action="menu", budget=300, rounds=10, student_settings={"needed": 1})
    env.step(np.full(3, MENU.index("explore")))
    assert orders(env) == [[5, 5]] * 3  # a step's part for a skill is 300 / 10 / 3
    env.step(np.array([MENU.index("keep"), MENU.index("halve"), MENU.index("stop")]))
    assert orders(env) == [[5, 5], [2, 2], [0, 0]]
    env.lifetime.trees[0].trained[:] = [1.0, 0.0]
    env.step(np.array([MENU.index("to-weak")] * 3))
    assert orders(env)[0] == [0, 10]
    assert orders(env)[2] == [5, 5]  # with both known, alike; 256 examples are left for 8 steps and 3 skills
