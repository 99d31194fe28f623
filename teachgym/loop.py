"""The loop in which a teacher teaches, with its record."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium

from teachgym.feedback import Transition
from teachgym.record import Record
from teachgym.teacher import Teacher
from teachgym.teacher_env import TeacherEnv


@dataclass(frozen=True)
class Progress:
    """Where a run stands, after each decision."""

    student_steps: int
    """Student steps spent."""
    budget: int
    """Student steps that the run may spend."""
    episodes: int
    """Student episodes finished."""
    over: bool
    """Whether this was the last decision."""
    record: Record
    """Everything so far."""


def teach(
    env: gymnasium.Env[Any, Any],
    teacher: Teacher,
    *,
    seed: int | None = None,
    on_step: Callable[[Progress], None] | None = None,
) -> Record:
    """Let a teacher teach one student from the beginning until the budget is spent.

    Args:
        env: A teacher environment.
        teacher: Made for this environment.
        seed: Integer from 0 up for ``env.reset``; None continues the environment's stream.
        on_step: Called after every decision; may evaluate, store, show progress, or raise to stop.

    Returns:
        The record of the run.

    Raises:
        TypeError: If the environment is no teacher environment.
        BaseException: Whatever the student, the teacher or ``on_step`` raises.
    """
    if not isinstance(env.unwrapped, TeacherEnv):
        raise TypeError(f"{env} is no teacher environment; teach() needs a TeacherEnv, for instance StumpTracks-v0")
    budget = env.unwrapped.budget
    record = Record()
    observation, _ = env.reset(seed=seed)
    sampling, over = teacher.sampling(), False
    if sampling is not None:
        record.sampling.append((0, sampling))
    while not over:
        started = time.perf_counter()
        action = teacher.act(observation)
        record.teacher_seconds += time.perf_counter() - started
        next_observation, reward, terminated, truncated, info = env.step(action)
        over, feedback, steps = terminated or truncated, info["feedback"], info["student_steps"]
        started = time.perf_counter()
        teacher.update(Transition(observation, action, float(reward), next_observation, terminated, feedback))
        record.teacher_seconds += time.perf_counter() - started
        observation = next_observation
        record.origins.append(teacher.origin)
        if feedback is not None:
            record.feedback.append(replace(feedback, task=env.unwrapped.recorded(feedback), extras={}))
            record.finished_at.append(steps)
        previous, sampling = sampling, teacher.sampling()
        if sampling is not None and sampling is not previous:
            record.sampling.append((steps, sampling))
        if on_step is not None:
            on_step(Progress(steps, budget, len(record.feedback), over, record))
    return record
