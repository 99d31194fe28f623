"""In every family an attribute that changes and is not kept is found by the contract check."""

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from teachgym.agents import teacher_class
from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.handmade.manual import Manual, ManualSettings
from teachgym.base import state
from teachgym.base.named_settings import NamedSettings
from teachgym.base.state import Stateful, stored
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.lifetime import Lifetime
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.requirements import Requirements
from teachgym.core.reward_rule import OutcomeReward, RewardRule
from teachgym.core.spec import TeachingSpec
from teachgym.core.student_history import StudentHistory
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Teacher
from teachgym.core.teacher_env import TeacherEnv
from teachgym.data.engine import Batch, Order
from teachgym.data.example import Example
from teachgym.envs.data.data_env import DataEnv
from teachgym.envs.data.engines.procedural_engine import ProceduralEngine
from teachgym.envs.data.skill_list import SkillListLifetime, SkillListView
from teachgym.envs.problems.self_distillation.env import SelfDistiller
from teachgym.envs.simulated.hypercubes import HypercubesEnv, HypercubesStudent
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import CallableStudent
from teachgym.students.rl.ppo import PPOSettings, PPOStudent
from teachgym.students.supervised.simulated import SimulatedSupervisedStudent
from teachgym.testing import (
    check_control_env,
    check_data_engine,
    check_student,
    check_subject,
    check_supervised_student,
    check_teacher,
    check_teacher_env,
    check_world,
)
from teachgym.testing.equality import difference
from teachgym.testing.forgotten import forgotten
from teachgym.testing.made_up import made_up_antagonist, made_up_specs, made_up_trace
from teachgym.testing.student import Slide
from tests.agents.test_every_teacher import NAMES, spec
from tests.data.toy import Numbers
from tests.envs.problems.test_every_problem import with_student
from tests.toy import Reach, noisy_walk

QUICK_PPO = PPOSettings(slots=2, rollout_steps=20, batch_size=20, epochs=1, hidden=(4,), device="cpu")


class Streak(TaskTeacher):
    """Goes up by steps that grow, of which only the level is kept."""

    keeps = ("level",)
    level = streak = 0.0

    def _choose(self) -> tuple[FloatArray, str]:
        return self.task_space.denormalise(np.full(self.task_space.dimensions, self.level)), "streak"

    def _learn(self, task: FloatArray, outcome: float) -> None:
        self.streak += 0.001
        self.level = (self.level + self.streak) % 1.0


class Unused(Streak):
    """Keeps all that it acts on, and counts something beside."""

    keeps = ("streak",)
    good = 0

    def _learn(self, task: FloatArray, outcome: float) -> None:
        super()._learn(task, outcome)
        self.good += outcome > 0


class Tired(SimulatedSupervisedStudent):  # type: ignore[misc]  # final; stands for an outside author's own
    """Learns less with every training."""

    trained = 0

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        super().train(examples, updates=updates)
        self.trained += updates > 0
        self.competence = self.competence / max(self.trained, 1)


class Diary(SimulatedSupervisedStudent):  # type: ignore[misc]
    """Counts something that it does not use."""

    trained = 0

    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        super().train(examples, updates=updates)
        self.trained += 1


class Cooling(PPOStudent):
    """Explores less with every rollout."""

    rollouts = 0

    def learn(self, *arguments: Any, **named: Any) -> None:
        self.rollouts = 0
        super().learn(*arguments, **named)

    def _before_rollout(self, algorithm: Any) -> None:
        self.rollouts += 1
        super()._before_rollout(algorithm)
        algorithm.policy.log_std.data -= 0.1 * self.rollouts


class Unscaled(PPOStudent):
    """Can't act as before, as it does not store what observations are normalised by."""

    def state_dict(self) -> Any:
        state = super().state_dict()
        assert state is not None
        return {**state, "normaliser": None}


class Numbered(Numbers):
    """Makes other examples every time."""

    made = 0

    def make(self, path: Any, count: int, rng: np.random.Generator) -> list[Example]:
        self.made += 1
        return super().make(path, count, np.random.default_rng([int(rng.integers(2**31)), self.made]))


class Bored(ProceduralEngine):  # type: ignore[misc]
    """Draws something else every time, and begins no new episode."""

    asked = 0

    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        self.asked += 1
        return super().make(orders, np.random.default_rng([int(rng.integers(2**31)), self.asked]), allowance=allowance)


