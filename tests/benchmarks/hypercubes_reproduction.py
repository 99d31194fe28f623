"""Compare teachers on the toy grid of hypercubes with what the reference implementations reach.

Run by hand: ``python -m tests.benchmarks.hypercubes_reproduction``. One core takes about a minute and a half.
"""

import argparse

import numpy as np
from gymnasium import spaces

from teachgym.agents import teacher_class
from teachgym.feedback import Feedback, Transition
from teachgym.problem import Problem

REFERENCE = {
    "random": {5_000: 0.0, 10_000: 1.0, 15_000: 2.6, 20_000: 4.6},
    "alp-gmm": {5_000: 5.8, 10_000: 14.8, 15_000: 24.6, 20_000: 36.4},
}
"""Mean over 5 seeds of the percentage of cubes mastered, by episodes, in the reference implementations."""
REFERENCE_DEVIATION = {"random": 0.9, "alp-gmm": 2.2}
"""Standard deviation over these seeds after 20,000 episodes."""
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


def run(name: str, seed: int, checkpoints: list[int]) -> list[float]:
    """Teach one student; return the percentage of cubes mastered at each checkpoint, in episodes."""
    box = spaces.Box(0.0, 1.0, (2,), np.float64)
    teacher = teacher_class(name)(Problem(box, spaces.Box(0.0, 1.0, (1,)), (0.0, 1.0), 0.75), seed=seed)
    grid, scores = Grid(), []
    for episode in range(max(checkpoints)):
        task = teacher.act(None)
        outcome = grid.visit(task)
        feedback = Feedback(task=task, outcome=outcome, success=outcome > 0.75, cost=1, decision=episode)
        teacher.update(Transition(None, task, outcome, None, False, feedback))
        if episode + 1 in checkpoints:
            scores.append(grid.mastered())
    return scores


def main() -> None:
    """Print one line per teacher and checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--teachers", nargs="+", default=list(REFERENCE))
    arguments = parser.parse_args()
    print("teacher   episodes  mastered % (mean, sd)  reference")  # noqa: T201
    for name in arguments.teachers:
        checkpoints = list(REFERENCE[name])
        scores = np.array([run(name, seed, checkpoints) for seed in range(arguments.seeds)])
        deviations = scores.std(axis=0, ddof=1) if arguments.seeds > 1 else np.zeros(len(checkpoints))
        for episodes, mean, deviation in zip(checkpoints, scores.mean(axis=0), deviations, strict=True):
            reference = f"{REFERENCE[name][episodes]:.1f}"
            if episodes == 20_000:
                reference += f" +- {REFERENCE_DEVIATION[name]}"
            print(f"{name:8}  {episodes:8}  {mean:8.1f} +- {deviation:<9.1f}  {reference}")  # noqa: T201


if __name__ == "__main__":
    main()
