"""Measure what a decision of ALP-GMM costs early and late in a run.

Run by hand: ``OMP_NUM_THREADS=1 python -m tests.benchmarks.alp_gmm_cost``. Takes about a minute. A decision is
one ``act`` and one ``update``, with its share of the fits. The cost around 100,000 stored episodes is to be at
most twice that around 1,000 on the tracks. In 30 dimensions it is 2.3 times, 0.4 ms more: there, the search for the
nearest task reads the whole history, and no exact search avoids that; ``max_history`` bounds it.
"""

import time

import numpy as np

from teachgym.agents.progress.alp_gmm import AlpGmm
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import Parameter, TaskSpace

EARLY, LATE = 1_000, 100_000
MEASURED = 1_000
"""Episodes timed at a stretch: four fits at the default settings."""
REPEATS = 5
SPACES = {
    "Stump Tracks, 2-D": [Parameter("height", 0.0, 3.0), Parameter("spacing", 0.0, 6.0)],
    "Hexagon Tracks, 12-D": [Parameter(f"offset_{i}", 0.0, 4.0) for i in range(12)],
    "made up, 30-D": [Parameter(f"p{i}", 0.0, 1.0) for i in range(30)],
}


def teach(teacher: AlpGmm, rng: np.random.Generator, episodes: int) -> None:
    """Teach a made-up walker: easy near the origin, with noise."""
    space = teacher.task_space
    for episode in range(episodes):
        task = teacher.act(None)
        ease = 1 - float(np.mean(space.normalise(task)))
        outcome = 400 * ease - 100 + 30 * rng.standard_normal()
        feedback = Feedback(task=task, outcome=outcome, success=outcome > 230, cost=500, decision=episode)
        teacher.update(Transition(None, task, outcome, None, False, feedback))


def prepared(space: TaskSpace, stored: int, seed: int) -> AlpGmm:
    """Make a teacher that has a mixture, and this many random episodes in its history."""
    teacher, rng = AlpGmm(TeachingSpec(space, space, (-150.0, 350.0), 230.0), seed=seed), np.random.default_rng(seed)
    state = teacher.state_dict()
    early = max(stored - 250, 0)
    state["progress"] = {"added": early, "tasks": space.uniform(rng, early), "outcomes": rng.random(early)}
    teacher.load_state_dict(state)
    teach(teacher, rng, 250)
    return teacher


def cost(space: TaskSpace, stored: int, seed: int) -> float:
    """Milliseconds per decision, on average over episodes centred on this many stored ones."""
    teacher, rng = prepared(space, stored - MEASURED // 2, seed), np.random.default_rng(seed)
    start = time.perf_counter()
    teach(teacher, rng, MEASURED)
    return (time.perf_counter() - start) / MEASURED * 1000


def main() -> None:
    """Print one line per task space."""
    print(f"{'task space':22} {EARLY:>9,} {LATE:>9,}  ratio   (median ms per decision, {REPEATS} repeats)")  # noqa: T201
    for name, parameters in SPACES.items():
        space = TaskSpace(parameters)
        times = np.array([[cost(space, stored, seed) for stored in (EARLY, LATE)] for seed in range(REPEATS)])
        early, late = np.median(times, axis=0)
        print(f"{name:22} {early:9.3f} {late:9.3f}  {late / early:5.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
