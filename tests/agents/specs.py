"""Small specs and loops that the teachers' tests share."""

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from teachgym.core.feedback import Feedback, Transition
from teachgym.core.needs import Needs
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.core.teacher import Teacher

WALKER = TaskSpace([Parameter("height", 0.0, 3.0, harder=0.1), Parameter("spacing", 0.0, 6.0, harder=-0.2)])


def spec(action_space: spaces.Space[Any] = WALKER) -> TeachingSpec:
    """The walker's outcomes over any action space."""
    return TeachingSpec(action_space, spaces.Box(0.0, 1.0, (1,)), (-150.0, 350.0), 230.0, Needs.SUCCESS)


def answer(task: Any, outcome: float) -> Transition:
    """A step that finished one task."""
    vector = np.array(task, dtype=np.float64).ravel()
    return Transition(None, task, 0.0, None, False, Feedback(vector, outcome, outcome > 230, 1, 0))


def teach(teacher: Teacher, episodes: int, outcome: Callable[[FloatArray], float]) -> list[FloatArray]:
    """Teach a student whose outcome is a function of the task; return the tasks."""
    tasks = []
    for _ in range(episodes):
        task = teacher.act(None)
        tasks.append(task)
        teacher.update(answer(task, outcome(task)))
    return tasks
