"""The student of another lifetime, harder to teach."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from teachgym.base.state import State, Stateful
from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime
from teachgym.core.needs import Needs
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.core.teacher_env import TeacherEnv
from teachgym.envs.tasks.task_transforms import TaskMap


@dataclass
class _Open:
    """A decision that the environment inside has not answered yet."""

    decision: int
    """Its number outside."""
    task: FloatArray
    """``(n,)`` as it was decided, outside."""


class ChallengeLifetime(Lifetime[FloatArray]):
    """The student of another lifetime, taught through a map of its tasks, and perhaps replaced at times.

    Args:
        make_env: Makes the environment whose student it is, of the kind with this number.
        kinds: How many kinds there are; each seed has its own, in turn.
        env: The environment of kind 0.
        task_map: From the tasks of a teacher to those of the environment; None for one that can't be done there.
        tasks: What a teacher chooses from.
        replace_every: Student steps between two replacements of the student; None for never.
        counts_probes: Whether probes of tasks that can't be done are paid.
        knows_success: Whether feedback says what is mastered.
    """

    keeps = ("_extra", "_decisions", "_inner_decisions", "_cost", "_replaced", "_open")
    _open: dict[int, _Open]
    """By their numbers inside."""

    def __init__(
        self,
        make_env: Callable[[int], TeacherEnv],
        kinds: int,
        env: TeacherEnv,
        task_map: TaskMap,
        tasks: TaskSpace,
        *,
        replace_every: float | None,
        counts_probes: bool,
        knows_success: bool,
    ) -> None:
        self._make_env, self._kinds, self._kind = make_env, kinds, 0
        self._env, self._map = env, task_map
        self.task_space = self.decision_space = tasks
        self.budget, self.replayed = env.budget, env.lifetime.replayed
        self._replace_every, self._counts_probes, self._knows_success = replace_every, counts_probes, knows_success
        self._forget()

    def _forget(self) -> None:
        self._extra = self._decisions = self._inner_decisions = self._replaced = 0
        self._cost = 1
        self._open = {}

    @property
    def inner(self) -> Lifetime[Any]:
        """The lifetime inside."""
        return self._env.lifetime

    @property
    def spent(self) -> int:
        """What the student has spent, and what failing at tasks that can't be done has cost."""
        return min(self.inner.spent + self._extra, self.budget)

    @property
    def over(self) -> bool:
        """Whether nothing is left to decide."""
        return self.inner.over or self.spent >= self.budget

    @property
    def world_seconds(self) -> float:
        """Time spent in the student's worlds in this episode."""
        return self.inner.world_seconds

    @property
    def test_space(self) -> TaskSpace:
        """The tasks of the environment whose student is taught."""
        return self.inner.test_space

    def _choose(self, seeds: Seeds) -> None:
        """Have the kind of student that these seeds have."""
        kind = seeds.seed % self._kinds
        if kind != self._kind:
            self.inner.close()
            self._env, self._kind = self._make_env(kind), kind

    def begin(self, seeds: Seeds) -> None:
        """Make a fresh student."""
        self._choose(seeds)
        self.inner.begin(seeds)
        self._forget()

    def read(self, action: Any) -> FloatArray:
        """The action as a task."""
        return self.task_space.validate(action)

    def teach(self, decision: FloatArray) -> Feedback | None:
        """Let the student learn the task that this one stands for, or fail."""
        return self._carry_out(decision, probe=False)

    def probe(self, decision: FloatArray) -> Feedback | None:
        """Let the student play the task that this one stands for, or fail."""
        return self._carry_out(decision, probe=True)

    def _carry_out(self, decided: FloatArray, *, probe: bool) -> Feedback | None:
        number, self._decisions = self._decisions, self._decisions + 1
        inner, action = self.inner, self._map.inward(decided)
        if action is None:
            return self._fail(decided, number, probe=probe)
        if self._replace_every is not None and self.spent >= (self._replaced + 1) * self._replace_every:
            self._replaced += 1
            inner.replace_student()
        self._open[self._inner_decisions] = _Open(number, decided)
        self._inner_decisions += 1
        task = inner.read(action)
        inner.traces = self.traces
        feedback = inner.probe(task) if probe else inner.teach(task)
        if feedback is None:
            return None
        self._cost = feedback.cost or self._cost
        was = self._open.pop(feedback.decision)
        success = feedback.success and self._knows_success
        return replace(feedback, task=was.task, decision=was.decision, success=success)

    def _fail(self, task: FloatArray, number: int, *, probe: bool) -> Feedback:
        cost = min(self._cost, self.budget - self.spent) if not probe or self._counts_probes else 0
        self._extra += cost
        offers = self._env.teaching_spec.offers
        worst = self._env.teaching_spec.outcome_range[0]
        trace, traced = None, self._traced(offers & (Needs.VALUES | Needs.ENTROPIES))
        if traced:
            values = np.array([worst, 0.0]) if Needs.VALUES in traced else None
            trace = EpisodeTrace(np.array([worst]), values, np.zeros(1) if Needs.ENTROPIES in traced else None)
        other = worst if Needs.ANTAGONIST in offers else None
        return Feedback(task, worst, False, cost, number, probe, trace, other)

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student on the environment's own tasks, ``(m, n)`` in ``test_space``.

        Raises:
            ValueError: If a task is not allowed.
        """
        return replace(self.inner.evaluate(tasks), spent=self.spent)

    def info(self) -> dict[str, Any]:
        """That of the lifetime inside."""
        return self.inner.info()

    def student_state(self) -> State | None:
        """What ``restore_student`` needs."""
        return self.inner.student_state()

    def restore_student(self, state: State, seeds: Seeds) -> None:
        """Take over a stored student, of the kind that the seeds have."""
        self._choose(seeds)
        self.inner.restore_student(state, seeds)

    def replace_student(self) -> None:
        """Replace the student by a fresh one."""
        self.inner.replace_student()

    def close(self) -> None:
        """Close the lifetime inside."""
        self.inner.close()

    def capture_soon(self) -> None:
        """Have the student captured at its next boundary."""
        self.inner.capture_soon()

    @property
    def capturing(self) -> bool:
        """Whether the student is still on its way to its next boundary."""
        return self.inner.capturing

    def state(self) -> State:
        """What is open and replaced, and the lifetime inside."""
        return {"kept": Stateful.state(self), "inner": self.inner.state()}

    def resume(self, state: State, seeds: Seeds) -> None:
        """Resume the lifetime inside, and what is open."""
        self._choose(seeds)
        self.inner.resume(state["inner"], seeds)
        self.load(state["kept"])
