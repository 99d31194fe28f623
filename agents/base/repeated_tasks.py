"""Tasks that are handed out several times in a row, and judged when all answers are there."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym.base.state import Stateful
from teachgym.core.task_space import FloatArray

MOST_UNFINISHED = 1024
"""Tasks that wait for answers; older ones are given up."""


@dataclass(eq=False)
class RepeatedTask:
    """One task, and what is known of it so far."""

    task: FloatArray
    """``(n,)`` in task units."""
    memo: dict[str, NDArray[Any]]
    """What its teacher wants to remember of it."""
    results: list[FloatArray] = field(default_factory=list)
    """``(m,)`` numbers of each answer so far, in the order in which answers came."""


class RepeatedTasks(Stateful):
    """Hands each task out ``times`` times in a row, and collects the answers, which may come in any order.

    Tasks are known by numbers, which their teacher has handed back as the memo of the decision.
    """

    keeps = ("_begun", "_left", "_unfinished")
    _unfinished: dict[int, RepeatedTask]

    def __init__(self, times: int) -> None:
        self._times = times
        self._begun = 0
        self._left = 0  # how many more times the newest task is to be handed out
        self._unfinished = {}

    def again(self) -> tuple[FloatArray, int] | None:
        """The newest task once more and its number, if it has not been handed out often enough."""
        newest = self._unfinished.get(self._begun - 1)
        if self._left == 0 or newest is None:
            return None
        self._left -= 1
        return newest.task.copy(), self._begun - 1

    def begin(self, task: FloatArray, memo: dict[str, NDArray[Any]] | None = None) -> int:
        """Hand out a new task for the first time; returns its number."""
        self._unfinished[self._begun] = RepeatedTask(task.copy(), memo or {})
        if len(self._unfinished) > MOST_UNFINISHED:
            del self._unfinished[next(iter(self._unfinished))]
        self._begun += 1
        self._left = self._times - 1
        return self._begun - 1

    def answer(self, number: int, result: FloatArray) -> RepeatedTask | None:
        """Take in what came of a task; returns it once all answers are there.

        None for a task that waits for more answers, or was given up.
        """
        found = self._unfinished.get(number)
        if found is None:
            return None
        found.results.append(np.array(result, dtype=np.float64))
        if len(found.results) < self._times:
            return None
        return self._unfinished.pop(number)
