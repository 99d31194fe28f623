"""A student whose training loop waits for its next task: what a teacher environment resumes."""

from collections.abc import Callable

from teachgym.feedback import Feedback
from teachgym.students.coroutine import Coroutine
from teachgym.students.episode import EpisodeExtras
from teachgym.students.student import Student
from teachgym.students.taught_worlds import Ledger, TaughtWorlds
from teachgym.task_space import FloatArray
from teachgym.world_batch import WorldBatch


class PausedStudent:
    """A fresh student that learns whatever tasks it is given, one for each call of ``teach``.

    Args:
        student: Learns from scratch.
        make_batch: Makes the worlds for so many slots.
        ledger: The budget, shared with whoever else spends it.
        world_seed: Seeds the worlds.
        student_seed: Seeds the learner.
    """

    def __init__(
        self,
        student: Student,
        make_batch: Callable[[int], WorldBatch],
        ledger: Ledger,
        *,
        world_seed: int,
        student_seed: int,
    ) -> None:
        self._ledger = ledger
        self._worlds: list[TaughtWorlds] = []
        made, steps = self._worlds, ledger.budget - ledger.spent

        def learn(ask: Callable[[Feedback | None], FloatArray]) -> None:
            worlds = TaughtWorlds(make_batch(student.slots), ledger, ask, student=student, seed=world_seed)
            made.append(worlds)
            student.learn(worlds, steps=steps, seed=student_seed)

        # The paused loop holds no reference to this object, so that one that is dropped can be collected.
        self._coroutine: Coroutine[Feedback | None, FloatArray] = Coroutine(learn, seed=student_seed)
        self._coroutine.resume(None)

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent, or the student has stopped, and every result has been handed over."""
        return (self._ledger.exhausted or self._coroutine.finished) and not self._ledger.results

    def teach(self, task: FloatArray) -> Feedback | None:
        """Give the waiting slot its task, and let the student go on until the next slot waits.

        Args:
            task: ``(n,)``, valid. Ignored once the student has stopped.

        Returns:
            The result of the episode that the next slot has finished, if any.
        """
        feedback = None if self._coroutine.finished else self._coroutine.resume(task)
        if self._coroutine.finished and self._ledger.results:
            feedback = self._ledger.results.pop(0)
        self.finish(task, feedback)
        return feedback

    def finish(self, task: FloatArray, feedback: Feedback | None) -> None:
        """If the budget is spent, let the student learn what is still to come of its last episode.

        Args:
            task: ``(n,)``, valid; no step of it is played.
            feedback: The latest, whose extras are worked out before.
        """
        if self.is_over and feedback is not None and isinstance(feedback.extras, EpisodeExtras):
            feedback.extras.keep()
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
