"""Problems with arms, and a loop that answers every decision by its number."""

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Teacher
from teachgym.testing.made_up import discrete_specs
from tests.agents.specs import spec

MANY_ARMS = discrete_specs()[1:]
"""For teachers that draw so little that two seeds often make the same run with two arms."""


def arms(count: int) -> TeachingSpec:
    """Numbered arms, with the walker's outcomes."""
    return spec(spaces.Discrete(count))


def outcome(share: float) -> float:
    """The raw outcome that scales to a share of the outcome range."""
    return -150 + 500 * share


def answered(
    decision: int, arm: Any, share: float, *, cost: int = 1, success: bool = False, reward: float = 0
) -> Transition:
    """A step that answers a decision for an arm."""
    task = np.array(arm, dtype=np.float64).ravel()
    observation = np.zeros(1, np.float32)
    return Transition(
        observation, arm, reward, observation, False, Feedback(task, outcome(share), success, cost, decision)
    )


def play(
    teacher: Teacher, steps: int, share: Callable[[int, int], float], *, success: bool = False, start: int = 0
) -> list[int]:
    """Answer every decision at once; ``share`` is of the step and the arm. Returns the arms played.

    With ``success``, the share is the chance of a success.
    """
    rng = np.random.default_rng(7)
    chosen = []
    for step in range(start, start + steps):
        arm = teacher.act(np.zeros(1, np.float32))
        chosen.append(int(arm))
        value = share(step, int(arm))
        won = success and bool(rng.random() < value)
        teacher.update(answered(step, arm, float(won) if success else value, success=won))
    return chosen
