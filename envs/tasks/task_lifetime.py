"""An RL student that learns episode by episode, and perhaps an antagonist that learns the same tasks."""

import contextlib
import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from gymnasium import Space
from numpy.typing import ArrayLike

from teachgym.base.state import State, Stateful
from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.students.lifetimes.global_state import preserved
from teachgym.students.lifetimes.learning_loop import LearningLoop
from teachgym.students.lifetimes.probe import probe
from teachgym.students.lifetimes.taught_worlds import BudgetLedger
from teachgym.students.rl.student import RLStudent
from teachgym.worlds.evaluate import evaluate
from teachgym.worlds.world_batch import WorldBatch


@dataclass
class _Half:
    """What one of two students made of a decision."""

    feedback: Feedback
    student: int
    """0 for the protagonist, 1 for the antagonist."""


class TaskLifetime(Lifetime[FloatArray]):
    """A student whose training loop is resumed with one task after the other, in as many slots as it has.

    Args:
        student: Learns from scratch.
        make_batch: Makes the worlds for so many slots.
        task_space: What a teacher chooses from.
        spaces: Observations and actions of the world.
        budget: In steps of the world.
        mastered_above: The return above which a task is mastered.
        test_tasks: ``(m, n)`` tasks for ``evaluate``.
        counts_probes: Whether probes are paid from the budget.
        antagonist: Whether a second student of the same kind learns the same tasks, on half of the budget each.
    """

    keeps = ("_generation", "_halves", "_whole")
    replayed = False
    _halves: dict[int, _Half]
    """By decision, until the other student has played it too."""
    _whole: list[Feedback]
    """What both have played, and has not been handed over."""

    def __init__(
        self,
        student: RLStudent,
        make_batch: Callable[[int], WorldBatch],
        task_space: TaskSpace,
        spaces: tuple[Space[Any], Space[Any]],
        *,
        budget: int,
        mastered_above: float,
        test_tasks: FloatArray,
        counts_probes: bool,
        antagonist: bool,
    ) -> None:
        self.student = student
        self._students = [student, copy.copy(student)] if antagonist else [student]
        self.make_batch, self._spaces = make_batch, spaces
        self.task_space = self.decision_space = task_space
        self.budget, self.mastered_above, self.test_tasks = int(budget), mastered_above, test_tasks
        self._counts_probes = counts_probes
        self._loops: list[LearningLoop] = []
        self._ledgers = self._fresh_ledgers()
        self._probe_batch: WorldBatch | None = None
        self._forget()

    @property
    def spent(self) -> int:
        """World steps played so far."""
        return sum(ledger.spent for ledger in self._ledgers)

    @property
    def over(self) -> bool:
        """Whether a student has spent its budget, and all feedback has been handed over."""
        return any(loop.is_over for loop in self._loops) and not self._whole

    @property
    def world_seconds(self) -> float:
        """Time spent in the students' worlds in this episode."""
        return sum(ledger.world_seconds for ledger in self._ledgers)

    def begin(self, seeds: Seeds) -> None:
        """Make fresh students, with fresh worlds."""
        self.close()
        self._seeds = seeds
        self._ledgers = self._fresh_ledgers()
        self._forget()
        self._start_loops()

    def _forget(self) -> None:
        self._generation = 0
        self._halves, self._whole = {}, []

    def replace_student(self) -> None:
        """Replace the student by a fresh one, and the antagonist too; episodes in the middle are lost."""
        self._end_loops()
        self._generation += 1
        for ledger in self._ledgers:
            ledger.results.clear()
        self._start_loops()

    def close(self) -> None:
        """End the students' loops where they wait, and close their worlds."""
        self._end_loops()
        if self._probe_batch is not None:
            self._probe_batch.close()
            self._probe_batch = None

    def read(self, action: Any) -> FloatArray:
        """The action as a task."""
        return self.task_space.validate(action)

    def teach(self, decision: FloatArray) -> Feedback | None:
        """Give the slot that waits this task, and let the student go on until the next slot waits."""
        return self._paired([loop.teach(decision, traced=self._traces_of(k)) for k, loop in enumerate(self._loops)])

    def probe(self, decision: FloatArray) -> Feedback | None:
        """Let the student play the task as it would explore, at once and in a world of its own."""
        return self._paired([self._try(number, decision) for number in range(len(self._loops))])

    def _try(self, number: int, task: FloatArray) -> Feedback | None:
        loop, ledger = self._loops[number], self._ledgers[number]
        if ledger.exhausted:
            return loop.teach(task, traced=self._traces_of(number))
        if self._probe_batch is None:
            self._probe_batch = self.make_batch(1)
        spent = ledger.spent
        answer = probe(
            self._students[number],
            self._probe_batch,
            task,
            ledger,
            seed=np.random.SeedSequence([self._seeds.world, number, ledger.decisions, 1]),
            counted=self._counts_probes,
            traced=self._traces_of(number),
        )
        loop.note_probes(1, ledger.spent - spent)
        loop.finish(task)
        return answer

    def _traces_of(self, number: int) -> Needs:
        """What to trace of a student: of the antagonist, nothing."""
        return NOTHING if number else self._traced(self.student.offers)

    def _paired(self, answers: list[Feedback | None]) -> Feedback | None:
        """What the students have finished, put together by decision where there are two."""
        if len(answers) == 1:
            return answers[0]
        for number, answer in enumerate(answers):
            if answer is not None:
                self._pair(number, answer)
        return self._whole.pop(0) if self._whole else None

    def _pair(self, number: int, answer: Feedback) -> None:
        if answer.decision not in self._halves:
            self._halves[answer.decision] = _Half(answer, number)
            return
        first = self._halves.pop(answer.decision)
        protagonist, antagonist = (first.feedback, answer) if first.student == 0 else (answer, first.feedback)
        cost = protagonist.cost + antagonist.cost
        self._whole.append(replace(protagonist, cost=cost, antagonist_outcome=antagonist.outcome))

    def evaluate(self, tasks: ArrayLike | None = None) -> Evaluation:
        """Test the student as it is now, in worlds of its own; neither student nor budget notices.

        Args:
            tasks: ``(m, n)`` tasks; None takes the test set.

        Raises:
            ValueError: If a task is out of bounds.
            RuntimeError: Before the first step of the student.
        """
        tasks = self.test_tasks if tasks is None else self.task_space.validate_all(tasks)
        with preserved():
            return evaluate(
                self.student.act,
                self.make_batch,
                tasks,
                seed=self._seeds.evaluation,
                mastered_above=self.mastered_above,
                spent=self.spent,
            )

    def student_state(self) -> State | None:
        """What ``restore_student`` needs; None if this kind of student can't be stored."""
        return self.student.state_dict()

    def restore_student(self, state: State, seeds: Seeds) -> None:
        """Take over a stored student, to test and watch it.

        Raises:
            ValueError: If the state does not fit.
        """
        self.close()
        self._seeds = seeds
        self.student.load_state_dict(state, *self._spaces)

    def capture_soon(self) -> None:
        """Have the students captured at their next boundaries."""
        for loop in self._loops:
            loop.capture()

    @property
    def capturing(self) -> bool:
        """Whether a student is still on its way to its next boundary."""
        return any(loop.capturing for loop in self._loops)

    def state(self) -> State:
        """What waits to be told, and from where the loops can be led to where they are."""
        return {"kept": Stateful.state(self), "students": [loop.state() for loop in self._loops]}

    def resume(self, state: State, seeds: Seeds) -> None:
        """Lead the students to where they were."""
        self.close()
        self._seeds = seeds
        self._ledgers = self._fresh_ledgers()
        self.load(state["kept"])
        self._start_loops(state["students"])

    def _fresh_ledgers(self) -> list[BudgetLedger]:
        half = self.budget // 2
        budgets = [self.budget - half, half] if len(self._students) == 2 else [self.budget]
        return [BudgetLedger(budget, mastered_above=self.mastered_above) for budget in budgets]

    def _start_loops(self, states: list[State] | None = None) -> None:
        for number, (student, ledger) in enumerate(zip(self._students, self._ledgers, strict=True)):
            world_seed, student_seed = self._seeds.world, self._seeds.student
            if number or self._generation:
                place = [number, self._generation]
                world_seed, student_seed = (
                    int(np.random.SeedSequence([part, *place]).generate_state(1)[0])
                    for part in (self._seeds.world, self._seeds.student)
                )
            self._loops.append(
                LearningLoop(
                    student,
                    self.make_batch,
                    ledger,
                    world_seed=world_seed,
                    student_seed=student_seed,
                    state=None if states is None else states[number],
                )
            )

    def _end_loops(self) -> None:
        for loop in self._loops:
            loop.close()
        self._loops = []

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} can't be copied or pickled, as its student learns in a loop that can't be; make "
            "another environment with the same settings, and give its load_state_dict what state_dict of this one gives"
        )

    def __del__(self) -> None:
        # Left out in another thread, in which the loop can't be ended, and when the constructor has failed.
        with contextlib.suppress(RuntimeError, AttributeError):
            self.close()
