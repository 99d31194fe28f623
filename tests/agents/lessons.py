"""Teaching loops for teachers that remember their decisions."""

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from teachgym.core.feedback import Feedback, Transition
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Teacher


def unit_problem(
    offers: Needs = NOTHING, *, dimensions: int = 2, easy: EasyTasks | None = None, low: float = 0.0, high: float = 1.0
) -> TeachingSpec:
    """A cube of tasks with outcomes from 0 to 1, mastered above 0.5."""
    box = spaces.Box(low, high, (dimensions,), np.float64)
    return TeachingSpec(box, spaces.Box(0.0, 1.0, (1,)), (0.0, 1.0), 0.5, Needs.SUCCESS | offers, easy)


def lesson(
    teacher: Teacher,
    decision: int,
    task: Any,
    outcome: float,
    antagonist: float | None = None,
    *,
    mastered: float = 0.5,
) -> None:
    """Tell a teacher what came of a decision."""
    vector = np.array(task, dtype=np.float64).ravel()
    feedback = Feedback(vector, outcome, outcome > mastered, 1, decision, antagonist_outcome=antagonist)
    teacher.update(Transition(None, task, outcome, None, False, feedback))


def lessons(
    teacher: Teacher,
    count: int,
    outcome: Callable[[FloatArray], float],
    antagonist: Callable[[FloatArray], float] | None = None,
    *,
    first: int = 0,
) -> FloatArray:
    """Teach with answers in order, from decision ``first`` on; return the tasks ``(count, n)``."""
    tasks = []
    for decision in range(first, first + count):
        task = teacher.act(None)
        tasks.append(np.array(task, dtype=np.float64).ravel())
        lesson(teacher, decision, task, outcome(task), None if antagonist is None else antagonist(task))
    return np.array(tasks)
