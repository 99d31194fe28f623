from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.handmade.random import Random
from teachgym.core.seeding import fan_out
from teachgym.core.spaces import ProbeSpace
from teachgym.data.spaces import Examples, Orders, Shares
from teachgym.data.tree_plan import TreePlans
from teachgym.testing.teacher import check_teacher
from tests.agents.specs import WALKER, spec


def test_tasks_fill_the_space_evenly() -> None:
    teacher = Random(spec(), seed=0)
    tasks = np.array([teacher.act(None) for _ in range(4000)])
    counts, *_ = np.histogram2d(tasks[:, 0], tasks[:, 1], bins=4, range=[[0, 3], [0, 6]])
    assert counts.min() > 200
    assert counts.max() < 300
    assert teacher.origin == "random"


def test_arms_are_equally_likely() -> None:
    teacher = Random(spec(spaces.Discrete(5, start=2)), seed=0)
    arms, counts = np.unique([teacher.act(None) for _ in range(5000)], return_counts=True)
    assert arms.tolist() == [2, 3, 4, 5, 6]
    assert counts.min() > 900
    assert counts.max() < 1100


def test_tasks_of_a_box_are_the_generators_next_uniform_numbers() -> None:
    rng = np.random.default_rng(fan_out(3).teacher)
    plain = Random(spec(), seed=3)
    probing = Random(spec(ProbeSpace(WALKER)), seed=3)
    for _ in range(5):
        expected = rng.uniform([0, 0], [3, 6]).tolist()
        assert plain.act(None).tolist() == expected
        action = probing.act(None)
        assert action["decision"].tolist() == expected
        assert action["probe"] == 0


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_actions_have_the_shape_and_dtype_of_any_box(shape: tuple[int, ...], dtype: type[np.floating]) -> None:
    box = spaces.Box(-0.1, 0.3, shape, dtype)
    action = Random(spec(box), seed=0).act(None)
    assert action.shape == shape
    assert action.dtype == dtype
    assert box.contains(action)


OTHERS: list[spaces.Space[Any]] = [
    spaces.MultiBinary(3),
    spaces.MultiDiscrete([5, 5]),
    spaces.Box(0, 255, (2,), np.uint8),
    spaces.Box(-np.inf, 0),
    Shares(3),
    TreePlans(2, 3, 50),
    Orders(4, 50),
    Examples(),
]


@pytest.mark.parametrize("space", [*OTHERS, *map(ProbeSpace, OTHERS)], ids=str)
def test_it_acts_on_every_action_space(space: spaces.Space[Any]) -> None:
    check_teacher(Random, episodes=20, specs=[spec(space)])
    teacher = Random(spec(space), seed=0)
    actions = [teacher.act(None) for _ in range(50)]
    assert all(space.contains(action) for action in actions)
    assert len({str(action) for action in actions}) > 6
    if isinstance(space, ProbeSpace):
        assert not any(action["probe"] for action in actions)
