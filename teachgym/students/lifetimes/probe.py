"""Probes of a task: the student plays it and learns nothing."""

import time

import numpy as np

from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.task_space import FloatArray
from teachgym.students.lifetimes.episode import FinishedEpisode
from teachgym.students.lifetimes.global_state import seeded
from teachgym.students.lifetimes.taught_worlds import BudgetLedger
from teachgym.students.rl.student import RLStudent
from teachgym.worlds.world_batch import WorldBatch


def probe(
    student: RLStudent,
    batch: WorldBatch,
    task: FloatArray,
    ledger: BudgetLedger,
    *,
    seed: np.random.SeedSequence,
    counted: bool,
    traced: Needs,
) -> Feedback | None:
    """Play one episode as the student would explore, and leave the student as it is.

    Args:
        student: Has begun to learn.
        batch: A world for this alone.
        task: ``(n,)``, valid.
        ledger: Counts the decision, and pays the steps.
        seed: Seeds the world and the exploration.
        counted: Whether the ledger pays.
        traced: What of ``student.offers`` the feedback's trace has.

    Returns:
        The result; None if the budget ended it before its end.
    """
    world_seed, student_seed = (int(word) for word in seed.generate_state(2))
    slot = np.zeros(1, dtype=np.int64)
    rewards: list[float] = []
    decision, ledger.decisions = ledger.decisions, ledger.decisions + 1
    started = time.perf_counter()
    with seeded(student_seed):
        observations = [batch.reset(slot, [task], [world_seed])[0]]
        over = terminated = False
        while not over and not (counted and ledger.exhausted):
            played = batch.step(slot, np.asarray(student.explore(observations[-1][None])))
            observations.append(played[0][0])
            rewards.append(float(played[1][0]))
            terminated = bool(played[2][0])
            over = terminated or bool(played[3][0])
            ledger.spent += counted
    ledger.world_seconds += time.perf_counter() - started
    if not over:
        return None
    outcome = float(np.sum(rewards))
    feedback = Feedback(
        task=task,
        outcome=outcome,
        success=outcome > ledger.mastered_above,
        cost=len(rewards) if counted else 0,
        decision=decision,
        probe=True,
    )
    return FinishedEpisode(feedback, observations, rewards, terminated).told(student, traced)
