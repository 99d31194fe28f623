from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.arms.arms import Arms, ArmSettings
from teachgym.core.spaces import ProbeSpace
from teachgym.core.task_space import Parameter, TaskSpace
from tests.agents.specs import WALKER, spec


def box(dimensions: int) -> spaces.Box:
    return spaces.Box(-1.0, 3.0, (dimensions,))


@pytest.mark.parametrize(
    ("dimensions", "most", "cells"),
    [
        (1, 100, (100,)),
        (2, 100, (10, 10)),
        (2, 99, (9, 9)),
        (3, 100, (4, 4, 4)),
        (6, 100, (2,) * 6),
        (7, 100, (2,) * 6 + (1,)),
        (30, 100, (2,) * 6 + (1,) * 24),
        (3, 1, (1, 1, 1)),
        (2, 3, (2, 1)),
        (3, 1000, (10, 10, 10)),
    ],
)
def test_the_grid_has_as_many_cells_as_fit(dimensions: int, most: int, cells: tuple[int, ...]) -> None:
    arms = Arms(spec(box(dimensions)), ArmSettings(most_arms=most))
    assert arms.cells == cells
    assert len(arms) == np.prod(cells) <= most


@pytest.mark.parametrize("space", [box(1), box(3), WALKER, spaces.Box(-1.0, 1.0, (2, 2), np.float32)])
def test_tasks_are_uniform_in_the_cell_of_their_arm(space: spaces.Box) -> None:
    arms, rng = Arms(spec(space), ArmSettings(most_arms=20)), np.random.default_rng(0)
    for arm in range(len(arms)):
        low, high = arms.bounds(arm)
        drawn = [arms.draw(arm, rng) for _ in range(200)]
        assert all(space.contains(action) and arms.arm_of(action) == arm for action in drawn)
        shares = (np.array([np.ravel(action) for action in drawn]) - low) / (high - low)
        np.testing.assert_allclose(shares.mean(axis=0), 0.5, atol=0.12)
        np.testing.assert_allclose(shares.std(axis=0), 12**-0.5, atol=0.06)
        assert arms.arm_of((low + high) / 2) == arm


def test_cells_fill_the_box_without_overlap() -> None:
    arms = Arms(spec(), ArmSettings(cells=(3, 2)))
    areas = [float(np.prod(np.subtract(*reversed(arms.bounds(arm))))) for arm in range(6)]
    assert np.isclose(sum(areas), 18)
    assert [corner.tolist() for corner in arms.bounds(1)] == [[0, 3], [1, 6]]
    grid = np.random.default_rng(0).uniform([0, 0], [3, 6], (500, 2))
    for task in grid:
        inside = [
            arm for arm in range(6) if (arms.bounds(arm)[0] <= task).all() and (task <= arms.bounds(arm)[1]).all()
        ]
        assert inside == [arms.arm_of(task)]


def test_numbered_arms_are_themselves() -> None:
    space = spaces.Discrete(7, start=3)
    arms, rng = Arms(spec(space)), np.random.default_rng(0)
    before = rng.bit_generator.state
    assert len(arms) == 7
    for arm in range(7):
        action = arms.draw(arm, rng)
        assert space.contains(action)
        assert action == arm + 3
        assert arms.arm_of(np.array([action])) == arm
        assert [corner.tolist() for corner in arms.bounds(arm)] == [[arm + 3]] * 2
    assert rng.bit_generator.state == before


def test_probes_actions_train() -> None:
    action = Arms(spec(ProbeSpace(WALKER))).draw(0, np.random.default_rng(0))
    assert ProbeSpace(WALKER).contains(action)
    assert action["probe"] == 0


def test_out_of_bounds_is_the_nearest_cell_and_the_upper_bound_is_in_the_last() -> None:
    arms = Arms(spec(TaskSpace([Parameter("x", 0, 1)])), ArmSettings(cells=(4,)))
    assert [arms.arm_of([x]) for x in (-1, 0, 0.25, 0.99, 1, 2)] == [0, 0, 1, 3, 3, 3]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"most_arms": 0}, "most_arms is 0; expected a whole number, at least 1"),
        ({"cells": (2, 0)}, r"cells is \(.*0\); expected a list of whole numbers, each at least 1"),
        ({"cells": (2, 1.5)}, r"cells is .*1.5.; expected a list of whole numbers"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArmSettings(**setting)


def test_cells_must_fit_the_space() -> None:
    with pytest.raises(ValueError, match=r"cells is \(2,\); expected 2 numbers"):
        Arms(spec(), ArmSettings(cells=(2,)))
    with pytest.raises(ValueError, match="product is at most 100000"):
        Arms(spec(), ArmSettings(cells=(1000, 1000)))
    with pytest.raises(ValueError, match="the tasks are arms already"):
        Arms(spec(spaces.Discrete(3)), ArmSettings(cells=(3,)))
    with pytest.raises(ValueError, match="box of floating-point numbers, or arms"):
        Arms(spec(spaces.Box(0, 255, (2,), np.uint8)))
    with pytest.raises(ValueError, match="box"):
        Arms(spec(spaces.MultiBinary(3)))
