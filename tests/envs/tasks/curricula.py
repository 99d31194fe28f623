"""Small curricula, and runs of them, for tests."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teachgym import Feedback
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import CallableStudent, RLStudent
from tests.students.lifetimes.test_taught_worlds import Marcher
from tests.toy import Countdown, Reach, noisy_walk

QUICK_PPO = {"slots": 1, "rollout_steps": 16, "batch_size": 8, "epochs": 1, "hidden": (8,), "device": "cpu"}
QUICK_SAC = {"hidden": (8,), "batch_size": 16, "random_steps": 20, "device": "cpu"}


def make_env(*, student: str | RLStudent | None = None, steps: int = 50, world: Any = Reach, **settings: Any) -> Any:
    student = CallableStudent(noisy_walk) if student is None else student
    defaults: dict[str, Any] = {"outcome_range": (-5.0, 0.0), "mastered_above": -2.0}
    return TaskTeachingEnv(world, student=student, budget=steps, **defaults | settings)


def make_countdown(*, slots: int = 1, steps: int = 50, **settings: Any) -> Any:
    """An environment whose outcomes follow from the tasks alone: ``ceil(length) * pay``."""
    settings = {"outcome_range": (-6.0, 6.0), "mastered_above": 1.0} | settings
    return make_env(student=Marcher(slots, "stable baselines"), steps=steps, world=Countdown, **settings)


def tasks_for(env: Any, seed: int = 0) -> Callable[[], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return lambda: env.task_space.uniform(rng)


def run(env: Any, *, seed: int = 0, between: Callable[[], Any] = lambda: None) -> list[Feedback]:
    """Teach random tasks until the budget is spent."""
    draw, answers = tasks_for(env), []
    env.reset(seed=seed)
    terminated = False
    while not terminated:
        between()
        _, _, terminated, _, info = env.step(draw())
        answers.append(info["feedback"])
    return answers


def weights(env: Any) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = env.lifetime.student.state_dict()["weights"]
    return found


def equal_weights(left: dict[str, NDArray[Any]], right: dict[str, NDArray[Any]]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)
