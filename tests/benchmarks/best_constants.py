"""Search the best constant controls of a schedule: ``python -m tests.benchmarks.best_constants Distillation --points
64``.

Every point of a Sobol sequence over the controls, and what the environment's own rule ``constant`` plays, is played on
the first few seeds; the best of them are then played on others, so that the winner's score is not that of luck.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import tyro
from scipy.stats import qmc

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.control_env import ControlEnv
from teachgym.study.cells.environment import make_environment
from teachgym.study.settings import Cell


@dataclass(frozen=True)
class Arguments:
    """What is searched."""

    env: tyro.conf.Positional[str]
    """A schedule, with settings."""
    points: int = 64
    """Constants that are tried."""
    seeds: int = 5
    """Students of each, non-negative; as many more for the finalists."""
    finalists: int = 5
    """Constants that are tried again."""


def net_score(env: ControlEnv, controls: FloatArray | None, seed: int) -> float:
    """The score at the end, less what was paid, under constant controls; None plays the environment's own."""
    observation, _ = env.reset(seed=seed)
    over, own = False, env.teaching_spec.rules.get("constant")
    while not over:
        action: Any = own(observation) if controls is None and own is not None else controls
        observation, _, over, _, _ = env.step(action)
    return env.evaluate().mean_return


def main(arguments: Arguments) -> None:
    """Search, and print."""
    torch.set_num_threads(1)
    env = make_environment(Cell(arguments.env, "random", None, 0, None, 1))
    assert isinstance(env, ControlEnv)
    assert env.action_space == env.task_space, "constants are searched where actions are controls"
    sobol = qmc.Sobol(env.task_space.dimensions, rng=np.random.default_rng(0))
    tried: list[FloatArray | None] = [None, *env.task_space.denormalise(sobol.random(arguments.points))]
    first = range(arguments.seeds)
    scores = [np.mean([net_score(env, controls, seed) for seed in first]) for controls in tried]
    finalists = {0, *np.argsort(scores)[::-1][: arguments.finalists].tolist()}
    again = range(arguments.seeds, 2 * arguments.seeds)
    print(env.task_space.describe())  # noqa: T201
    for number in sorted(finalists, key=lambda number: -scores[number]):
        controls = tried[number]
        later = np.mean([net_score(env, controls, seed) for seed in again])
        what = "its own" if controls is None else np.round(controls, 3).tolist()
        print(f"{scores[number]:.4f} {later:.4f} {what}")  # noqa: T201


if __name__ == "__main__":
    main(tyro.cli(Arguments))
