"""What a step of a student's worlds costs beyond the worlds: teaching, autoreset, Stable-Baselines3.

Run by hand, on an idle machine: ``python -m tests.benchmarks.bookkeeping_cost``.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.students.lifetimes.taught_worlds import BudgetLedger, TaughtWorlds
from teachgym.worlds.sb3_vec_env import SB3VecEnv
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import Played, Slots, WorldBatch

SLOTS, STEPS, REPEATS = 64, 20_000, 5
EPISODE = 500
"""Steps of an episode: one of the slots ends about every eighth step."""


class Nothing(WorldBatch):
    """Worlds the size of the walker in which nothing happens, save that episodes end."""

    def __init__(self) -> None:
        self.size = SLOTS
        self.observation_space = spaces.Box(-np.inf, np.inf, (24,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.task_spaces = [TaskSpace([Parameter("height", 0.0, 3.0), Parameter("spacing", 0.0, 6.0)])] * SLOTS
        self._task = np.zeros(2)
        self._observations = np.zeros((SLOTS, 24), np.float32)
        self._left = np.arange(SLOTS) * EPISODE // SLOTS

    @property
    def generators(self) -> Sequence[np.random.Generator]:
        return []

    def reset(
        self, slots: Slots, tasks: Sequence[FloatArray | None], seeds: Sequence[int | None] | None = None
    ) -> NDArray[Any]:
        return self._observations[slots]

    def step(self, slots: Slots, actions: NDArray[Any]) -> Played:
        self._left[slots] = (self._left[slots] - 1) % EPISODE
        over = self._left[slots] == 0
        return self._observations[slots], np.ones(len(slots)), over, np.zeros_like(over)

    def task(self, slot: int) -> FloatArray:
        return self._task

    def render(self, slot: int) -> None:
        return None

    def close(self) -> None:
        pass


def microseconds(step: Callable[[], Any]) -> float:
    """Time of a step, the best of some repeats."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        for _ in range(STEPS):
            step()
        best = min(best, (time.perf_counter() - started) / STEPS)
    return 1e6 * best


def main() -> None:
    """Measure each layer on top of those below."""
    actions = np.zeros((SLOTS, 4), np.float32)
    slots, bare = np.arange(SLOTS), Nothing()
    ledger = BudgetLedger(10**12, mastered_above=0.0)
    taught = TaughtWorlds(Nothing(), ledger, lambda _: np.zeros(2), seed=0)
    vector = BatchVectorEnv(taught, autoreset_mode=AutoresetMode.SAME_STEP)
    for_stable_baselines = SB3VecEnv(vector)
    for_stable_baselines.reset()
    steps: dict[str, Callable[[], Any]] = {
        "the worlds": lambda: bare.step(slots, actions),
        "taught, with autoreset": lambda: vector.step(actions),
        "for Stable-Baselines3": lambda: for_stable_baselines.step(actions),
    }
    for name, step in steps.items():
        sys.stdout.write(f"{name:<24}{microseconds(step):6.1f} microseconds a step of {SLOTS} slots\n")


if __name__ == "__main__":
    main()
