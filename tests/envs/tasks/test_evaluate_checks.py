"""``env.evaluate(tasks)`` takes what ``step`` takes, one task a row, and nothing else."""

from typing import Any

import numpy as np
import pytest

import teachgym
from tests.envs.every_environment import TABLE
from tests.test_hostile_calls import MAKERS

KINDS = ("cubes", "skills", "tasks", "challenge", "curriculum", "schedule", "SkillList shares", "SkillTree menu")


@pytest.mark.parametrize("name", KINDS)
def test_only_lists_of_tasks_within_their_bounds_are_tested(name: str) -> None:
    env = MAKERS[name]()
    env.reset(seed=0)
    space = env.lifetime.test_space
    middle, n = space.low.copy(), space.dimensions
    wrong: dict[str, Any] = {
        "one task without brackets": middle,
        "out of range": [space.high + 1],
        "below the range": [middle, space.low - 5],
        "NaN": [np.full(n, np.nan)],
        "too wide": np.zeros((1, n + 1)),
        "too narrow": np.zeros((1, n - 1)),
        "none": np.zeros((0, n)),
        "an empty list": [],
        "text": [["0.5"] * n],
        "a word": "all",
        "None": [None],
        "objects": [[object()] * n],
        "flags": [[True] * n],
        "three levels": [[middle]],
        "ragged": [middle, [0.0] * (n + 1)],
        "beyond floating point": [[10**400] * n],
    }
    for what, tasks in wrong.items():
        with pytest.raises(ValueError, match=r"^(tasks?|task parameter) [^\n]*expected [^\n]*$"):
            pytest.fail(f"{name} tests {what}: {env.evaluate(tasks)}")
    result = env.evaluate([middle.tolist()]) if name != "skills" else env.evaluate([[0]])
    assert len(result.tasks) == 1


@pytest.mark.parametrize("name", ["SkillList shares", "SkillTree menu"])
def test_a_number_between_two_skills_is_not_a_skill(name: str) -> None:
    env = MAKERS[name]()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="expected numbers of skills, whole and below 6"):
        env.evaluate([[0.5]])


def test_a_schedule_tests_its_student_as_a_whole() -> None:
    env = MAKERS["schedule"]()
    env.reset(seed=0)
    assert env.evaluate([[0]]).mean_return == env.evaluate().mean_return
    with pytest.raises(ValueError, match=r"expected \[\[0\]\], the student as a whole"):
        env.evaluate([[1.0]])


@pytest.mark.parametrize("wrong", [None, "x", [], [float("nan")], 10**400, [[0.5]], object(), [True]])
@pytest.mark.parametrize("name", ["SelfDistillation", "SkillList", "SkillTree", "OpenEnded"])
def test_a_decision_of_a_probe_is_checked_as_any_other(name: str, wrong: Any) -> None:
    env = teachgym.make(name, **{**TABLE[name].quick_settings, "probes": "counted"})
    env.reset(seed=0)
    for action in (wrong, *({"decision": wrong, "probe": probe} for probe in (0, 1))):
        with pytest.raises(ValueError, match=r"^[^\n]*expected [^\n]*$"):
            env.step(action)
    assert env.spent == 0
