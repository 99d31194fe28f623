"""Spaces of data: shares, plans, orders, examples, and what is seen of skills."""

import copy
import json
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray

from teachgym.data.observation import SkillRows, TreeFields
from teachgym.data.spaces import AnyText, Examples, Orders, Shares
from teachgym.data.tree_plan import TreePlans
from tests.data.toy import settings

MADE: list[spaces.Space[Any]] = [
    Shares(1),
    Shares(7),
    AnyText(),
    Orders(4, 50),
    Examples(),
    TreePlans(2, 3, 50),
    SkillRows(3),
    TreeFields(2, 3),
]


@pytest.mark.parametrize("space", MADE, ids=str)
def test_copies_are_equal_and_samples_are_fixed_by_the_seed(space: spaces.Space[Any]) -> None:
    twins = [space, copy.deepcopy(space), pickle.loads(pickle.dumps(space))]
    for twin in twins:
        twin.seed(3)
    first, *others = [twin.sample() for twin in twins]
    assert space.contains(first)
    assert all(str(other) == str(first) for other in others)
    assert twins[0] == twins[1] == twins[2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Shares(3), Shares(4)),
        (Shares(3), spaces.Box(0.0, 1.0, (3,))),
        (Orders(4, 50), Orders(4, 60)),
        (Orders(4, 50), spaces.Sequence(Orders(4, 50).feature_space)),
        (Examples(), spaces.Sequence(Examples().feature_space)),
        (TreePlans(2, 3, 50), TreePlans(2, 4, 50)),
        (TreePlans(2, 3, 50), spaces.Dict(TreePlans(2, 3, 50).spaces)),
        (SkillRows(3), spaces.Box(-1.0, 1.0, (5, 3))),
        (TreeFields(2, 3), TreeFields(3, 2)),
    ],
    ids=str,
)
def test_what_is_of_another_kind_or_size_is_not_equal(one: spaces.Space[Any], other: spaces.Space[Any]) -> None:
    assert one != other
    assert other != one


@pytest.mark.parametrize(
    "wrong",
    [
        np.full(3, 0.5, np.float32),
        np.array([1.5, -0.5, 0.0], np.float32),
        np.full(2, 0.5, np.float32),
        np.full(3, 1 / 3),
        np.full(3, np.nan, np.float32),
        [1.0, 0.0, 0.0],
        "shares",
    ],
    ids=str,
)
def test_what_is_no_share_is_not_in_the_space(wrong: Any) -> None:
    assert not Shares(3).contains(wrong)
    assert Shares(3).contains(np.array([0.2, 0.3, 0.5], np.float32))


def test_shares_are_uniform_over_all_that_there_are() -> None:
    space = Shares(3, seed=0)
    drawn = np.array([space.sample() for _ in range(3000)])
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / 3, atol=0.02)
    np.testing.assert_allclose((drawn > 0.5).mean(axis=0), 1 / 4, atol=0.03)  # (1 - 0.5) squared


def test_shares_go_through_json() -> None:
    space = Shares(3, seed=0)
    drawn = [space.sample() for _ in range(3)]
    read = space.from_jsonable(json.loads(json.dumps(space.to_jsonable(drawn))))
    assert all(one.dtype == np.float32 for one in read)
    np.testing.assert_array_equal(read, drawn)


def test_shares_are_actions_of_a_vector_of_environments() -> None:
    arguments = {"action": "shares", "rounds": 2, **settings()}
    vector = gymnasium.make_vec("teachgym/SkillList-v0", 2, vectorization_mode="sync", **arguments)
    vector.reset(seed=0)
    actions: NDArray[np.float32] = np.full((2, 3), 1 / 3, dtype=np.float32)
    _, rewards, *_ = vector.step(actions)
    assert rewards.shape == (2,)
    vector.close()


def test_an_empty_plan_is_one_and_changes_nothing() -> None:
    space = TreePlans(2, 3, 50)
    plan = space.empty()
    assert space.contains(plan)
    assert not any(plan[name].any() for name in ("explore", "new", "each", "change"))
