import re
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.base.task_actions import TaskActions
from teachgym.core.spaces import ProbeSpace
from tests.agents.specs import WALKER, spec


@pytest.mark.parametrize(
    "space", [spaces.Box(-1.0, 1.0, (2, 2), np.float32), WALKER, spaces.Box(0.0, 1.0, ()), spaces.Discrete(4, start=-2)]
)
def test_actions_lie_in_the_space_and_come_back_as_the_task(space: spaces.Space[Any]) -> None:
    actions, rng = TaskActions(spec(space)), np.random.default_rng(0)
    for _ in range(50):
        task = actions.uniform(rng, actions.low, actions.high)
        action = actions.action(task)
        assert space.contains(action)
        np.testing.assert_allclose(actions.vector(action), task, rtol=1e-6)


def test_arms_between_two_numbers_are_equally_likely_with_both_ends() -> None:
    actions, rng = TaskActions(spec(spaces.Discrete(10, start=3))), np.random.default_rng(0)
    drawn = [int(actions.uniform(rng, np.array([4.0]), np.array([6.0]))[0]) for _ in range(3000)]
    numbers, counts = np.unique(drawn, return_counts=True)
    assert numbers.tolist() == [4, 5, 6]
    assert counts.min() > 900


def test_where_probes_are_offered_the_student_always_trains() -> None:
    action = TaskActions(spec(ProbeSpace(WALKER))).action(np.array([9.0, 1.0]))
    assert action["probe"] == 0
    assert action["decision"].tolist() == [3, 1]


def test_tasks_that_a_person_wrote_are_checked() -> None:
    numbered = TaskActions(spec(spaces.Discrete(3, start=5)))
    assert numbered.validate(6).tolist() == [6]
    assert numbered.validate({"arm": 7}).tolist() == [7]
    assert TaskActions(spec()).validate({"spacing": 1, "height": 2}).tolist() == [2, 1]
    for wrong in (8, 5.5, "five", [5, 6], {"task": 5}):
        with pytest.raises(ValueError, match=rf"task {re.escape(repr(wrong))} is not an arm; expected .*whole number"):
            numbered.validate(wrong)
    with pytest.raises(ValueError, match="height"):
        TaskActions(spec()).validate([4, 0])
    with pytest.raises(ValueError, match="the feedback's task has 2 numbers; expected 1"):
        numbered.vector([1, 2])
