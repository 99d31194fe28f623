"""An environment and a teacher are made for each other, or what would fit is said."""

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any, ClassVar

import gymnasium
import pytest
from gymnasium import spaces

import teachgym
from teachgym.agents.allocation.weak_first import WeakFirst
from teachgym.agents.handmade.random import Random
from teachgym.core.requirements import OnDemand
from teachgym.core.spaces import BoxWithTruth, ProbeSpace
from teachgym.core.teacher import Teacher
from teachgym.core.teacher_env import TeacherEnv
from teachgym.data.observation import SkillRows, TreeFields
from teachgym.data.spaces import AnyText, Examples, Orders, Shares
from teachgym.data.tree_plan import TreePlans
from teachgym.envs.simulated.hypercubes import HypercubesEnv
from teachgym.envs.simulated.tasks_env import SimulatedTasksEnv
from tests.data.toy import settings

SPOKEN = "tests.study.test_pair:tests/Spoken-v0"
MODEL = {"model": "toy"}


class Spoken(SimulatedTasksEnv):
    """A stranger's environment, which tells of its student in words if it is asked to."""

    on_demand: ClassVar[tuple[OnDemand, ...]] = (
        *SimulatedTasksEnv.on_demand,
        OnDemand({"words": True}, observation_space=spaces.Text),
    )
    made: ClassVar[list[bool]] = []

    def __init__(self, *, words: bool = False, **tasks: Any) -> None:
        super().__init__(**tasks)
        self.made.append(words)
        if words:
            seen: Any = AnyText()
            self.observation_space = seen
            self.teaching_spec = replace(self.teaching_spec, observation_space=seen)


class Reader(Random):  # type: ignore[misc]
    """A stranger's teacher."""

    reads = spaces.Text


if "tests/Spoken-v0" not in gymnasium.registry:
    gymnasium.register("tests/Spoken-v0", entry_point=Spoken)


@pytest.mark.parametrize(
    ("env", "teacher", "chosen", "actions", "seen"),
    [
        ("SkillList-v0", "weak-first", {}, Shares, SkillRows),
        ("teachgym/SkillList-v0", "tscl", {}, spaces.Discrete, SkillRows),
        ("SkillList", "alp-gmm", {}, spaces.Box, SkillRows),
        ("SkillList", "language-model", MODEL, Shares, AnyText),
        ("SkillTree", "threshold", {}, TreePlans, TreeFields),
        ("SkillTree", "language-model", {**MODEL, "acts": "tree"}, TreePlans, AnyText),
        ("OpenEnded", "language-model", {**MODEL, "acts": "orders"}, Orders, AnyText),
        ("OpenEnded", "language-model", {**MODEL, "acts": "examples"}, Examples, AnyText),
    ],
)
def test_data_is_taught_with_the_action_and_the_observation_that_the_teacher_needs(
    env: str, teacher: str, chosen: dict[str, Any], actions: type[Any], seen: type[Any]
) -> None:
    student = "tests.data.toy:Practice"
    made, acting = teachgym.pair(env, teacher, seed=3, teacher_settings=chosen, **settings(student=student))
    assert type(made.action_space) is actions
    assert type(made.observation_space) is seen
    assert acting.spec is made.teaching_spec


@pytest.mark.parametrize(
    ("env", "teacher", "chosen", "actions", "seen"),
    [
        ("Hypercubes", "robust-plr", {}, ProbeSpace, spaces.Box),
        ("Hypercubes", "alp-gmm", {}, teachgym.TaskSpace, spaces.Box),
        ("SelfDistillation", "rule", {}, teachgym.TaskSpace, spaces.Box),
        ("SelfDistillation", "rule", {"name": "truth"}, teachgym.TaskSpace, BoxWithTruth),
        ("Intervention", "bandit", {}, teachgym.TaskSpace, spaces.Box),
    ],
)
def test_tasks_and_controls_are_asked_for_probes_and_for_the_truth(
    env: str, teacher: str, chosen: dict[str, Any], actions: type[Any], seen: type[Any]
) -> None:
    made, acting = teachgym.pair(env, teacher, seed=3, teacher_settings=chosen)
    assert type(made.action_space) is actions
    assert type(made.observation_space) is seen
    assert isinstance(made, TeacherEnv)
    observation, _ = made.reset(seed=3)
    assert made.action_space.contains(acting.act(observation))


def test_an_environment_can_be_made_without_wrappers() -> None:
    env = teachgym.make("Hypercubes", budget=5)
    assert type(env) is HypercubesEnv
    assert env.budget == 5
    with pytest.raises(ValueError, match="no setting 'budgt'"):
        teachgym.make("Hypercubes", budgt=5)


def test_the_readmes_pair_teaches() -> None:
    env, teacher = teachgym.pair("SkillList-v0", "weak-first", seed=0, **settings())
    record = teachgym.teach(env, teacher, seed=0)
    assert isinstance(teacher, WeakFirst)
    assert env.evaluate().returns.mean() > 0
    assert len(record.feedback) == env.lifetime.most_rounds  # type: ignore[attr-defined]


