"""Uniform draws: the baseline that every curriculum has to beat."""

from typing import final

from teachgym.agents.task_teacher import TaskTeacher
from teachgym.task_space import FloatArray
from teachgym.teacher import State


@final
class Random(TaskTeacher):
    """Draws every task uniformly from the task space, independently, and learns nothing.

    Works with any box of tasks and has nothing to set. ``origin`` is always ``"random"``.
    """

    def _choose(self) -> tuple[FloatArray, str]:
        return self.task_space.uniform(self.rng), "random"

    def _learn(self, task: FloatArray, outcome: float) -> None:
        pass

    def _state(self) -> State:
        return {}

    def _load(self, state: State) -> None:
        pass
