"""How much of the gap between the one-step rule and the optimum a learned teacher closes in self-distillation.

Run by hand: ``python -m tests.benchmarks.self_distillation_teacher``. One core takes about five minutes. PPO is trained
on the toy of the source, whose data never change, and on data with noise of its own in every episode; then it teaches,
by its most likely action, students of noise that it has never met. The optimum is that of ``truth``, by minimisation.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from teachgym.core.loop import teach
from teachgym.core.task_space import FloatArray
from teachgym.statistics import mean_interval
from teachgym.study.cells.environment import make_pair
from teachgym.study.settings import Cell
from teachgym.study.train_settings import TrainSettings
from teachgym.study.train_teacher import train_teacher

ALGORITHM = "ppo,gamma=1.0,n_steps=96,batch_size=256,ent_coef=0.0,learning_rate=5e-4"
FIXED = {"labels alone": "none", "best constant of the toy": "constant", "one-step rule": "paper", "optimum": "truth"}


@dataclass(frozen=True)
class Arguments:
    """How much is done."""

    trainings: int = 3
    """Of PPO, in each of the two."""
    toy_steps: int = 150_000
    """Decisions of a training on the toy."""
    redrawn_steps: int = 600_000
    """Decisions of a training on redrawn noise."""
    students: int = 100
    """With redrawn noise, after training."""


def losses(env: str, teacher: str, students: int) -> FloatArray:
    """``(students,)`` final losses against the noiseless function."""
    found = []
    for seed in range(students):
        made, acting = make_pair(Cell(env, teacher, None, seed, None, 1))
        teach(made, acting, seed=seed)
        found.append(-made.evaluate().mean_return)
    return np.array(found)


def main(arguments: Arguments) -> None:
    """Train, and print."""
    console = Console()
    for env, steps, students in (
        ("SelfDistillation", arguments.toy_steps, 1),
        ("SelfDistillation,data=redrawn", arguments.redrawn_steps, arguments.students),
    ):
        found = {name: losses(env, f"rule,name={rule}", students) for name, rule in FIXED.items()}
        with tempfile.TemporaryDirectory() as folder:
            settings = TrainSettings(env=env, algorithm=ALGORITHM, steps=steps, name="teacher", runs=Path(folder))
            for seed in range(arguments.trainings):
                train_teacher(replace(settings, seed=seed), overwrite=True)
                policy = f"policy,path={settings.folder},deterministic=true"
                found[f"PPO, training {seed}"] = losses(env, policy, students)
        greedy, best = found["one-step rule"], found["optimum"]
        table = Table(title=f"{env}, {students} students")
        for heading in ("teacher", "final loss", "share of the gap", "better than the one-step rule by, paired"):
            table.add_column(heading, justify="left" if heading == "teacher" else "right")
        for name, values in found.items():
            share = (greedy.mean() - values.mean()) / (greedy.mean() - best.mean())
            apart = mean_interval(greedy - values)
            interval = f" [{apart.low:.5f}, {apart.high:.5f}]" if students > 1 else ""
            table.add_row(name, f"{values.mean():.6f}", f"{share:.0%}", f"{apart.mean:.5f}{interval}")
        console.print(table)


if __name__ == "__main__":
    main(tyro.cli(Arguments))
