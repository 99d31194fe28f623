"""A learning loop that can be paused: it runs in a greenlet, in the same thread, and is resumed by ``step``."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import greenlet

from teachgym.students.lifetimes.global_state import GlobalState, capture, exchanged, seeded
from teachgym.students.lifetimes.stack_end import call_at_stack_end

QuestionT = TypeVar("QuestionT")
AnswerT = TypeVar("AnswerT")


class BudgetSpent(greenlet.GreenletExit):
    """Raised inside a student that asks for a step beyond its budget; ends its loop cleanly.

    A ``BaseException``, so that ``except Exception`` in a training loop does not swallow it.
    """


class Coroutine(Generic[QuestionT, AnswerT]):
    """Runs ``function`` until it asks something, and again from there with the answer.

    Global generators and torch's modes are exchanged at every switch, so that what the function draws never depends
    on what its caller draws in between. The generators belong to the whole process: while a function runs, those of
    other threads wait. Only what other threads draw outside of ``global_state.preserved`` disturbs it.

    Args:
        function: Called with ``ask``, by which it puts a question and gets the answer.
        seed: Seeds the global generators that the function sees.
    """

    def __init__(self, function: Callable[[Callable[[QuestionT], AnswerT]], None], *, seed: int) -> None:
        self._greenlet = greenlet.greenlet(lambda _: call_at_stack_end(lambda: self._run(function)))
        self._seed = seed
        self._inner: GlobalState | None = None
        self._thread: threading.Thread | None = None
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether the function has returned, raised or been closed."""
        return self._finished

    def resume(self, answer: AnswerT | None) -> QuestionT | None:
        """Let the function go on with the answer to its last question (None at the start).

        Returns:
            Its next question, or None when it returned instead.

        Raises:
            RuntimeError: If called from another thread than the first call.
            BaseException: Whatever the function raised, with its own traceback.
        """
        if self.finished:
            raise RuntimeError("the student has finished; reset the environment")
        question = self._exchange(lambda: self._greenlet.switch(answer))
        return None if self.finished else cast(QuestionT, question)

    def close(self) -> None:
        """End the function where it waits, running its ``finally`` blocks; harmless when it or its thread has finished.

        Raises:
            RuntimeError: If called from another thread than the first ``resume``.
            BaseException: Whatever the ``finally`` blocks raised.
        """
        if self._thread is not None and not self._thread.is_alive():
            return  # nothing of the function can be run any more
        if not self.finished and self._inner is not None:
            self._exchange(lambda: self._greenlet.throw(greenlet.GreenletExit))

    def _exchange(self, switch: Callable[[], Any]) -> Any:
        """Switch to the function and back, with its own global state in force in between."""
        if self._thread is None:
            self._thread = threading.current_thread()
        if self._thread is not threading.current_thread():
            raise RuntimeError("step() and close() must be called from the thread that called reset()")
        with seeded(self._seed) if self._inner is None else exchanged(self._inner):
            try:
                self._greenlet.parent = greenlet.getcurrent()
                return switch()
            finally:
                self._inner = capture()

    def _run(self, function: Callable[[Callable[[QuestionT], AnswerT]], None]) -> None:
        try:
            function(self._ask)
        finally:
            self._finished = True

    def _ask(self, question: QuestionT) -> AnswerT:
        parent = self._greenlet.parent
        return cast(AnswerT, cast(greenlet.greenlet, parent).switch(question))
