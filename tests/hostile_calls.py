"""Calls of the public API with values that make no sense, and how each has to end."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch

from teachgym import Parameter, TaskSpace, Transition
from teachgym.agents import make_teacher
from teachgym.base.named_settings import NamedSettings
from teachgym.cli import main
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.teacher_env import TeacherEnv
from teachgym.data.example import Example
from teachgym.data.skills import Skill
from teachgym.statistics import (
    bootstrap,
    holm,
    interquartile_mean,
    mean_interval,
    performance_profile,
    probability_of_improvement,
    stratified_welch,
    welch,
)
from teachgym.statistics.curves import area_under_curve, forgetting, steps_to_threshold, worst_case
from teachgym.statistics.power import smallest_difference
from teachgym.study import study_file

Generator = np.random.Generator
Call = Callable[[Generator], Any]


def values() -> list[Any]:
    """What nobody should pass, and some of what they may."""
    nested: list[Any] = []
    for _ in range(70):
        nested = [nested]
    return [
        float("nan"), float("inf"), -float("inf"), -0.0, -1, 0, 1, 2, 0.5, 1e308, 5e-324, 2**62, 2**63, 10**400,
        -(10**400), None, True, False, "", "x", "1", "nan", "..", "\ud800", "a\0b", "x" * 3000, b"", b"\xff", 1j,
        object(), int, [], (), {}, [[]], [1.0],
        [0.5, 0.5], [[0.5, 0.5]], [[[0.5]]], [1, [2, 3]], nested, {1: 2}, {"task": 1}, {0},
        ["a"], [None], [True], [10**400], ["\ud800"], lambda: 0, range(3), slice(1), Ellipsis, NotImplemented,
        np.float32("nan"), np.int64(-5), np.uint8(200), np.bool_(True), np.datetime64("NaT"), np.str_("y"),
        np.zeros(0), np.zeros(2), np.ones((2, 2)), np.full(2, np.nan), np.full((1, 2), np.inf), np.zeros((1, 0)),
        np.array(3.0), np.array([None, "a"], dtype=object), np.array([b"a"]), np.array([1j, 2]), np.zeros(2, bool),
        np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), np.ma.array([1.0, 2.0], mask=True), np.zeros((1,) * 30),
        torch.ones(2), torch.ones(1, requires_grad=True), torch.tensor(float("nan")),
    ]  # fmt: skip


VALUES = values()


def pick(rng: Generator) -> Any:
    """One of the values."""
    return VALUES[int(rng.integers(len(VALUES)))]


def some(rng: Generator, names: list[str]) -> dict[str, Any]:
    """One or two of the names with values."""
    return {str(name): pick(rng) for name in rng.choice(names, size=int(rng.integers(1, 3)))}


def settings_calls(classes: list[type[Any]]) -> Iterator[Call]:
    """Settings of every class."""
    for kind in classes:
        names = [field.name for field in fields(kind)]
        if names:
            yield lambda rng, kind=kind, names=names: kind(**some(rng, names))  # type: ignore[misc]


def environment_calls(make: Callable[[], TeacherEnv]) -> Iterator[Call]:
    """Calls of one environment, each on one that has begun."""
    env = make()
    env.reset(seed=0)

    def usable(call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            if not env._running:
                env.reset(seed=0)

    yield lambda rng: usable(lambda: env.step(pick(rng)))
    yield lambda rng: usable(lambda: env.step({"decision": pick(rng), "probe": pick(rng)}))
    yield lambda rng: usable(lambda: env.evaluate(pick(rng)))
    yield lambda rng: usable(lambda: env.evaluate([pick(rng)]))
    yield lambda rng: usable(lambda: env.reset(seed=pick(rng)))
    yield lambda rng: usable(lambda: env.reset(seed=0, options=pick(rng)))
    yield lambda rng: usable(lambda: env.load_state_dict(_spoilt(env.state_dict(), rng)))


def keyword_calls(name: str, keywords: list[str], given: Mapping[str, Any]) -> Iterator[Call]:
    """Constructors by ``gymnasium.make``."""

    def make(rng: Generator) -> None:
        gymnasium.make(name, disable_env_checker=True, **{**given, **some(rng, keywords)}).close()

    yield make


def teacher_calls(env: TeacherEnv, name: str, settings: Mapping[str, Any]) -> Iterator[Call]:
    """One teacher: made, asked, told and restored."""
    observation, _ = env.reset(seed=0)
    real = env.step(make_teacher(name, env, seed=0, **settings).act(observation))[-1]["feedback"]

    def fresh() -> Any:
        return make_teacher(name, env, seed=0, **settings)

    def asked(rng: Generator) -> None:
        fresh().act(pick(rng))

    def told(rng: Generator) -> None:
        teacher = fresh()
        wrong = some(rng, ["task", "outcome", "success", "cost", "decision", "trained"])
        feedback = replace(real, **wrong) if rng.random() < 0.8 else pick(rng)
        action = teacher.act(observation) if rng.random() < 0.5 else pick(rng)
        rest: list[Any] = [
            pick(rng) if rng.random() < 0.3 else value for value in (observation, 0.5, observation, False)
        ]
        teacher.update(Transition(rest[0], action, rest[1], rest[2], rest[3], feedback))

    def restored(rng: Generator) -> None:
        teacher = fresh()
        teacher.load_state_dict(_spoilt(teacher.state_dict(), rng))

    yield lambda rng: make_teacher(name, env, seed=pick(rng))
    yield lambda rng: make_teacher(name, env, seed=0, settings=pick(rng))
    yield lambda rng: make_teacher(name, env, seed=0, **some(rng, [*settings, "nonsense"]))
    yield asked
    yield told
    yield restored


def value_calls() -> Iterator[Call]:
    """Task spaces, problems, examples and statistics."""
    space = TaskSpace([Parameter("x", 0.0, 1.0), Parameter("y", -1.0, 2.0, "m", 0.5)])
    rng0 = np.random.default_rng(0)
    yield lambda rng: Parameter(pick(rng), pick(rng), pick(rng))
    yield lambda rng: Parameter("x", 0.0, 1.0, **some(rng, ["unit", "harder"]))
    yield lambda rng: TaskSpace(pick(rng))
    yield lambda rng: TaskSpace([space.parameters[0], pick(rng)])
    yield lambda rng: space.validate(pick(rng))
    yield lambda rng: space.validate({"x": pick(rng), "y": pick(rng)})
    yield lambda rng: space.validate_all(pick(rng))
    yield lambda rng: space.normalise(pick(rng))
    yield lambda rng: space.denormalise(pick(rng))
    yield lambda rng: space.describe_task(pick(rng))
    yield lambda rng: space.uniform(rng, pick(rng))
    yield lambda rng: pick(rng) in space
    yield lambda rng: TaskSpace.from_box(pick(rng))
    yield lambda rng: EasyTasks(pick(rng), pick(rng))
    yield lambda rng: TeachingSpec(space, space, pick(rng), pick(rng))
    yield lambda rng: Example(pick(rng), pick(rng), path=pick(rng), image=pick(rng))
    yield lambda rng: Skill(pick(rng), pick(rng))
    yield lambda rng: mean_interval(pick(rng), pick(rng))
    yield lambda rng: mean_interval(pick(rng))
    yield lambda rng: bootstrap(pick(rng), interquartile_mean, rng0, samples=20)
    yield lambda rng: bootstrap([pick(rng)], interquartile_mean, rng0, samples=20)
    yield lambda rng: bootstrap([[1.0, 2.0]], interquartile_mean, rng0, confidence=pick(rng), samples=20)
    yield lambda rng: bootstrap([[1.0, 2.0]], interquartile_mean, rng0, samples=pick(rng))
    yield lambda rng: probability_of_improvement(pick(rng), pick(rng), rng0, samples=20)
    yield lambda rng: probability_of_improvement([pick(rng)], [[1.0]], rng0, samples=20)
    yield lambda rng: performance_profile([pick(rng)], pick(rng), rng0, samples=20)
    yield lambda rng: performance_profile([[1.0, 2.0]], pick(rng), rng0, samples=20)
    yield lambda rng: welch(pick(rng), pick(rng))
    yield lambda rng: stratified_welch(pick(rng), pick(rng))
    yield lambda rng: holm(pick(rng))
    yield lambda rng: area_under_curve(pick(rng), pick(rng), pick(rng))
    yield lambda rng: area_under_curve([1.0, 2.0], [0.0, 1.0], pick(rng))
    yield lambda rng: steps_to_threshold([1.0], [1.0], pick(rng))
    yield lambda rng: steps_to_threshold(pick(rng), [1.0], 0.5)
    yield lambda rng: forgetting(pick(rng))
    yield lambda rng: worst_case(pick(rng), pick(rng))
    yield lambda rng: smallest_difference(pick(rng), pick(rng), power=pick(rng))
    yield lambda rng: smallest_difference(5, 1.0, **some(rng, ["power", "level"]))
    yield lambda rng: NamedSettings.parse(pick(rng))
    yield lambda rng: NamedSettings.parse(f"name,x={pick(rng)}")


WORDS = (
    "nan", "inf", "-1", "0", "1e400", "1" * 400, "1" * 5000, "", "..", ".", "/", "True", "none", "x=1", "[", "a,b=[",
    "\x1b[31m", "a,b={1:2}", "random,x", ",", "ünï", "x" * 3000,
)  # fmt: skip
FLAGS = {
    "compare": (
        "--teachers", "--seeds", "--first-seed", "--subject", "--student", "--budget", "--evaluations", "--name",
        "--workers", "--cells", "--executor", "--gpus", "--retries", "--checkpoint-seconds", "--stalled-after",
        "--trackers", "--nonsense",
    ),
    "suite": ("--envs", "--teachers", "--seeds", "--first-seed", "--name", "--workers"),
    "train": ("--algorithm", "--steps", "--lifetimes", "--slots", "--seed", "--name"),
    "watch": ("--task", "--max-steps", "--seed"),
}  # fmt: skip
UNREACHABLE = {
    "compare": ("--env", "no-such-environment", "--dry-run"),
    "suite": ("--list", "--envs", "no-such-environment"),
    "train": ("--env", "no-such-environment"),
    "watch": ("no-such-folder",),
}
"""What makes a command end in an error, if nothing else does, before it does anything."""


def command_calls(folder: Path) -> Iterator[Call]:
    """Commands, and the files that they take."""

    def command(rng: Generator, name: str) -> None:
        flag, word = str(rng.choice(FLAGS[name])), WORDS[int(rng.integers(len(WORDS)))]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as errors:
            try:
                status = main([name, *UNREACHABLE[name], flag, word])
            except SystemExit as exit_:
                status = exit_.code  # type: ignore[assignment]
        assert (status, "Traceback" in errors.getvalue()) == (2, False), f"{name} {flag} {word!r} ended with {status}"

    def file(rng: Generator) -> None:
        text = f"{rng.choice(['seeds', 'name', 'teachers', 'gpus', 'x', 'env'])} = {pick(rng)!r}\n"
        (folder / "study.toml").write_bytes(text.encode(errors="surrogatepass"))
        study_file.load(folder / "study.toml")

    for name in FLAGS:
        yield lambda rng, name=name: command(rng, name)  # type: ignore[misc]
    yield file


def _spoilt(state: dict[str, Any], rng: Generator) -> Any:
    """A state with something else in one place, or less, or something else altogether."""
    if rng.random() < 0.2:
        return pick(rng)
    spoilt = dict(state)
    key = str(rng.choice(list(spoilt)))
    if isinstance(spoilt[key], dict) and spoilt[key] and rng.random() < 0.7:
        spoilt[key] = _spoilt(spoilt[key], rng)
    elif rng.random() < 0.3:
        del spoilt[key]
    else:
        spoilt[key] = pick(rng)
    return spoilt
