"""Teachers that divide data among skills do so by their formulas."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym.agents import teacher_class
from teachgym.agents.allocation.frontier import FloorSettings, Frontier, GainFirst
from teachgym.agents.allocation.single_skill import SingleSkill, SingleSkillSettings
from teachgym.agents.allocation.weak_first import ProportionalSettings, StrongFirst, WeakFirst
from teachgym.core.teacher import Teacher
from teachgym.data.observation import SkillRow
from tests.agents.data_specs import shares_problem, tree_problem

NAMES = ("uniform", "random-shares", "weak-first", "strong-first", "frontier", "gain-first", "single-skill")
ACCURACY = np.array([0.0, 0.25, 0.5, 1.0])


def rows(accuracy: Any = ACCURACY, gain: Any = 0.0) -> NDArray[np.float32]:
    seen = np.zeros((len(SkillRow), 4), np.float32)
    seen[SkillRow.ACCURACY], seen[SkillRow.GAIN] = accuracy, gain
    return seen


def shares(teacher: Teacher, seen: Any) -> list[float]:
    action = teacher.act(seen)
    assert teacher.spec.action_space.contains(action)
    found: list[float] = action.tolist()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_without_anything_seen_all_skills_are_alike_or_the_rule_does_not_look(name: str) -> None:
    teacher = teacher_class(name)(shares_problem(4), seed=0)
    given = shares(teacher, rows(0.0))
    if name == "single-skill":
        assert given == [1, 0, 0, 0]
    elif name != "random-shares":
        assert given == [0.25] * 4


def test_the_formulas() -> None:
    spec = shares_problem(4)
    wrong, between = 1 - ACCURACY, ACCURACY * (1 - ACCURACY)
    assert shares(WeakFirst(spec, seed=0), rows()) == pytest.approx(wrong / wrong.sum())
    sharp = WeakFirst(spec, ProportionalSettings(sharpness=2, floor=0.2), seed=0)
    assert shares(sharp, rows()) == pytest.approx(0.05 + 0.8 * wrong**2 / (wrong**2).sum())
    assert shares(StrongFirst(spec, seed=0), rows()) == pytest.approx(ACCURACY / ACCURACY.sum())
    bare = Frontier(spec, FloorSettings(floor=0), seed=0)
    assert shares(bare, rows()) == pytest.approx(between / between.sum())
    gains = np.array([0.1, -0.3, 0.0, 0.0])
    assert shares(GainFirst(spec, seed=0), rows(gain=gains)) == pytest.approx([0.25, 0.7, 0.025, 0.025])


def test_once_all_is_known_the_weak_are_all_alike() -> None:
    assert shares(WeakFirst(shares_problem(4), seed=0), rows(1.0)) == [0.25] * 4


def test_random_shares_are_uniform_over_the_simplex() -> None:
    teacher = teacher_class("random-shares")(shares_problem(4), seed=0)
    drawn = np.array([shares(teacher, rows()) for _ in range(4000)])
    assert drawn.mean(axis=0) == pytest.approx([0.25] * 4, abs=0.02)
    assert (drawn**2).mean(axis=0) == pytest.approx([2 / 20] * 4, abs=0.01)  # of a flat Dirichlet: 2 / (K (K + 1))


def test_a_single_skill_has_a_number_or_a_name() -> None:
    spec = shares_problem(3)
    assert shares(SingleSkill(spec, SingleSkillSettings(skill="s2"), seed=0), np.zeros((5, 3))) == [0, 0, 1]
    with pytest.raises(ValueError, match="unknown skill 's4'"):
        SingleSkill(spec, SingleSkillSettings(skill="s4"), seed=0)
    with pytest.raises(ValueError, match="skill is 3; expected a number from 0 to 2"):
        SingleSkill(spec, SingleSkillSettings(skill=3), seed=0)


def test_settings_and_environments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="sharpness is 0"):
        ProportionalSettings(sharpness=0)
    with pytest.raises(ValueError, match="floor is 2"):
        FloorSettings(floor=2)
    with pytest.raises(ValueError, match="it acts on Shares, and the action space is TreePlans"):
        WeakFirst(tree_problem(2, 3), seed=0)
