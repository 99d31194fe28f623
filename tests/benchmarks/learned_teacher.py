"""Whether a learned teacher beats the best fixed one on students that it has never met.

Run by hand: ``python -m tests.benchmarks.learned_teacher``. One core takes about eight minutes. PPO is trained in
``SimulatedSkills`` on students of other seeds than those of the comparison. Fixed teachers learn about one student
while they teach it; each family competes with the settings that did best on 30 other students. All teach the same
100 students, so that differences are paired. Students vary a lot by default, since otherwise one schedule fits all:
the episodes that PPO gives to another student tell how much it owes to a schedule, and how much to looking.

The environment pays the true gain in competence. PPO is paid in training only; bandits may learn from it while they
teach. Teachers that are told which skill builds on which stand apart, for reference: no other teacher is told, but PPO
could find out in training.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

from teachgym.agents import make_teacher
from teachgym.base.named_settings import NamedSettings
from teachgym.core.loop import teach
from teachgym.core.task_space import FloatArray
from teachgym.envs.simulated.skills_env import SimulatedSkillsEnv
from teachgym.statistics import mean_interval
from teachgym.study.train_settings import TrainSettings
from teachgym.study.train_teacher import train_teacher

PPO = "ppo,n_steps=128,batch_size=512,gamma=0.995"
FIRST_TUNING_SEED = 10_000
PAYS = ("environment", "absolute-progress", "progress")
TEMPERATURES = (0.0005, 0.002, 0.005, 0.02, 0.1)
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

Run = Callable[[SimulatedSkillsEnv, int], None]
"""Teach the student of a seed to the end."""


def teacher(spec: str) -> Run:
    """A registered teacher with settings."""

    def run(env: SimulatedSkillsEnv, seed: int) -> None:
        parsed = NamedSettings.parse(spec)
        teach(env, make_teacher(parsed.name, env, seed=seed, **parsed.settings), seed=seed)

    return run


def replayed(spec: str, students: int) -> Run:
    """The episodes that a registered teacher gives to the student of the next seed: what it would do without
    looking."""

    def run(env: SimulatedSkillsEnv, seed: int) -> None:
        parsed, other = NamedSettings.parse(spec), (seed + 1) % students
        record = teach(env, make_teacher(parsed.name, env, seed=other, **parsed.settings), seed=other)
        env.reset(seed=seed)
        for task in record.tasks:
            env.step(int(task[0]))

    return run


def rule(choose: Callable[[SimulatedSkillsEnv, int, Any], int]) -> Run:
    """A rule that chooses by the episode's number and the averages of outcomes so far."""

    def run(env: SimulatedSkillsEnv, seed: int) -> None:
        observation, _ = env.reset(seed=seed)
        for episode in range(env.budget):
            observation = env.step(choose(env, episode, observation[1 : len(env.lifetime.test_tasks) + 1]))[0]

    return run


def lowest_ready(threshold: float) -> Run:
    """Teach the skill that looks least known among those whose prerequisites all look known."""

    def choose(env: SimulatedSkillsEnv, episode: int, known: Any) -> int:
        ready = [k for k, below in enumerate(env.model.prerequisites) if all(known[j] >= threshold for j in below)]
        return min(ready, key=lambda skill: known[skill])

    return rule(choose)


def in_order(threshold: float) -> Run:
    """Teach the first skill, in an order in which prerequisites come first, that does not look known."""

    def choose(env: SimulatedSkillsEnv, episode: int, known: Any) -> int:
        below, order = env.model.prerequisites, list[int]()
        while len(order) < len(below):
            order += [k for k in range(len(below)) if k not in order and set(below[k]) <= set(order)]
        missing = [skill for skill in order if known[skill] < threshold]
        return missing[0] if missing else min(order, key=lambda skill: known[skill])

    return rule(choose)


def greedy(env: SimulatedSkillsEnv, episode: int, known: Any) -> int:
    """Teach the skill whose next episode adds most to the true mean competence."""
    model = env.model
    now, idle = model.competence[0], 1 - model.weights
    gains = model.weights * model.rate[0] * model.readiness(now[None])[0] * (1 - now) - idle * model.forgetting[0] * now
    return int(np.argmax(gains.sum(axis=1)))


def grid(name: str, **choices: Sequence[Any]) -> list[str]:
    """A teacher with every combination of settings."""
    return [str(NamedSettings(name, dict(zip(choices, values, strict=True)))) for values in product(*choices.values())]


