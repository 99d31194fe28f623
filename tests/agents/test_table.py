import subprocess
import sys
from dataclasses import replace
from typing import Any

import gymnasium
import pytest

from teachgym.agents import TEACHERS, make_teacher, teacher_class
from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.handmade.random import Random
from teachgym.agents.progress.alp_gmm import AlpGmm, AlpGmmSettings
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.teacher import Teacher
from teachgym.testing.made_up import made_up_specs
from tests.agents.specs import WALKER, spec

EASY = EasyTasks((0.0, 6.0), (0.3, 0.6))


class Environment(gymnasium.Env[Any, Any]):
    """As much of a teacher environment as a teacher is made from."""

    observation_space = spec().observation_space
    action_space = spec().action_space

    @property
    def teaching_spec(self) -> TeachingSpec:
        return spec()


class GenerousEnvironment(Environment):
    """One that offers everything."""

    @property
    def teaching_spec(self) -> TeachingSpec:
        offers = ~Needs.RULES
        return replace(spec(), action_space=ProbeSpace(WALKER), offers=offers, easy_tasks=EASY)


class Needy(TaskTeacher):
    """A teacher that asks for more than the environment has."""

    needs = Needs.VALUES

    def _choose(self) -> Any: ...
    def _learn(self, task: Any, outcome: float) -> None: ...


class RareEnvironment(Environment):
    """One whose actions are shares of data, or plans for a skill tree, or that states rules."""

    def __init__(self, required: Requirements) -> None:
        (self._spec, *_) = made_up_specs(required)

    @property
    def teaching_spec(self) -> TeachingSpec:
        return self._spec


@pytest.mark.parametrize("name", [name for name, entry in TEACHERS.items() if not entry.requires])
def test_every_name_in_the_table_makes_a_teacher(name: str) -> None:
    required = teacher_class(name).requirements(teacher_class(name).Settings())
    fits = not required.unmet(GenerousEnvironment().teaching_spec)
    teacher = make_teacher(name, GenerousEnvironment() if fits else RareEnvironment(required), seed=0)
    assert isinstance(teacher, teacher_class(name))
    assert type(teacher).__doc__ != Teacher.__doc__


@pytest.mark.parametrize("name", [name for name, entry in TEACHERS.items() if entry.requires == "file"])
def test_what_is_made_from_a_file_asks_for_it(name: str) -> None:
    with pytest.raises(ValueError, match="path"):
        make_teacher(name, GenerousEnvironment(), seed=0)


def test_a_teacher_may_be_given_by_name_path_or_class() -> None:
    assert teacher_class("random") is Random
    assert teacher_class("teachgym.agents.handmade.random:Random") is Random
    assert teacher_class(Random) is Random


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ("alp_gmm", ValueError, "unknown teacher 'alp_gmm'; did you mean 'alp-gmm'"),
        ("no.such.module:Teacher", ValueError, "can't be imported"),
        ("teachgym.agents.handmade.random:Rnadom", ValueError, "can't be imported"),
        (":Random", ValueError, "can't be imported"),
        ("collections:OrderedDict", TypeError, "expected a name .* or a subclass"),
        ("math:pi", TypeError, "or a subclass"),
        (dict, TypeError, "or a subclass"),
        (None, TypeError, "or a subclass"),
    ],
)
def test_what_is_no_teacher_is_refused(wrong: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        teacher_class(wrong)


def test_overrides_replace_single_settings() -> None:
    env = Environment()
    assert make_teacher("alp-gmm", env, seed=0, fit_every=10).settings == AlpGmmSettings(fit_every=10)
    settings = AlpGmmSettings(fit_every=10, criterion="bic")
    made = make_teacher(AlpGmm, env, seed=0, settings=settings, fit_every=20)
    assert made.settings == AlpGmmSettings(fit_every=20, criterion="bic")


def test_wrong_settings_are_named() -> None:
    env = Environment()
    with pytest.raises(ValueError, match="unknown setting of AlpGmm: 'fit_evry'; did you mean 'fit_every'"):
        make_teacher("alp-gmm", env, seed=0, fit_evry=10)
    with pytest.raises(ValueError, match="fit_every is 0"):
        make_teacher("alp-gmm", env, seed=0, fit_every=0)
    with pytest.raises(TypeError, match="expected a AlpGmmSettings"):
        make_teacher("alp-gmm", env, seed=0, settings={"fit_every": 10})
    with pytest.raises(TypeError, match=r"settings are .*; expected a AlpGmmSettings"):
        make_teacher("alp-gmm", env, seed=0, settings={"fit_every": 10}, criterion="bic")


def test_only_a_teacher_environment_will_do() -> None:
    with pytest.raises(TypeError, match="is not a teacher environment"):
        make_teacher("random", gymnasium.make("CartPole-v1"), seed=0)


def test_a_teacher_that_needs_more_than_the_environment_offers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Needy does not fit .*: it needs values, and .* offers success;"):
        make_teacher(Needy, Environment(), seed=0)


def test_a_wrapped_environment_will_do() -> None:
    assert isinstance(make_teacher("random", gymnasium.Wrapper(Environment()), seed=0), Random)


def test_the_table_imports_no_teacher_until_it_is_asked_for() -> None:
    code = "import sys, teachgym.agents; sys.exit('teachgym.agents.progress.alp_gmm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
