"""Compare teachers on the toy grid of hypercubes with what the reference implementations reach.

Run by hand: ``OMP_NUM_THREADS=1 python -m tests.benchmarks.hypercubes_reproduction``. One core takes about five
minutes for 5 seeds. ``--irrelevant 2`` adds dimensions to the tasks that the student does not heed; for these
there are no reference figures.

The grid here is written apart from ``teachgym/Hypercubes-v0``, as a check of both.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from gymnasium import spaces

from teachgym.agents.handmade.random import Random
from teachgym.agents.progress.alp_gmm import AlpGmm
from teachgym.agents.progress.covar_gmm import CovarGmm
from teachgym.agents.progress.riac import Riac, RiacSettings
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Teacher

CHECKPOINTS = (5_000, 10_000, 15_000, 20_000)
"""Episodes after which the student is looked at."""


@dataclass(frozen=True)
class Reference:
    """What a reference implementation reaches over 5 seeds, in percent of cubes mastered."""

    means: tuple[float, ...]
    """Mean at each checkpoint."""
    deviation: float
    """Standard deviation over the seeds at the last checkpoint."""
    seeds: int = 5


TEACHERS: dict[str, Callable[..., Teacher]] = {
    "random": Random,
    "riac, faithful": partial(Riac, settings=RiacSettings(faithful=True)),
    "riac": Riac,
    "covar-gmm": CovarGmm,
    "alp-gmm": AlpGmm,
}
REFERENCES = {
    "random": Reference((0.0, 1.0, 2.6, 4.6), 0.9),
    "riac, faithful": Reference((9.6, 22.2, 35.4, 46.8), 2.6),
    "covar-gmm": Reference((13.0, 30.6, 48.8, 68.6), 2.7),
    "alp-gmm": Reference((5.8, 14.8, 24.6, 36.4), 2.2),
}
CUBES = 10


class Grid:
    """A student that gains 1 competence per visit to an unlocked cube of the unit square, up to 100."""

    def __init__(self) -> None:
        self.competence = np.zeros((CUBES, CUBES), dtype=np.int64)

    def visit(self, task: np.ndarray) -> float:
        """Visit the cube that holds the task ``(2,)``; return its competence afterwards, from 0 to 1."""
        i, j = np.minimum((task * CUBES).astype(int), CUBES - 1)
        below = [(max(i - a, 0), max(j - b, 0)) for a, b in ((0, 1), (1, 0), (1, 1))]
        if (i, j) == (0, 0) or any(self.competence[cube] >= 75 for cube in below):
            self.competence[i, j] = min(self.competence[i, j] + 1, 100)
        return float(self.competence[i, j]) / 100

    def mastered(self) -> float:
        """Percentage of cubes with a competence above 75."""
        return 100 * float(np.mean(self.competence > 75))


def run(name: str, seed: int, irrelevant: int) -> list[float]:
    """Teach one student; return the percentage of cubes mastered at each checkpoint."""
    box = spaces.Box(0.0, 1.0, (2 + irrelevant,), np.float64)
    teacher = TEACHERS[name](TeachingSpec(box, spaces.Box(0.0, 1.0, (1,)), (0.0, 1.0), 0.75), seed=seed)
    grid, scores = Grid(), []
    for episode in range(max(CHECKPOINTS)):
        task = teacher.act(None)
        outcome = grid.visit(task[:2])
        feedback = Feedback(task=task, outcome=outcome, success=outcome > 0.75, cost=1, decision=episode)
        teacher.update(Transition(None, task, outcome, None, False, feedback))
        if episode + 1 in CHECKPOINTS:
            scores.append(grid.mastered())
    return scores


def compare(scores: np.ndarray, reference: Reference) -> str:
    """The last checkpoint's difference from the reference, with the standard error of both means together."""
    error = np.hypot(scores.std(ddof=1) / np.sqrt(len(scores)), reference.deviation / np.sqrt(reference.seeds))
    return (
        f"{reference.means[-1]:.1f} +- {reference.deviation}: {scores.mean() - reference.means[-1]:+.1f} +- {error:.1f}"
    )


def main() -> None:
    """Print one line per teacher."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--irrelevant", type=int, default=0)
    parser.add_argument("--teachers", nargs="+", choices=list(TEACHERS), default=list(TEACHERS))
    arguments = parser.parse_args()
    print(  # noqa: T201
        f"cubes mastered in %, {arguments.seeds} seeds, {arguments.irrelevant} irrelevant dimensions\n"
        f"{'teacher':14} {'  '.join(f'{episodes:6,}' for episodes in CHECKPOINTS)}     sd  reference and difference"
    )
    for name in arguments.teachers:
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        scores = np.array([run(name, seed, arguments.irrelevant) for seed in seeds])
        means = "  ".join(f"{mean:6.1f}" for mean in scores.mean(axis=0))
        deviation = scores[:, -1].std(ddof=1) if len(scores) > 1 else 0.0
        known = arguments.irrelevant == 0 and name in REFERENCES and len(scores) > 1
        compared = compare(scores[:, -1], REFERENCES[name]) if known else ""
        print(f"{name:14} {means}  {deviation:5.1f}  {compared}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
