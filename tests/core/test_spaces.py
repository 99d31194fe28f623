"""Spaces of decisions that may be probes, and of observations that end with the truth."""

import copy
import pickle
from typing import Any

import pytest
from gymnasium import spaces

from teachgym.core.spaces import BoxWithTruth, ProbeSpace
from teachgym.core.task_space import Parameter, TaskSpace

TASKS = TaskSpace([Parameter("height", 0.0, 3.0)])
MADE: list[spaces.Space[Any]] = [
    ProbeSpace(TASKS),
    ProbeSpace(spaces.Discrete(5)),
    BoxWithTruth([0.0, -1.0], [1.0, 1.0], truth=1),
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


def test_what_is_of_another_kind_is_not_equal() -> None:
    plain = spaces.Dict({"decision": TASKS, "probe": spaces.Discrete(2)})
    assert ProbeSpace(TASKS) != plain
    assert plain != ProbeSpace(TASKS)
    assert ProbeSpace(TASKS) != ProbeSpace(spaces.Discrete(5))
    box = BoxWithTruth([0.0, 0.0], [1.0, 1.0], truth=1)
    assert box != spaces.Box(0.0, 1.0, (2,))
    assert box != BoxWithTruth([0.0, 0.0], [1.0, 1.0], truth=2)


def test_decisions_are_what_stands_beside_the_probe() -> None:
    space = ProbeSpace(TASKS)
    assert space.decisions == TASKS
    assert str(space) == "ProbeSpace(TaskSpace(height [0, 3]))"
    assert {space.sample()["probe"] for _ in range(50)} == {0, 1}


@pytest.mark.parametrize("truth", [0, 3])
def test_the_truth_is_a_part_of_the_numbers(truth: int) -> None:
    with pytest.raises(ValueError, match=f"truth is {truth}; expected a whole number, at least 1 and at most 2"):
        BoxWithTruth([0.0, 0.0], [1.0, 1.0], truth=truth)
