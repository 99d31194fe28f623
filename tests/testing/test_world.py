"""``check_world`` accepts a world and catches each way of not being one."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.testing.world import check_world

Step = tuple[np.ndarray[Any, Any], float, bool, bool, dict[str, Any]]


class Line(gymnasium.Env[np.ndarray[Any, Any], np.ndarray[Any, Any]]):
    """A point that is pushed along a line, towards the task."""

    def __init__(self) -> None:
        self.task_space = TaskSpace([Parameter("goal", -1.0, 1.0), Parameter("noise", 0.0, 0.1)])
        self.observation_space = spaces.Box(-100.0, 100.0, (1,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
        task = self.read_task(options)
        super().reset(seed=seed)
        self.task = self.task_space.uniform(self.np_random) if task is None else task
        self.place = self.first_place()
        self.steps = 0
        return self.observe(), self.tell("reset")

    def step(self, action: np.ndarray[Any, Any]) -> Step:
        self.place += float(action[0]) + self.task[1] * self.draw()
        self.steps += 1
        reward = -abs(self.place - float(self.task[0]))
        return self.observe(), reward, self.steps >= 30, False, self.tell("step")

    def read_task(self, options: dict[str, Any] | None) -> Any:
        return self.task_space.validate(options["task"]) if options and "task" in options else None

    def first_place(self) -> float:
        return 0.0

    def draw(self) -> float:
        return float(self.np_random.normal())

    def observe(self) -> np.ndarray[Any, Any]:
        return np.array([self.place], np.float32)

    def tell(self, where: str) -> dict[str, Any]:
        return {"task": self.task.copy()}


class WithoutTaskSpace(Line):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = self.task_space
        del self.task_space

    def read_task(self, options: dict[str, Any] | None) -> Any:
        return self.hidden.validate(options["task"]) if options else None


class WithPlainBox(Line):
    def __init__(self) -> None:
        super().__init__()
        self.task_space = spaces.Box(-1.0, 1.0, (2,))  # type: ignore[assignment]


class WithoutOptions(Line):
    def read_task(self, options: dict[str, Any] | None) -> Any:
        if options:
            raise TypeError("no options, please")


class IgnoresTheTask(Line):
    def read_task(self, options: dict[str, Any] | None) -> Any:
        super().read_task(options)


class SilentAtStep(Line):
    def tell(self, where: str) -> dict[str, Any]:
        return super().tell(where) if where == "reset" else {}


class SilentAtReset(Line):
    def tell(self, where: str) -> dict[str, Any]:
        return super().tell(where) if where == "step" else {}


class TellsAList(Line):
    def tell(self, where: str) -> dict[str, Any]:
        return {"task": self.task.tolist()}


class TellsItsOwnArray(Line):
    def tell(self, where: str) -> dict[str, Any]:
        return {"task": self.task}


class KeepsTheCallersArray(Line):
    def read_task(self, options: dict[str, Any] | None) -> Any:
        super().read_task(options)
        return options["task"] if options else None


class ClipsTasks(Line):
    def read_task(self, options: dict[str, Any] | None) -> Any:
        if not options:
            return None
        return np.clip(options["task"], self.task_space.low, self.task_space.high)


class TakesNaN(Line):
    def read_task(self, options: dict[str, Any] | None) -> Any:
        if not options:
            return None
        task = np.array(options["task"], float)
        self.task_space.validate(np.nan_to_num(task))
        return task


class TakesAnyShape(Line):
    def read_task(self, options: dict[str, Any] | None) -> Any:
        return self.task_space.validate(options["task"][:2]) if options else None


class RaisesTheWrongError(Line):
    def read_task(self, options: dict[str, Any] | None) -> Any:
        try:
            return super().read_task(options)
        except ValueError as error:
            raise KeyError("task") from error


class DrawsFromTheClock(Line):
    clock = np.random.default_rng()

    def draw(self) -> float:
        return float(self.clock.normal())


class StartsWhereItStopped(Line):
    place = 0.0

    def first_place(self) -> float:
        return self.place


class KeepsAnotherGenerator(Line):
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if seed is not None:
            self.wind = np.random.default_rng(seed)
        return super().reset(seed=seed, options=options)

    def draw(self) -> float:
        return float(self.wind.normal())


class LeavesItsBounds(Line):
    def observe(self) -> np.ndarray[Any, Any]:
        return super().observe() + 1000


def test_a_world_passes() -> None:
    check_world(Line)


def test_a_wrapped_world_passes() -> None:
    check_world(lambda: gymnasium.wrappers.TimeLimit(Line(), 10), seed=3)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (WithoutTaskSpace, "has no task_space"),
        (WithPlainBox, "task_space is a Box; expected a teachgym.core.task_space.TaskSpace"),
        (WithoutOptions, "although the task is valid"),
        (IgnoresTheTask, r"info\['task'\] after reset is"),
        (SilentAtStep, r"info\['task'\] is missing after step"),
        (SilentAtReset, r"info\['task'\] is missing after reset"),
        (TellsAList, "expected a float64 array"),
        (TellsItsOwnArray, "a copy of the task that was given"),
        (KeepsTheCallersArray, "a copy of the task that was given"),
        (ClipsTasks, "a task above the bounds, .* is accepted"),
        (TakesNaN, "a task with NaN, .* is accepted"),
        (TakesAnyShape, "a task of a wrong shape, .* is accepted"),
        (RaisesTheWrongError, "a task above the bounds raises KeyError"),
        (DrawsFromTheClock, "two environments with equal seed, task and actions differ"),
        (StartsWhereItStopped, "an episode depends on the one before it"),
        (KeepsAnotherGenerator, "with equal np_random, task and actions, an episode depends on something else"),
        (LeavesItsBounds, "not within the observation space"),
    ],
)
def test_a_broken_world_is_caught(broken: Callable[[], Line], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_world(broken)