class Windy(Slide):
    """Draws from a generator of its own, where an interrupted study goes on from ``np_random``."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if seed is not None:
            self.wind = np.random.default_rng(seed)
        _, info = super().reset(seed=seed, options=options)
        self._position += 0.1 * float(self.wind.random())
        return self._observation(), info


class Generous(OutcomeReward):
    """Pays more for every episode, from what it has paid."""

    paid = 0

    def begin(self, lifetime: Lifetime[Any]) -> None:
        self.paid = 0

    def pay(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> float:
        self.paid += feedback is not None
        return super().pay(feedback, lifetime) + self.paid


class Glance(StudentHistory):
    """Shows less with every observation."""

    looks = 0

    def begin(self, lifetime: Lifetime[Any]) -> None:
        super().begin(lifetime)
        self.looks = 0

    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Any:
        self.looks += 1
        return super().observe(feedback, lifetime) / self.looks


class Counted(SkillListLifetime):
    """Tells of less with every round."""

    taken = 0

    def _fresh(self) -> None:
        super()._fresh()
        self.taken = 0

    def teach(self, decision: Any) -> Feedback:
        self.taken += 1
        feedback = super().teach(decision)
        return replace(feedback, outcome=feedback.outcome / self.taken)


class Weary(HypercubesStudent):
    """A simulated student that is tired from the lifetimes before."""

    visits: ClassVar[int] = 0

    def learn(self, task: FloatArray) -> float:
        Weary.visits += 1
        return super().learn(task) / Weary.visits


class Uncopied(list[float]):
    """Is shared by what should be copies."""

    def __deepcopy__(self, memo: Any) -> "Uncopied":
        return self


class Shared(SelfDistiller):
    """Does more in every segment, by a count that a copy does not have for itself."""

    def learn(self, controls: FloatArray) -> float:
        segments = vars(self).setdefault("segments", Uncopied([0.0]))
        segments[0] += 0.1
        return super().learn(np.clip(controls * segments[0], 0, 1))


def tasks(*, reward: type[RewardRule] = OutcomeReward, view: type[StudentHistory] = StudentHistory) -> TeacherEnv:
    student = CallableStudent(noisy_walk)
    env = TaskTeachingEnv(Reach, student=student, budget=60, outcome_range=(-5.0, 0.0), mastered_above=-1.0)
    seen = view(env.task_space, (-5.0, 0.0))
    return TeacherEnv(env.lifetime, env.teaching_spec, reward=reward(), view=seen)


def skills() -> DataEnv:
    chosen: dict[str, Any] = {
        "subject": "tests.data.toy:Numbers",
        "student": "tests.data.toy:Practice",
        "action": "counts",
    }
    return DataEnv(Counted, SkillListView, **chosen, budget=120, rounds=6)


def weary() -> HypercubesEnv:
    env = HypercubesEnv(budget=40)
    env.lifetime._make_student = lambda seed: Weary(10, 2, 0.0)  # type: ignore[attr-defined]
    return env


PLANTED: dict[str, tuple[Callable[[], Any], str]] = {
    "teachers": (lambda: check_teacher(Streak, episodes=60), "does not continue the run"),
    "teachers, unused": (lambda: check_teacher(Unused, episodes=60), r"forgets self\.good"),
    "supervised students": (lambda: check_supervised_student(Tired, Numbers()), "one that loaded the state"),
    "supervised students, unused": (lambda: check_supervised_student(Diary, Numbers()), r"forgets self\.trained"),
    "RL students": (lambda: check_student(lambda: Cooling(QUICK_PPO), steps=300), "went on from learner_state"),
    "RL students, acting": (lambda: check_student(lambda: Unscaled(QUICK_PPO), steps=300), "acts otherwise after"),
    "simulated students": (lambda: check_teacher_env(weary), "the same seed and actions gave another episode"),
    "controlled students": (lambda: check_control_env(with_student(Shared)), "a probe foretold"),
    "subjects": (lambda: check_subject(Numbered), "the same generator made other examples"),
    "engines": (lambda: check_data_engine(Bored, Numbers()), r"other examples after begin\(\) in one that was used"),
    "worlds": (lambda: check_world(Windy), "with equal np_random, task and actions"),
    "rewards": (lambda: check_teacher_env(lambda: tasks(reward=Generous)), "stored half-way, and gone on with"),
    "views": (lambda: check_teacher_env(lambda: tasks(view=Glance)), "stored half-way, and gone on with"),
    "lifetimes": (lambda: check_teacher_env(skills), "stored half-way, and gone on with"),
}


@pytest.mark.parametrize("family", PLANTED)
def test_a_forgotten_attribute_is_found(family: str) -> None:
    check, message = PLANTED[family]
    with pytest.raises(AssertionError, match=message):
        check()


def makers(name: str, folder: Path) -> Iterator[tuple[TeachingSpec, Callable[[int], Teacher]]]:
    """How teachers of this name are made, for made-up specs."""
    found, settings = teacher_class(name), dict(NamedSettings.parse(spec(name, folder)).settings)
    chosen = None if name == "manual" else found.Settings(**settings)
    required = Requirements(needs=Needs.EASY_TASKS if name == "annealing" else NOTHING)
    for facts in made_up_specs(required if chosen is None else found.requirements(chosen).needing(required.needs))[:2]:
        if name == "manual":
            path = folder / f"{facts.task_space.dimensions}.json"
            path.write_text(json.dumps([facts.task_space.low.tolist(), facts.task_space.high.tolist()]))
            yield facts, functools.partial(_made, Manual, facts, ManualSettings(str(path), "cycle"))
        else:
            yield facts, functools.partial(_made, found, facts, chosen)


def _made(kind: type[Teacher], facts: TeachingSpec, settings: Any, seed: int) -> Teacher:
    return kind(facts, settings, seed=seed)


def play(teacher: Teacher, facts: TeachingSpec, steps: int) -> None:
    """Teach a made-up student, whose every third episode is answered late, or not at all."""
    facts.observation_space.seed(0)
    rng, given = np.random.default_rng(0), list[Any]()
    worst, best = facts.outcome_range
    for step in range(steps):
        seen = facts.observation_space.sample()
        action = teacher.act(seen)
        given.append(action["decision"] if facts.has_probes else action)
        decision = step if step % 3 else step - 2
        feedback = None
        if decision >= 0:
            outcome = worst + (best - worst) * rng.random()
            trace = made_up_trace(facts.offers, outcome, rng)
            other = made_up_antagonist(facts.offers, outcome, rng)
            task = np.concatenate([np.ravel(part) for part in _parts(given[decision])]).astype(np.float64)
            mastered = outcome > (worst + best) / 2
            feedback = Feedback(task, outcome, mastered, 100, decision, False, trace, other)
        following = facts.observation_space.sample()
        teacher.update(Transition(seen, action, rng.random(), following, False, feedback))


def _parts(action: Any) -> list[Any]:
    return list(action.values()) if isinstance(action, Mapping) else [action]


def kept(used: Any, fresh: Any) -> Iterator[tuple[type[Any], str, bool]]:
    """What an object keeps, and the objects in it: the class that names it, its name, and whether it has changed."""
    if isinstance(used, Stateful):
        for base in type(used).__mro__:
            for name in vars(base).get("keeps", ()):
                pair = getattr(used, name), getattr(fresh, name)
                yield base, name, difference(*map(stored, pair)) is not None
                yield from kept(*pair)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_teacher_would_forget_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = set()
    for facts, make in makers(name, tmp_path):
        used = make(0)
        play(used, facts, 90)
        assert forgotten(used, make(1)) is None
        for keeper, attribute, has_changed in list(kept(used, make(1))):
            if not has_changed:
                continue
            changed.add(attribute)
            with monkeypatch.context() as patched:
                state._kept_names.cache_clear()
                patched.setattr(keeper, "keeps", tuple(one for one in keeper.keeps if one != attribute))
                try:
                    lost = forgotten(used, make(1))
                except (ValueError, IndexError):  # what is derived from it can't be worked out
                    lost = attribute
            state._kept_names.cache_clear()
            assert lost is not None, f"{keeper.__name__} forgets {attribute}"
    assert {"rng", "decisions"} & changed


def test_what_is_dropped_or_worked_out_again_is_not_forgotten() -> None:
    class Cached(Stateful):
        keeps = ("number",)

        def __init__(self) -> None:
            self.number, self.squared, self.cache = 0, 0, dict[int, int]()

        def _forget_derived(self) -> None:
            self.squared, self.cache = self.number**2, {}

    used = Cached()
    used.number, used.squared, used.cache = 3, 9, {1: 1}
    assert forgotten(used, Cached()) is None
    used.twice = 6  # type: ignore[attr-defined]
    assert forgotten(used, Cached()) == "self.twice"
