"""Test a student on a fixed set of tasks: deterministic, in worlds of its own."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym.core.evaluation import Evaluation
from teachgym.core.task_space import FloatArray
from teachgym.worlds.world_batch import Slots, WorldBatch

Policy = Callable[[NDArray[Any]], NDArray[Any]]


def evaluate(
    policy: Policy,
    make_batch: Callable[[int], WorldBatch],
    tasks: FloatArray,
    *,
    seed: int,
    mastered_above: float,
    spent: int = 0,
) -> Evaluation:
    """Play one episode on every task, all in step, so that the policy answers in batches.

    Task i's world is seeded by the seed and i alone: the same seed gives the same terrain in every
    evaluation, whoever is tested.

    Args:
        policy: Maps observations ``(k, ...)`` to actions ``(k, ...)``.
        make_batch: Makes a batch of so many worlds, with their time limits.
        tasks: ``(m, n)`` test tasks.
        seed: Non-negative integer.
        mastered_above: A return above this counts as mastered.
        spent: Training steps that the student has had, for the record.

    Raises:
        ValueError: If there are no tasks.
    """
    tasks = np.asarray(tasks, dtype=np.float64)
    if tasks.ndim != 2 or len(tasks) == 0:
        raise ValueError(f"test tasks have shape {tasks.shape}; expected (tasks, parameters) with at least one task")
    seeds = np.random.SeedSequence(seed).generate_state(len(tasks))
    returns, lengths = np.zeros(len(tasks)), np.zeros(len(tasks), dtype=np.int64)
    playing: Slots = np.arange(len(tasks))
    with closing(make_batch(len(tasks))) as worlds:
        observations = worlds.reset(playing, list(tasks), seeds.tolist())
        while len(playing):
            observations, rewards, terminated, truncated = worlds.step(playing, np.asarray(policy(observations)))
            returns[playing] += rewards
            lengths[playing] += 1
            goes_on = ~(terminated | truncated)
            playing, observations = playing[goes_on], observations[goes_on]
    return Evaluation(tasks, returns, lengths, mastered_above, spent)
