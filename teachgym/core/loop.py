"""The loop in which a teacher teaches, with its record; it can be stored between two decisions."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium

from teachgym.core.feedback import Transition
from teachgym.core.record import Record
from teachgym.core.sampling import Sampling
from teachgym.core.teacher import Teacher
from teachgym.core.teacher_env import TeacherEnv


@dataclass(frozen=True)
class Progress:
    """Where a run stands: before the first decision, and after each."""

    spent: int
    """Student steps spent."""
    budget: int
    """Student steps that the run may spend."""
    episodes: int
    """Student episodes finished."""
    over: bool
    """Whether the last decision has been taken."""
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
        seed: Non-negative integer for ``env.reset``; None continues the environment's stream.
        on_step: Called after every decision; may evaluate, store, show progress, or raise to stop.

    Returns:
        The record of the run.

    Raises:
        TypeError: If the environment is no teacher environment.
        BaseException: Whatever the student, the teacher or ``on_step`` raises.
    """
    teaching = Teaching(env, teacher)
    try:
        teaching.begin(seed)
        while not teaching.over:
            progress = teaching.step()
            if on_step is not None:
                on_step(progress)
    finally:
        teaching.end()
    return teaching.record


class Teaching:
    """A teacher and its student between two decisions; ``teach`` is this from beginning to end.

    Until ``end``, the environment works out only such traces as the teacher needs.

    Args:
        env: A teacher environment.
        teacher: Made for this environment.

    Raises:
        TypeError: If the environment is no teacher environment.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], teacher: Teacher) -> None:
        if not isinstance(env.unwrapped, TeacherEnv):
            raise TypeError(f"{env} is no teacher environment; teach() needs a TeacherEnv, for instance StumpTracks-v0")
        self._env, self._inner, self._teacher = env, env.unwrapped, teacher
        self._traces_before = self._inner.lifetime.traces
        self._inner.lifetime.traces = teacher.requirements(teacher.settings).needs
        self.record = Record()
        self.over = False
        """Whether the budget is spent."""
        self._observation: Any = None
        self._sampling: Sampling | None = None

    def begin(self, seed: int | None) -> None:
        """Make a fresh student."""
        self.record, self.over = Record(), False
        self._observation, _ = self._env.reset(seed=seed)
        self._sampling = self._teacher.sampling()
        if self._sampling is not None:
            self.record.sampling.append((0, self._sampling))

    def end(self) -> None:
        """Leave the environment to others, who may ask for other traces."""
        self._inner.lifetime.traces = self._traces_before

    def step(self) -> Progress:
        """Take one decision, have it carried out, and learn from it."""
        record, teacher, observation = self.record, self._teacher, self._observation
        started = time.perf_counter()
        action = teacher.act(observation)
        record.teacher_seconds += time.perf_counter() - started
        self._observation, reward, terminated, truncated, info = self._env.step(action)
        self.over, feedback, steps = terminated or truncated, info["feedback"], info["spent"]
        started = time.perf_counter()
        teacher.update(Transition(observation, action, float(reward), self._observation, terminated, feedback))
        record.teacher_seconds += time.perf_counter() - started
        record.origins.append(teacher.origin)
        if feedback is not None:
            task = self._inner.lifetime.recorded(feedback)
            record.feedback.append(replace(feedback, task=task, trace=None, antagonist_outcome=None))
            record.finished_at.append(steps)
        previous, self._sampling = self._sampling, teacher.sampling()
        if self._sampling is not None and self._sampling is not previous:
            record.sampling.append((steps, self._sampling))
        return self.progress

    @property
    def progress(self) -> Progress:
        """Where the run stands."""
        return Progress(self._inner.spent, self._inner.budget, len(self.record.feedback), self.over, self.record)

    def state_dict(self) -> dict[str, Any]:
        """What ``load_state_dict`` needs to go on after the last decision, bit for bit on CPU."""
        return {
            "environment": self._inner.state_dict(),
            "teacher": self._teacher.state_dict(),
            "record": self.record.state_dict(),
            "observation": self._observation,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with a stored run, in a fresh environment and teacher of the same settings and seed.

        Raises:
            ValueError: If the state does not fit them, or repeating what led to it did not come to it; and if the
                environment is wrapped, as wrappers have a state of their own: give ``env.unwrapped``.
        """
        if self._env is not self._inner:
            raise ValueError(f"{self._env} is wrapped, and a stored run is not; give Teaching its env.unwrapped")
        self._inner.load_state_dict(state["environment"])
        self._teacher.load_state_dict(state["teacher"])
        self.record, self.over = Record.from_state(state["record"]), False
        self._observation = state["observation"]
        self._sampling = self._teacher.sampling()
