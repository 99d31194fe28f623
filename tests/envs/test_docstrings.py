"""What the docstrings of environments state of ranges, defaults, rewards and rules is so."""

import ast
import inspect
import re
from contextlib import nullcontext
from dataclasses import fields
from typing import Any

import pytest
from gymnasium import spaces

from teachgym.core.needs import Needs
from teachgym.envs import ENVIRONMENTS, PROBLEMS, WORLDS
from teachgym.envs.entries import Scale
from teachgym.envs.simulated.skill_model import SkillSettings
from teachgym.envs.simulated.task_model import TaskSettings
from teachgym.study.environments import environment_class
from tests.envs.every_environment import make

TAUGHT = {**PROBLEMS, **ENVIRONMENTS}
NAMES = [*WORLDS, *TAUGHT]
REWARDS = {"outcome": "the outcome", "learning-progress": "learning progress", "gain": "or the gain"}
"""Rewards that simulated and acting students offer, and what the summary calls them."""


def section(name: str, heading: str) -> str:
    """A section of the docstring, on one line."""
    text = inspect.getdoc(environment_class(name)) or ""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def variants(name: str) -> list[Any]:
    """The environment with all settings with which it is another problem."""
    return [make(name, variant).unwrapped for variant in ("", *TAUGHT[name].variants)]


def bounds(space: spaces.Space[Any]) -> set[tuple[float, float]]:
    if not isinstance(space, spaces.Box):
        return set()
    return {(round(float(low), 6), round(float(high), 6)) for low, high in zip(space.low, space.high, strict=True)}


@pytest.mark.parametrize("name", TAUGHT)
def test_stated_ranges_of_actions_are_those_of_the_spaces(name: str) -> None:
    number = r"(-?\d+(?:\.\d+)?)"
    stated = re.findall(rf"(?:from |\| ){number}[^.;|]{{0,30}}? to {number}", section(name, "Action Space"))
    actual = set().union(*(bounds(env.action_space) for env in variants(name)))
    assert {(float(low), float(high)) for low, high in stated} in (set(), actual)


@pytest.mark.parametrize("name", TAUGHT)
def test_stated_sizes_of_observations_are_those_of_the_spaces(name: str) -> None:
    env: Any = make(name).unwrapped
    count = re.search(r"(\d+) numbers( and the last task)?,? from 0 to 1", section(name, "Observation Space"))
    if count is not None:
        task = env.task_space.dimensions if count[2] else 0
        assert env.observation_space == spaces.Box(0.0, 1.0, (int(count[1]) + task,))


def defaults(name: str) -> dict[str, Any]:
    """Of all keywords that the environment takes."""
    found: dict[str, Any] = {}
    settings = {"SimulatedSkills": SkillSettings, "SimulatedTasks": TaskSettings}.get(name)
    for cls in reversed(environment_class(name).__mro__):
        if "__init__" in vars(cls):
            keywords = inspect.signature(cls).parameters.values()
            found |= {keyword.name: keyword.default for keyword in keywords if keyword.default is not keyword.empty}
    return found | ({field.name: field.default for field in fields(settings)} if settings else {})


@pytest.mark.parametrize("name", NAMES)
def test_stated_defaults_are_those_of_the_keywords(name: str) -> None:
    actual, stated = defaults(name), dict[str, Any]()
    for keyword, value in re.findall(r"``(\w+)=([^`=]+)``", section(name, "Arguments")):
        if keyword in actual and value[0] in "'\"-0123456789NTF(":
            stated.setdefault(keyword, ast.literal_eval(value))
    of_problem = {"outcome_range"} & stated.keys() if name == "ObstacleCourse" else set()
    for keyword in of_problem:  # chosen by the environment where the base has another default
        assert stated.pop(keyword) == getattr(variants(name)[0].teaching_spec, keyword)
    assert {keyword: actual[keyword] for keyword in stated} == stated


@pytest.mark.parametrize("name", ["TaskTeaching", "Hypercubes", "SimulatedSkills", "SimulatedTasks"])
def test_stated_rewards_are_those_that_can_be_asked_for(name: str) -> None:
    (line,) = re.findall(r"- Reward: (.*?) - ", section(name, "In Short"))
    for reward, words in REWARDS.items():
        stated = words in line or f'``"{reward}"``' in section(name, "Rewards")
        with nullcontext() if stated else pytest.raises(ValueError, match="reward"):
            make(name, reward=reward)


@pytest.mark.parametrize("name", PROBLEMS)
def test_reference_policies_that_are_named_are_rules(name: str) -> None:
    environments = variants(name)
    for settings, scale in PROBLEMS[name].suite.items():
        if scale == Scale():
            environments.append(make(name, settings, truth=True).unwrapped)
    assert all(Needs.RULES in env.teaching_spec.offers for env in environments)
    known = set(defaults(name)).union(*(env.teaching_spec.rules for env in environments))
    named = set(re.findall(r"``([a-z][a-z-]*)``", section(name, "Reference Policies")))
    assert "none" in named
    assert named <= known
    words = section(name, "Reference Policies")
    assert not re.search(r"[|,:] source (\d|\|)", words), "a rule goes by its name, not by that of its origin"
