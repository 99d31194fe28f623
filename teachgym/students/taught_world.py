"""A student's world whose next task comes from the teacher: asked for whenever an episode begins."""

import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from teachgym.feedback import Feedback
from teachgym.students.coroutine import BudgetSpent
from teachgym.task_space import FloatArray

World = gymnasium.Env[Any, Any]
MakeWorld = Callable[[], World]
Ask = Callable[[Feedback | None], FloatArray]


class Ledger:
    """What the slots of one student share: the step budget, the decisions handed out, results not handed over.

    Args:
        budget: World steps, over all slots, that may be played; from 1 up.
        mastered_above: An outcome above this is a success.

    Raises:
        ValueError: If the budget is below 1.
    """

    def __init__(self, budget: int, *, mastered_above: float) -> None:
        if budget < 1:
            raise ValueError(f"student_steps is {budget}; expected at least 1")
        self.budget = budget
        self.mastered_above = mastered_above
        self.spent = 0
        self.decisions = 0
        self.world_seconds = 0.0
        self.results: list[Feedback] = []
        """Feedback of finished episodes whose slot has not asked for its next task yet, oldest first."""

    @property
    def exhausted(self) -> bool:
        """Whether every step has been played."""
        return self.spent >= self.budget


class TaughtWorld(gymnasium.Wrapper[Any, Any, Any, Any]):
    """One slot: an ordinary Gymnasium environment to the student's training loop.

    ``reset`` hands the result of the last episode over and plays the task that comes back. In the
    middle of an episode it starts the same task again: abandoning a task is no way to get another, and
    its steps stay spent. Seeds and options given by the training loop are ignored: the teacher
    environment seeds the worlds and sets the tasks.

    Args:
        world: The world, with its time limit; takes ``reset(options={"task": ...})``.
        ledger: Shared by all slots of the student.
        ask: Hands feedback over (None for a slot's first task) and returns the next task.
        seed: Seeds this slot's stream of random numbers, on its first reset.
    """

    def __init__(self, world: World, ledger: Ledger, ask: Ask, *, seed: int) -> None:
        super().__init__(world)
        self._ledger = ledger
        self._ask = ask
        self._seed: int | None = seed
        self._task: FloatArray | None = None
        self._decision = 0
        self._outcome = 0.0
        self._length = 0
        self._result: Feedback | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the next task that the teacher sets."""
        if self._task is None or self._result is not None:
            if self._result is not None:
                self._ledger.results.remove(self._result)
            result, self._result = self._result, None
            decision, self._ledger.decisions = self._ledger.decisions, self._ledger.decisions + 1
            self._task = self._ask(result)
            self._decision = decision
        self._outcome, self._length = 0.0, 0
        world_seed, self._seed = self._seed, None
        started = time.perf_counter()
        observation, info = self.env.reset(seed=world_seed, options={"task": self._task})
        self._ledger.world_seconds += time.perf_counter() - started
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one step, on the budget.

        Raises:
            BudgetSpent: If the budget is spent; ends the training loop.
        """
        if self._ledger.exhausted:
            raise BudgetSpent
        started = time.perf_counter()
        observation, reward, terminated, truncated, _ = self.env.step(action)
        self._ledger.world_seconds += time.perf_counter() - started
        self._ledger.spent += 1
        self._outcome += float(reward)
        self._length += 1
        if terminated or truncated:
            self._finish()
        # Vectorisers copy the info of every step deeply; the student needs none of it.
        return observation, float(reward), terminated, truncated, {}

    def _finish(self) -> None:
        assert self._task is not None
        self._result = Feedback(
            task=self._task,
            outcome=self._outcome,
            success=self._outcome > self._ledger.mastered_above,
            cost=self._length,
            decision=self._decision,
        )
        self._ledger.results.append(self._result)


def make_slots(make_world: MakeWorld, count: int, ledger: Ledger, ask: Ask, *, seed: int) -> list[TaughtWorld]:
    """Make the worlds of a student, each with its own stream of random numbers.

    Raises:
        ValueError: If ``count`` is below 1.
    """
    if count < 1:
        raise ValueError(f"slots is {count}; expected at least 1")
    seeds = np.random.SeedSequence(seed).generate_state(count)
    return [TaughtWorld(make_world(), ledger, ask, seed=int(slot_seed)) for slot_seed in seeds]