def test_a_teacher_may_be_a_class_and_has_its_settings_and_its_seed() -> None:
    _, teacher = teachgym.pair("Hypercubes", "alp-gmm", seed=0, teacher_settings={"fit_every": 10})
    assert teacher.settings.fit_every == 10
    first, again, other = (teachgym.pair("Hypercubes", Random, seed=seed)[1].act(None) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_settings_of_the_environment_may_have_any_name() -> None:
    env, _ = teachgym.pair("Challenge", "sfl", seed=0, env="SimulatedTasks", budget=30)
    assert (env.budget, env.teaching_spec.has_probes) == (30, True)


def test_what_is_given_by_name_is_not_changed() -> None:
    env, _ = teachgym.pair("Hypercubes", "sfl", seed=0, probes="free")
    assert env.teaching_spec.has_probes
    assert env.reset(seed=0)[1]["spent"] == env.step({"decision": [0.5, 0.5], "probe": 1})[4]["spent"] == 0
    with pytest.raises(ValueError, match="it acts on Shares, and the action space is Discrete"):
        teachgym.pair("SkillList", "weak-first", seed=0, action="discrete", **settings())


def test_a_strangers_environment_is_asked_as_it_declares_and_made_once() -> None:
    for teacher, words in ((Reader, True), ("random", False), ("sfl", False)):
        Spoken.made.clear()
        env, _ = teachgym.pair(SPOKEN, teacher, seed=0)
        assert isinstance(env.observation_space, spaces.Text) is words
        assert Spoken.made == [words]


FITS = r"; teachers that fit it: {}, .*; environments that fit the teacher: {}$"


@pytest.mark.parametrize(
    ("env", "teacher", "chosen", "message"),
    [
        (
            "Hypercubes",
            "weak-first",
            {},
            r"^teacher 'weak-first' does not fit environment 'Hypercubes': it acts on Shares, and the action space is "
            r"TaskSpace\(x_0 \[0, 1\], x_1 \[0, 1\]\); it reads SkillRows, and the observation space is Box\(.*\)"
            + FITS.format("random, constant", "SkillList"),
        ),
        (
            "SelfDistillation",
            "spdl",
            {},
            r"it needs values, and the environment offers rules" + FITS.format("random, constant", "Challenge, .*"),
        ),
        (
            "StreamAdaptation",
            "rule",
            {"name": "truth"},
            r"^teacher 'rule,name=truth' does not .*: it reads BoxWithTruth, and the observation space is Box"
            r".*; environments that fit the teacher: Intervention, ProxyDistillation, PseudoLabel, SelfDistillation$",
        ),
        (
            "SkillTree",
            "language-model",
            {"model": "toy", "acts": "orders"},
            r"it acts on Orders, and the action space is Discrete\(30\); .*fit the teacher: OpenEnded$",
        ),
    ],
)
def test_a_pair_that_does_not_fit_says_what_is_missing_and_what_would_fit(
    env: str, teacher: str, chosen: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        teachgym.pair(env, teacher, seed=0, teacher_settings=chosen)
    assert len(str(caught.value).split()) < 150


def test_an_environment_that_refuses_what_it_is_asked_for_says_why() -> None:
    with pytest.raises(ValueError, match=r"truth=True, it refuses: truth is True; what is best is not known"):
        teachgym.pair("Distillation", "rule", seed=0, teacher_settings={"name": "truth"})


@pytest.mark.parametrize(
    ("env", "teacher", "chosen", "error", "message"),
    [
        ("Hypercube", "random", {}, ValueError, "unknown environment 'Hypercube'; did you mean 'Hypercubes'"),
        ("Hypercubes", "randon", {}, ValueError, "unknown teacher 'randon'; did you mean 'random'"),
        ("Hypercubes", dict, {}, TypeError, "a subclass of"),
        ("Hypercubes", "alp-gmm", {"fit_evry": 1}, ValueError, "fit_every"),
        ("Hypercubes", "alp-gmm", {"fit_every": 0}, ValueError, "fit_every is 0"),
        ("TaskTeaching", "random", {}, ValueError, "environment 'TaskTeaching' can't be made"),
        ("ParametricBipedalWalker", "random", {}, ValueError, "is not a teacher environment"),
    ],
)
def test_what_can_not_be_made_is_named(
    env: str, teacher: Any, chosen: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        teachgym.pair(env, teacher, seed=0, teacher_settings=chosen)


def test_an_environment_is_closed_if_its_teacher_can_not_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Any] = []
    monkeypatch.setattr(SimulatedTasksEnv, "close", lambda self: closed.append(self))
    with pytest.raises(ValueError, match="expected path to name"):
        teachgym.pair("SimulatedTasks", "manual", seed=0)
    assert len(closed) == 1


def test_the_pair_is_there_before_anything_heavy_is_imported() -> None:
    code = "import sys, teachgym; teachgym.pair('Hypercubes', 'random', seed=0); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "matplotlib", "sklearn"}.isdisjoint(done.stdout.split())


def test_a_teacher_that_says_nothing_acts_on_anything() -> None:
    class Silent(Teacher):
        def _act(self, observation: Any) -> Any: ...
        def _update(self, transition: Any, note: Any) -> None: ...

    env, teacher = teachgym.pair("SkillTree", Silent, seed=0, **settings())
    assert isinstance(env.action_space, spaces.Discrete)
    assert isinstance(teacher, Silent)
