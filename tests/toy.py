"""A small world with a task space, and training loops for it, that several tests use."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray, Parameter, TaskSpace


class Reach(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """Move a point on a line to the task's target; the return is 0 at best, and ends after ``length`` steps."""

    def __init__(self, length: int = 5) -> None:
        self.task_space = TaskSpace([Parameter("target", -1.0, 1.0, harder=0.1)])
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)
        self._length = length
        self._task: FloatArray = np.zeros(1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        task = (options or {}).get("task")
        self._task = self.task_space.uniform(self.np_random) if task is None else self.task_space.validate(task)
        self._position = float(self.np_random.uniform(-0.1, 0.1))
        self._steps = 0
        return self._observation(), {"task": self._task.copy()}

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        self._position += 0.5 * float(np.clip(action, -1.0, 1.0)[0])
        self._steps += 1
        reward = -abs(self._position - float(self._task[0]))
        return self._observation(), reward, self._steps >= self._length, False, {"task": self._task.copy()}

    def _observation(self) -> NDArray[np.float32]:
        return np.array([self._position, self._task[0]], dtype=np.float32)


def noisy_walk(world: Any, *, steps: int, seed: int, publish: Callable[[Any], None]) -> None:
    """A training loop over one environment that explores, and never improves."""
    rng = np.random.default_rng(seed)
    publish(lambda observations: np.zeros((len(observations), 1), dtype=np.float32))
    played = 0
    while played < steps:
        world.reset()
        over = False
        while not over:
            _, _, terminated, truncated, _ = world.step(rng.uniform(-1, 1, size=1).astype(np.float32))
            played += 1
            over = terminated or truncated


class Countdown(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """The task is its own answer: an episode of ``ceil(length)`` steps, each of which pays ``pay``.

    It ends by a time-out (truncation) if ``times_out``, by termination otherwise. What it observes is the
    number of steps left and the pay.
    """

    def __init__(self, *, times_out: bool = False, longest: float = 6.0) -> None:
        self.task_space = TaskSpace([Parameter("length", 0.5, longest), Parameter("pay", -1.0, 1.0)])
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)
        self.task: FloatArray = np.zeros(2)
        self._times_out = times_out
        self._left = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        task = (options or {}).get("task")
        self.task = self.task_space.uniform(self.np_random) if task is None else self.task_space.validate(task)
        self._left = int(np.ceil(self.task[0]))
        return self._observation(), {"task": self.task.copy()}

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        assert self._left > 0, "step after the end of the episode"
        self._left -= 1
        over = self._left == 0
        pay = float(self.task[1])
        return self._observation(), pay, over and not self._times_out, over and self._times_out, {}

    def _observation(self) -> NDArray[np.float32]:
        return np.array([self._left, self.task[1]], dtype=np.float32)


class Wander(gymnasium.Env[NDArray[np.float32], Any]):
    """A walk by the action and by chance, which chance ends, by a termination or a time-out, and pays.

    Args:
        keys: Whether actions are one of two keys instead of a push from -1 to 1.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 7}

    def __init__(self, *, keys: bool = False, dimensions: int = 2, render_mode: str | None = None) -> None:
        self.task_space = TaskSpace([Parameter(f"drift_{i}", -1.0, 1.0) for i in range(dimensions)])
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), dtype=np.float32)
        self.action_space: Any = spaces.Discrete(2) if keys else spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)
        self.render_mode = render_mode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        task = (options or {}).get("task")
        self.task = self.task_space.uniform(self.np_random) if task is None else self.task_space.validate(task)
        self.position = float(self.np_random.normal())
        return self._observation(), {"task": self.task.copy()}

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        self.position += float(np.sum(action)) + float(self.task.sum() + self.np_random.normal())
        terminated, truncated = self.np_random.random(2) < 0.15
        reward = float(self.np_random.normal())
        return self._observation(), reward, bool(terminated), bool(truncated), {"task": self.task.copy()}

    def render(self) -> Any:
        return np.full((4, 6, 3), int(1e6 * abs(self.position)) % 251, dtype=np.uint8)

    def _observation(self) -> NDArray[np.float32]:
        return np.array([self.position, self.task[0]], dtype=np.float32)
