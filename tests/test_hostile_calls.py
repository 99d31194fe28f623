"""Two thousand calls with values that make no sense: each works, or says in a sentence what is wrong."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from teachgym.base.named_settings import NamedSettings
from teachgym.core.teacher_env import TeacherEnv
from teachgym.envs.data.data_env import DataEnv
from teachgym.envs.data.data_settings import DataSettings
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import CallableStudent
from tests.agents.test_every_teacher import NAMES, spec
from tests.agents.test_every_teacher import make as make_pair
from tests.base.test_settings import CLASSES, ENVIRONMENTS, arguments
from tests.hostile_calls import (
    Call,
    command_calls,
    environment_calls,
    keyword_calls,
    settings_calls,
    teacher_calls,
    value_calls,
)
from tests.toy import Reach, noisy_walk

DATA = {"subject": "digits", "student": "simulated", "rounds": 4, "budget": 80}


def registered(name: str, **settings: Any) -> TeacherEnv:
    made = gymnasium.make(f"teachgym/{name}-v0", disable_env_checker=True, **settings).unwrapped
    assert isinstance(made, TeacherEnv)
    return made


def curriculum(**settings: Any) -> TeacherEnv:
    student = CallableStudent(noisy_walk)
    limits: dict[str, Any] = {"budget": 200, "outcome_range": (-5.0, 0.0), "mastered_above": -1.0}
    return TaskTeachingEnv(Reach, student=student, **limits, **settings)


MAKERS: dict[str, Callable[[], TeacherEnv]] = {
    "cubes": lambda: registered("Hypercubes", cubes_per_dimension=3, budget=50),
    "probed cubes": lambda: registered(
        "Hypercubes", cubes_per_dimension=3, budget=50, probes="counted", antagonist=True
    ),
    "skills": lambda: registered("SimulatedSkills", budget=20),
    "tasks": lambda: registered("SimulatedTasks", budget=20),
    "challenge": lambda: registered("Challenge", challenge="mostly-trivial", cubes_per_dimension=3, budget=50),
    "schedule": lambda: registered("SelfDistillation"),
    "curriculum": curriculum,
    "probed tasks": lambda: curriculum(probes="free", antagonist=True),
    **{
        f"{name} {action}": lambda name=name, action=action: registered(name, action=action, **DATA)  # type: ignore[misc]
        for name, actions in {
            "OpenEnded": ("discrete", "weights"),
            "SkillList": ("discrete", "shares", "counts"),
            "SkillTree": ("discrete", "menu", "plan"),
        }.items()
        for action in actions
    },
}


def of_keywords() -> Iterator[Call]:
    for name in ENVIRONMENTS:
        found: Any = gymnasium.envs.registration.load_env_creator(gymnasium.spec(name).entry_point)  # type: ignore[arg-type]
        names = list(arguments(found))
        if issubclass(found, DataEnv):
            yield from keyword_calls(name, [*names, *(field.name for field in fields(DataSettings))], DATA)
        else:
            yield from keyword_calls(name, names, {})


def of_teachers(folder: Path) -> Iterator[Call]:
    for name in NAMES:
        text = spec(name, folder)
        env, _ = make_pair(text)
        yield from teacher_calls(env, name, NamedSettings.parse(text).settings)


KINDS: dict[str, tuple[int, Callable[[Path], Iterator[Call]]]] = {
    "settings": (400, lambda folder: settings_calls(CLASSES)),
    "keywords": (160, lambda folder: of_keywords()),
    "environments": (600, lambda folder: (call for make in MAKERS.values() for call in environment_calls(make))),
    "teachers": (400, of_teachers),
    "values": (400, lambda folder: value_calls()),
    "commands": (40, command_calls),
}
"""How many calls of each kind: 2,000 in all."""


def is_a_sentence(error: Exception) -> bool:
    text = str(error).partition(" was raised from the environment creator")[0]  # Gymnasium adds the arguments
    return 10 < len(text) < 1500 and "\n" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_with_a_hostile_value_works_or_is_refused_in_a_sentence(kind: str, tmp_path: Path) -> None:
    count, make = KINDS[kind]
    rng = np.random.default_rng(15)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        calls = list(make(tmp_path))
        refused = 0
        for number in range(count):
            try:
                calls[number % len(calls)](rng)
            except (ValueError, TypeError) as error:
                refused += 1
                if not is_a_sentence(error):
                    pytest.fail(f"call {number} ends in {error!r}")
    assert refused > count / 10


@pytest.mark.parametrize("name", MAKERS)
def test_an_environment_gives_the_same_episode_after_hostile_calls(name: str) -> None:
    env, untouched = MAKERS[name](), MAKERS[name]()
    rng = np.random.default_rng(1)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for call in environment_calls(lambda: env):
            for _ in range(3):
                with contextlib.suppress(ValueError, TypeError):
                    call(rng)
    seen = []
    for one in (env, untouched):
        one.action_space.seed(3)
        one.reset(seed=3)
        steps: list[tuple[float, int]] = []
        over = False
        while not over and len(steps) < 3:
            _, reward, over, _, info = one.step(one.action_space.sample())
            steps.append((float(reward), info["spent"]))
        seen.append(steps)
        one.close()
    assert seen[0] == seen[1]
