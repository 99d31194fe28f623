"""A student's training loop, which waits for its next task: a lifetime resumes it, and can store it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from teachgym.base.state import State
from teachgym.core.feedback import Feedback
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.task_space import FloatArray
from teachgym.students.lifetimes.coroutine import Coroutine
from teachgym.students.lifetimes.episode import FinishedEpisode
from teachgym.students.lifetimes.taught_worlds import BudgetLedger, TaughtWorlds
from teachgym.students.rl.student import RLStudent
from teachgym.worlds.world_batch import WorldBatch


class LearningLoop:
    """The training loop of a fresh student that learns whatever tasks it is given, one for each call of ``teach``.

    A paused loop can't be stored, but it can be led to where it was: from its beginning, or from the last boundary at
    which it was captured, by the same tasks. ``state`` is that beginning and these tasks; it is exact at any time, and
    quick to go on from when the student was captured a short time ago.

    Args:
        student: Learns from scratch.
        make_batch: Makes the worlds for so many slots.
        ledger: The budget, shared with whoever else spends it.
        world_seed: Seeds the worlds.
        student_seed: Seeds the learner.
        state: Goes on from what ``state`` gave, with the same other arguments; None begins.

    Raises:
        ValueError: If the state is not that of this student, or it did not come to the same place.
    """

    def __init__(
        self,
        student: RLStudent,
        make_batch: Callable[[int], WorldBatch],
        ledger: BudgetLedger,
        *,
        world_seed: int,
        student_seed: int,
        state: State | None = None,
    ) -> None:
        self._student, self._ledger = student, ledger
        self._can_be_captured = type(student).learner_state is not RLStudent.learner_state
        self._worlds: list[TaughtWorlds] = []
        self._journal = journal = _Journal(ledger) if state is None else _Journal.going_on(ledger, state)
        begun, steps, made = journal.captured, journal.steps, self._worlds

        def learn(ask: Callable[[FinishedEpisode | None], FloatArray]) -> None:
            worlds = TaughtWorlds(
                make_batch(student.slots), ledger, ask, observed=bool(student.offers), seed=world_seed
            )
            made.append(worlds)
            student.at_boundary = lambda: journal.at_boundary(student, worlds)
            if begun is None:
                student.learn(worlds, steps=steps, seed=student_seed)
            else:
                worlds.load(begun["worlds"])
                student.go_on(worlds, begun["learner"], steps=steps)

        # The paused loop holds no reference to this object, so that one that is dropped can be collected.
        self._coroutine: Coroutine[FinishedEpisode | None, FloatArray] = Coroutine(learn, seed=student_seed)
        self._coroutine.resume(None)
        if state is not None:
            self._repeat(state)

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent, or the student has stopped, and every result has been handed over."""
        return (self._ledger.exhausted or self._coroutine.finished) and not self._ledger.results

    @property
    def capturing(self) -> bool:
        """Whether the student is to be captured at its next boundary, and has not come to one yet."""
        return self._journal.capturing

    def capture(self) -> None:
        """Have the student captured at its next boundary, if it has such, so that ``state`` is quick to go on from."""
        self._journal.capturing = self._can_be_captured

    def state(self) -> State:
        """What a new object needs to go on from here: arrays and plain values."""
        return self._journal.state()

    def note_probes(self, decisions: int, spent: int) -> None:
        """Take note that the ledger was charged by somebody else since the last task."""
        self._journal.add_probes(decisions, spent)

    def teach(self, task: FloatArray, *, traced: Needs = NOTHING) -> Feedback | None:
        """Give the waiting slot its task, and let the student go on until the next slot waits.

        Args:
            task: ``(n,)``, valid. Ignored once the student has stopped.
            traced: What of ``student.offers`` the feedback's trace has.

        Returns:
            The result of the episode that the next slot has finished, if any.
        """
        self._journal.add_task(task)
        episode = None if self._coroutine.finished else self._coroutine.resume(task)
        if self._coroutine.finished and self._ledger.results:
            episode = self._ledger.results.pop(0)
        feedback = None if episode is None else episode.told(self._student, traced)
        self.finish(task)
        return feedback

    def finish(self, task: FloatArray) -> None:
        """If the budget is spent, let the student learn what is still to come of its last episode.

        Args:
            task: ``(n,)``, valid; no step of it is played.
        """
        while self.is_over and not self._coroutine.finished:
            self._coroutine.resume(task)

    def close(self) -> None:
        """End the student's loop where it waits, and close its worlds.

        Raises:
            RuntimeError: If called from another thread than it was made in.
        """
        self._coroutine.close()
        for worlds in self._worlds:
            worlds.close()

    def _repeat(self, state: State) -> None:
        """Give the tasks that the student had had since it was captured again."""
        for task, (decisions, spent) in zip([*state["tasks"], None], state["probed"].tolist(), strict=True):
            self._ledger.decisions += decisions
            self._ledger.spent += spent
            self.note_probes(decisions, spent)
            if task is not None:
                self.teach(task)
        if (reached := [self._ledger.spent, self._ledger.decisions]) != state["reached"]:
            raise ValueError(
                f"the student came to step {reached[0]}, decision {reached[1]}, by the tasks that had led it to step "
                f"{state['reached'][0]}, decision {state['reached'][1]}: its training does not depend on its seed "
                "alone, or another version or machine trains differently"
            )


class _Journal:
    """From where a student can be led to where it is, and by what."""

    def __init__(self, ledger: BudgetLedger) -> None:
        self._ledger = ledger
        self.capturing = False
        self.captured: State | None = None
        self.steps = ledger.budget - ledger.spent
        self._start_again()

    @classmethod
    def going_on(cls, ledger: BudgetLedger, state: Mapping[str, Any]) -> "_Journal":
        ledger.load(state["ledger"])
        journal = cls(ledger)
        journal.captured, journal.steps = state["captured"], int(state["steps"])
        return journal

    def _start_again(self) -> None:
        self._paid = self._ledger.state()
        self._tasks: list[FloatArray] = []
        self._probed = [(0, 0)]

    def add_task(self, task: FloatArray) -> None:
        self._tasks.append(task)
        self._probed.append((0, 0))

    def add_probes(self, decisions: int, spent: int) -> None:
        before = self._probed[-1]
        self._probed[-1] = before[0] + decisions, before[1] + spent

    def at_boundary(self, student: RLStudent, worlds: TaughtWorlds) -> None:
        if self.capturing and worlds.between_results:
            self.captured = {"learner": student.learner_state(), "worlds": worlds.state()}
            self.capturing = False
            self._start_again()

    def state(self) -> State:
        return {
            "captured": self.captured,
            "steps": self.steps,
            "ledger": self._paid,
            "tasks": np.array(self._tasks),
            "probed": np.array(self._probed, dtype=np.int64),
            "reached": [self._ledger.spent, self._ledger.decisions],
        }
