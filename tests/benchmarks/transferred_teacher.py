"""How far a teacher that was trained on simulated students gets with students of another kind.

Run by hand: ``python -m tests.benchmarks.transferred_teacher``. One core takes about five minutes. PPO is trained in
``SimulatedTasks`` alone; then it teaches new students there, students whose abilities end before the hardest tasks,
and the grid of ``Hypercubes``, which it has never seen. The oracle is told what is hard; ALP-GMM and random are told
nothing.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
from rich.console import Console
from rich.table import Table

from teachgym.agents import make_teacher
from teachgym.base.named_settings import NamedSettings
from teachgym.core.loop import teach
from teachgym.statistics import Interval, mean_interval
from teachgym.study.train_settings import TrainSettings
from teachgym.study.train_teacher import train_teacher

TRAINED_IN = "SimulatedTasks"
TAUGHT_IN = (TRAINED_IN, "SimulatedTasks,slope=20,unfeasible=0.3", "Hypercubes,budget=5000")


def mastered(teacher: str, env_spec: str, students: int) -> Interval:
    """Percentage of test tasks mastered at the end, over students."""
    env, parsed = NamedSettings.parse(env_spec), NamedSettings.parse(teacher)
    made: Any = gymnasium.make(f"teachgym/{env.name}-v0", disable_env_checker=True, **env.settings).unwrapped
    finals = []
    for seed in range(students):
        teach(made, make_teacher(parsed.name, made, seed=seed, **parsed.settings), seed=seed)
        finals.append(made.evaluate().mastered)
    return mean_interval(finals)


def main() -> None:
    """Train, teach, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=700_000, help="decisions that PPO is trained for")
    parser.add_argument("--students", type=int, default=10)
    arguments = parser.parse_args()
    table = Table(title=f"PPO trained in {TRAINED_IN}: percent of test tasks mastered, {arguments.students} students")
    for heading in ("taught in", "teacher", "mean", "95 % interval"):
        table.add_column(heading)
    with tempfile.TemporaryDirectory() as folder:
        ppo = "ppo,n_steps=128,batch_size=512"
        settings = TrainSettings(TRAINED_IN, ppo, steps=arguments.steps, slots=32, runs=Path(folder))
        training = train_teacher(settings)
        for env in TAUGHT_IN:
            for name, teacher in (
                ("random", "random"),
                ("alp-gmm", "alp-gmm"),
                ("oracle", "oracle"),
                ("PPO", f"policy,path={training.folder}"),
            ):
                found = mastered(teacher, env, arguments.students)
                table.add_row(env, name, f"{found.mean:.1f}", f"{found.low:.1f} to {found.high:.1f}")
    console = Console(width=120)
    console.print(f"trained in {training.seconds:.0f} s on {len(training.returns)} students")
    console.print(table)


if __name__ == "__main__":
    main()
