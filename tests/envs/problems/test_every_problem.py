"""What holds in every schedule."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from teachgym.core.task_space import FloatArray
from teachgym.envs import PROBLEMS
from teachgym.envs.problems.control_env import ControlEnv
from teachgym.envs.problems.self_distillation.env import SelfDistillationEnv, SelfDistiller
from teachgym.testing import check_control_env
from tests.envs import every_environment

VARIANTS = [(name, settings) for name, entry in PROBLEMS.items() for settings in ("", *entry.variants)]
IN_SUITE = [(name, settings) for name, entry in PROBLEMS.items() for settings in entry.suite]


def make(name: str, variant: str = "", **settings: Any) -> ControlEnv:
    env = every_environment.make(name, variant, **settings).unwrapped
    assert isinstance(env, ControlEnv)
    return env


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_it_keeps_the_contract(name: str, variant: str) -> None:
    check_control_env(lambda **settings: make(name, variant, **settings))


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_its_documentation_states_the_ranges_of_its_controls(name: str, variant: str) -> None:
    env = make(name, variant)
    section = (type(env).__doc__ or "").partition("## Action Space")[2].partition("##")[0]
    stated = " ".join(re.sub(r"\([^()]*\)", "", section).split())
    for control in env.task_space.parameters:
        assert f"from {control.low:g} to {control.high:g}" in stated or "from ``low`` to ``high``" in stated, control


@pytest.mark.parametrize(("name", "variant"), IN_SUITE)
def test_what_is_best_is_shown_only_where_it_is_known_and_asked_for(name: str, variant: str) -> None:
    if PROBLEMS[name].suite[variant].ceiling != "rule,name=truth":
        with pytest.raises(ValueError, match="not known"):
            make(name, variant, truth=True)
        return
    env, told = make(name, variant), make(name, variant, truth=True)
    assert "truth" in told.teaching_spec.rules
    best = {f"best_{name}" for name in told.task_space.names}
    assert best <= set(told.observation_names)
    assert not best & set(env.observation_names)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(
    "settings",
    [
        {"budget": 0},
        {"price": -1.0},
        {"price": float("nan")},
        {"reward": "outcome"},
        {"probes": "free"},
        {"truth": 1},
    ],
)
def test_settings_that_are_not_allowed_are_refused(name: str, settings: dict[str, Any]) -> None:
    (field,) = settings
    with pytest.raises(ValueError, match=field):
        make(name, **settings)


@pytest.mark.parametrize("name", PROBLEMS)
def test_rules_make_no_probes(name: str) -> None:
    env = make(name, probes="counted")
    observation, _ = env.reset(seed=0)
    actions = [rule(observation) for rule in env.teaching_spec.rules.values()]
    assert all(env.action_space.contains(action) for action in actions)
    assert not any(action["probe"] for action in actions)


class Forgetful(SelfDistiller):
    """A student whose probes and steps differ, as its generator is shared by its copies."""

    rng = np.random.default_rng(0)

    def learn(self, controls: FloatArray) -> float:
        return super().learn(np.clip(controls + 0.1 * self.rng.random(), 0, 1))


class Generous(SelfDistiller):
    """A student whose score moves when it is looked at."""

    looked = 0.0

    def score(self) -> float:
        self.looked += 1e-3
        return super().score() + self.looked


def with_student(student: type[SelfDistiller]) -> Callable[..., ControlEnv]:
    """Self-distillation with another student."""

    def made(**settings: Any) -> ControlEnv:
        env = SelfDistillationEnv(**settings)
        make_student = env.lifetime._make_student

        def changed(seeds: Any) -> SelfDistiller:
            made = make_student(seeds)
            made.__class__ = student
            assert isinstance(made, SelfDistiller)
            return made

        env.lifetime._make_student = changed
        return env

    return made


@pytest.mark.parametrize("student", [Forgetful, Generous])
def test_a_student_that_breaks_the_contract_is_found_out(student: type[SelfDistiller]) -> None:
    with pytest.raises(AssertionError):
        check_control_env(with_student(student))


def test_a_schedule_without_the_rule_none_is_found_out() -> None:
    def made(**settings: Any) -> ControlEnv:
        env = SelfDistillationEnv(**settings)
        env.teaching_spec.rules.pop("none")  # type: ignore[attr-defined]
        return env

    with pytest.raises(AssertionError, match='must be "none"'):
        check_control_env(made)