def fixed() -> dict[str, dict[str, Run]]:
    """Fixed teachers that are told nothing of the structure, by family: every setting that is tried."""
    registered = {
        "bandit": [
            "bandit",
            *grid("bandit", rule=["exp3.s"], epsilon=[0.1, 0.2], learning_rate=[0.025, 0.1], reward=PAYS),
            *grid("bandit", rule=["epsilon-greedy"], step_size=[0.2, 0.5], epsilon=[0.1, 0.3], reward=PAYS),
            *grid("bandit", rule=["boltzmann"], step_size=[0.1, 0.3], temperature=TEMPERATURES, reward=PAYS),
            *grid("bandit", rule=["sliding-window-ucb"], window=[25, 50, 100], exploration=[0.3, 0.775], reward=PAYS),
            *grid("bandit", rule=["discounted-ucb"], discount=[0.95, 0.98], reward=PAYS),
            *grid("bandit", rule=["thompson"], discount=[0.95], noise_std=[0.01, 0.1], prior_std=[0.1], reward=PAYS),
        ],
        "tscl": [
            "tscl",
            *grid("tscl", algorithm=["online", "naive", "window", "sampling"], epsilon=[0.1, 0.3]),
            *grid("tscl", algorithm=["online", "window"], policy=["boltzmann"], temperature=TEMPERATURES),
        ],
        "success-progress": ["success-progress", *grid("success-progress", update_every=[8, 16, 40])],
        "linear bandits": [*grid("linucb", alpha=[0.3, 1.0, 3.0]), *grid("linear-thompson", spread=[0.1, 0.5])],
    }
    return {
        "random": {"random": teacher("random")},
        "round robin": {"round robin": rule(lambda env, episode, known: episode % len(known))},
        "least known": {"least known": rule(lambda env, episode, known: int(np.argmin(known)))},
        **{family: {spec: teacher(spec) for spec in specs} for family, specs in registered.items()},
    }


def told() -> dict[str, dict[str, Run]]:
    """Teachers that are told the structure, by family; the last is told the student's competence and rates as well."""
    return {
        "least known that is ready": {f"ready at {t}": lowest_ready(t) for t in THRESHOLDS},
        "first in order that is not known": {f"known at {t}": in_order(t) for t in THRESHOLDS},
        "greedy, told all": {"greedy, told all": rule(greedy)},
    }


def finals(run: Run, env_spec: str, seeds: Sequence[int]) -> FloatArray:
    """Mean true competence of each student at the end, in percent."""
    named = NamedSettings.parse(env_spec)
    env: Any = gymnasium.make(f"teachgym/{named.name}-v0", disable_env_checker=True, **named.settings).unwrapped
    scores = []
    for seed in seeds:
        run(env, seed)
        scores.append(100 * env.evaluate().mean_return)
    return np.array(scores)


def best_of(family: dict[str, Run], env_spec: str, seeds: Sequence[int]) -> str:
    """The settings with the best mean on these students."""
    return (
        max(family, key=lambda name: float(finals(family[name], env_spec, seeds).mean()))
        if len(family) > 1
        else next(iter(family))
    )


def main() -> None:
    """Train, tune, compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="SimulatedSkills,budget=100,variety=0.8")
    parser.add_argument("--steps", type=int, default=1_000_000, help="decisions that PPO is trained for")
    parser.add_argument("--trainings", type=int, default=3, help="trainings of PPO, each from another seed")
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--tuning-students", type=int, default=30)
    arguments = parser.parse_args()
    console = Console(width=150)
    tuning = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + arguments.tuning_students)
    students = range(arguments.students)
    rows: dict[str, dict[str, FloatArray]] = {"fixed": {}, "told the structure": {}, "learned": {}}
    for kind, families in (("fixed", fixed()), ("told the structure", told())):
        for name, family in families.items():
            chosen = best_of(family, arguments.env, tuning)
            rows[kind][chosen] = finals(family[chosen], arguments.env, students)
            console.print(f"{name}: {chosen}, the best of {len(family)}", highlight=False)
    for seed in range(arguments.trainings):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            settings = TrainSettings(arguments.env, PPO, steps=arguments.steps, slots=32, seed=seed, runs=Path(folder))
            training = train_teacher(settings)
            console.print(f"trained in {time.perf_counter() - started:.0f} s on {len(training.returns):,} students")
            policy = f"policy,path={training.folder}"
            rows["learned"][f"PPO, training {seed}"] = finals(teacher(policy), arguments.env, students)
            blind = replayed(policy, arguments.students)
            rows["learned"][f"the same, without looking: {seed}"] = finals(blind, arguments.env, students)
    best = max(rows["fixed"], key=lambda name: float(rows["fixed"][name].mean()))
    table = Table(title=f"{arguments.env}: competence of {len(students)} new students at the end, in percent")
    for heading in ("", "teacher", "mean", "95 % interval", "more than the best fixed", "better in"):
        table.add_column(heading)
    for kind, teachers in rows.items():
        for name, scores in teachers.items():
            mean, difference = mean_interval(scores), mean_interval(scores - rows["fixed"][best])
            against = "" if name == best else f"{difference.mean:+.1f} [{difference.low:+.1f}, {difference.high:+.1f}]"
            wins = "" if name == best else f"{100 * np.mean(scores > rows['fixed'][best]):.0f} %"
            table.add_row(kind, name, f"{mean.mean:.1f}", f"{mean.low:.1f} to {mean.high:.1f}", against, wins)
    console.print(table)


if __name__ == "__main__":
    main()
