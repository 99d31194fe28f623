from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.handmade.constant import Constant, ConstantSettings
from tests.agents.specs import spec, teach


def test_the_task_never_changes() -> None:
    teacher = Constant(spec(), ConstantSettings((1.0, 2.0)), seed=0)
    tasks = teach(teacher, 20, lambda task: float(np.random.default_rng(0).random()))
    assert {tuple(task.tolist()) for task in tasks} == {(1.0, 2.0)}
    assert teacher.origin == "constant"
    window = teacher.sampling()
    assert window.low.tolist() == window.high.tolist() == [1, 2]


def test_it_is_the_middle_or_the_first_arm_unless_told_otherwise() -> None:
    assert Constant(spec(), seed=0).act(None).tolist() == [1.5, 3]
    assert Constant(spec(spaces.Discrete(4, start=2)), seed=0).act(None) == 2
    assert Constant(spec(spaces.Discrete(4, start=2)), ConstantSettings(5), seed=0).act(None) == 5


@pytest.mark.parametrize("task", ["centre", (1.0, float("nan")), ((1.0,), (2.0,))])
def test_bad_settings_are_named(task: Any) -> None:
    with pytest.raises(ValueError, match=r"task is .*; expected"):
        ConstantSettings(task)


def test_tasks_outside_the_space_are_refused() -> None:
    with pytest.raises(ValueError, match="task parameter 'height' is 9"):
        Constant(spec(), ConstantSettings((9.0, 0.0)), seed=0)
    with pytest.raises(ValueError, match=r"task 4 is not an arm; expected a whole number in \[0, 3\]"):
        Constant(spec(spaces.Discrete(4)), ConstantSettings(4), seed=0)
