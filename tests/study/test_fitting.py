"""What environments declare is so, and the table of what fits is what can be made."""

from functools import partial
from typing import Any

import pytest

import teachgym
from teachgym.agents import TEACHERS
from teachgym.core.teacher_env import TeacherEnv
from teachgym.study.environments import make_teacher_env
from teachgym.study.fitting import all_fits, fitting_teachers, teacher_environments
from tests.envs.every_environment import TABLE

DECLARED = [(name, number) for name, found in teacher_environments() for number in range(len(found.on_demand))]
KNOWN = {"Distillation": {"weights": "sample"}}
"""With which what is best is known."""
READING = {"subject": "math", "student": "transformer", "student_settings": {"layers": 1, "width": 18}}
DIRECTED = ("oracle", "annealing")
"""Teachers that need settings where the environment knows no direction of difficulty."""


def make(name: str, **settings: Any) -> TeacherEnv:
    return make_teacher_env(name, {**TABLE[name].quick_settings, **settings})


@pytest.mark.parametrize(("name", "number"), DECLARED)
def test_an_environment_gives_on_demand_what_it_declares_and_not_by_default(name: str, number: int) -> None:
    option = dict(teacher_environments())[name].on_demand[number]
    more: dict[str, Any] = KNOWN.get(name, {}) if "truth" in option.keywords else {}
    more = READING if option.keywords == {"action": "examples"} else more
    plain, asked = make(name, **more).teaching_spec, make(name, **more, **option.keywords).teaching_spec
    for kind, space, before in (
        (option.action_space, asked.action_space, plain.action_space),
        (option.observation_space, asked.observation_space, plain.observation_space),
    ):
        if kind is not None:
            assert isinstance(space, kind)
            assert not isinstance(before, kind)
    assert asked.offers == plain.offers | option.offers
    assert not plain.offers & option.offers


def test_the_table_has_every_environment_that_can_be_made_by_default() -> None:
    groups = all_fits()
    named = [name for names, _ in groups for name in names]
    assert sorted([*named, "TaskTeaching"]) == sorted(dict(teacher_environments()))
    assert all("random" in fits for _, fits in groups)
    assert {name for _, fits in groups for name in fits} == set(TEACHERS)


@pytest.mark.parametrize("name", ["Hypercubes", "SelfDistillation", "SimulatedSkills", "SkillList", "SkillTree"])
def test_what_fits_can_be_made(name: str) -> None:
    """One of each group."""
    fits = fitting_teachers(partial(make_teacher_env, name))
    for teacher, entry in TEACHERS.items():
        if teacher in fits and not entry.requires and (name == "Hypercubes" or teacher not in DIRECTED):
            env, acting = teachgym.pair(name, teacher, seed=0, **TABLE[name].quick_settings)
            observation, _ = env.reset(seed=0)
            assert env.action_space.contains(acting.act(observation)), teacher


@pytest.mark.parametrize("teacher", ["weak-first", "spdl", "threshold", "rule", "paired"])
def test_what_is_not_in_the_table_is_refused(teacher: str) -> None:
    assert teacher not in fitting_teachers(partial(make_teacher_env, "SimulatedSkills"))
    with pytest.raises(ValueError, match=f"teacher '{teacher}' does not fit environment 'SimulatedSkills'"):
        teachgym.pair("SimulatedSkills", teacher, seed=0)
