"""A student's worlds, whose next task comes from the teacher: asked for whenever an episode begins."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym.base.state import Stateful
from teachgym.core.feedback import Feedback
from teachgym.core.seeding import generator_state
from teachgym.core.task_space import FloatArray
from teachgym.students.lifetimes.coroutine import BudgetSpent
from teachgym.students.lifetimes.episode import FinishedEpisode
from teachgym.worlds.world_batch import Played, Slots, WorldBatch, WorldBatchWrapper

AskTask = Callable[[FinishedEpisode | None], FloatArray]


class BudgetLedger(Stateful):
    """What the slots of one student share: the step budget, the decisions handed out, results not handed over.

    Args:
        budget: World steps, over all slots, that may be played; at least 1.
        mastered_above: An outcome above this is a success.

    Raises:
        ValueError: If the budget is below 1.
    """

    keeps = ("spent", "decisions", "world_seconds")

    def __init__(self, budget: int, *, mastered_above: float) -> None:
        if budget < 1:
            raise ValueError(f"budget is {budget}; expected at least 1")
        self.budget = budget
        self.mastered_above = mastered_above
        self.spent = 0
        self.decisions = 0
        """Decisions made so far."""
        self.world_seconds = 0.0
        self.results: list[FinishedEpisode] = []
        """Finished episodes whose slot has not asked for its next task yet, oldest first."""

    @property
    def exhausted(self) -> bool:
        """Whether every step has been played."""
        return self.spent >= self.budget

    def _forget_derived(self) -> None:
        self.results = []  # a state is taken while none waits to be handed over, or before what led to them is repeated


class TaughtWorlds(WorldBatchWrapper, Stateful):
    """All slots of a student: an ordinary batch of worlds to whoever plays it.

    ``reset`` asks the teacher slot by slot: it hands the result of the last episode over, and plays the task
    that comes back. In the middle of an episode it starts the same task again: abandoning a task is no way to
    get another, and its steps stay spent. Tasks and seeds given by the training loop are ignored: the teacher
    environment sets the tasks and seeds the worlds.

    All slots play a step before the first of them asks for its next task, so that ``spent`` at a decision counts
    the whole step. The budget is spent exactly all the same: where fewer steps are left than slots want to play,
    only the first of them do.

    What is kept is how each episode began and its actions so far, by which it is played again; that is everything
    while ``between_results`` holds.

    Args:
        batch: The worlds, with their time limits.
        ledger: The budget, and what is not handed over yet.
        ask: Hands a finished episode over (None for a slot's first task) and returns the next task.
        observed: Whether finished episodes keep their observations and rewards.
        seed: Makes the slots' seeds, which their generators get on their first reset.
    """

    keeps = ("_given", "_decisions", "_drawn_from", "_actions")

    def __init__(
        self, batch: WorldBatch, ledger: BudgetLedger, ask: AskTask, *, observed: bool = False, seed: int
    ) -> None:
        super().__init__(batch)
        self._ledger = ledger
        self._ask = ask
        self._observed = observed
        self._seeds: list[int | None] = [int(word) for word in np.random.SeedSequence(seed).generate_state(batch.size)]
        self._given: list[FloatArray | None] = [None] * batch.size
        self._decisions = [0] * batch.size
        self._outcomes, self._lengths = np.zeros(batch.size), np.zeros(batch.size, dtype=np.int64)
        self._results: list[FinishedEpisode | None] = [None] * batch.size
        self._observations: list[list[NDArray[Any]]] = [[] for _ in range(batch.size)]
        self._rewards: list[list[float]] = [[] for _ in range(batch.size)]
        self._actions: list[list[NDArray[Any]]] = [[] for _ in range(batch.size)]
        self._drawn_from: list[dict[str, Any]] = [{} for _ in range(batch.size)]

    def reset(
        self, slots: Slots, tasks: Sequence[FloatArray | None], seeds: Sequence[int | None] | None = None
    ) -> NDArray[Any]:
        """Begin the next tasks that the teacher sets."""
        chosen = slots.tolist()
        given = [self._next_task(slot) for slot in chosen]
        own_seeds = [self._seeds[slot] for slot in chosen]
        for slot in chosen:
            self._seeds[slot] = None
        generators = self._batch.generators
        for slot, own_seed in zip(chosen, own_seeds, strict=True):
            self._drawn_from[slot] = generator_state(generators[slot]) if own_seed is None else {"seed": own_seed}
        return self._begin(slots, given, own_seeds)

    def _begin(self, slots: Slots, tasks: list[FloatArray], seeds: list[int | None]) -> NDArray[Any]:
        started = time.perf_counter()
        observations = self._batch.reset(slots, tasks, seeds)
        self._ledger.world_seconds += time.perf_counter() - started
        self._outcomes[slots], self._lengths[slots] = 0.0, 0
        for slot, observation in zip(slots.tolist(), observations, strict=True):
            self._actions[slot] = []
            if self._observed:
                self._observations[slot], self._rewards[slot] = [observation.copy()], []
        return observations

    def step(self, slots: Slots, actions: NDArray[Any]) -> Played:
        """Play one step, on the budget.

        Raises:
            BudgetSpent: If the budget does not suffice for all slots; ends the training loop.
        """
        left = self._ledger.budget - self._ledger.spent
        if len(slots) > left:
            if left:
                self._play(slots[:left], actions[:left])
            raise BudgetSpent
        return self._play(slots, actions)

    def _play(self, slots: Slots, actions: NDArray[Any]) -> Played:
        started = time.perf_counter()
        played = self._batch.step(slots, actions)
        self._ledger.world_seconds += time.perf_counter() - started
        self._ledger.spent += len(slots)
        taken = np.array(actions)
        for i, slot in enumerate(slots.tolist()):
            self._actions[slot].append(taken[i])
        observations, rewards, terminated, truncated = played
        self._outcomes[slots] += rewards
        self._lengths[slots] += 1
        if self._observed:
            kept = observations.copy()  # the training loop may change what it is given
            for slot, observation, reward in zip(slots.tolist(), kept, rewards.tolist(), strict=True):
                self._observations[slot].append(observation)
                self._rewards[slot].append(reward)
        over = terminated | truncated
        if over.any():
            for slot, ended in zip(slots[over].tolist(), terminated[over].tolist(), strict=True):
                self._finish(slot, terminated=ended)
        return played

    @property
    def between_results(self) -> bool:
        """Whether every slot is in the middle of an episode."""
        return all(task is not None for task in self._given) and not any(self._results)

    def _forget_derived(self) -> None:
        """Play the episodes again, up to where they were; the ledger is as before then."""
        paid, taken = self._ledger.state(), self._actions
        self._actions = [[] for _ in taken]
        for place, (task, origin) in enumerate(zip(self._given, self._drawn_from, strict=True)):
            assert task is not None
            seed = origin.get("seed")
            if seed is None:
                self._batch.generators[place].bit_generator.state = origin
            self._seeds[place] = None
            self._begin(np.array([place]), [task], [seed])
        lengths = np.array([len(actions) for actions in taken])
        for step in range(lengths.max(initial=0)):
            playing = np.flatnonzero(lengths > step)
            self._play(playing, np.stack([taken[place][step] for place in playing.tolist()]))
        self._ledger.load(paid)

    def _next_task(self, slot: int) -> FloatArray:
        task, result = self._given[slot], self._results[slot]
        if task is None or result is not None:
            if result is not None:
                self._ledger.results = [other for other in self._ledger.results if other is not result]
                self._results[slot] = None
            task = self._given[slot] = self._ask(result)
            self._decisions[slot] = self._ledger.decisions  # counted now, as others may be made while a slot waits
            self._ledger.decisions += 1
        return task

    def _finish(self, slot: int, *, terminated: bool) -> None:
        task, outcome = self._given[slot], float(self._outcomes[slot])
        assert task is not None
        feedback = Feedback(
            task=task,
            outcome=outcome,
            success=outcome > self._ledger.mastered_above,
            cost=int(self._lengths[slot]),
            decision=self._decisions[slot],
        )
        result = FinishedEpisode(feedback, self._observations[slot], self._rewards[slot], terminated)
        self._results[slot] = result
        self._ledger.results.append(result)
