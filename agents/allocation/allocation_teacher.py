"""The base of teachers that divide the next examples among skills."""

from abc import abstractmethod
from typing import Any, ClassVar, final

import numpy as np

from teachgym.data.observation import SkillRow
from teachgym.data.spaces import Shares
from teachgym.feedback import Transition
from teachgym.problem import SHARES, Problem
from teachgym.task_space import FloatArray
from teachgym.teacher import State, Teacher


class AllocationTeacher(Teacher):
    """A teacher that weighs skills by what it sees of them now, and remembers nothing.

    Subclasses define ``_weights``.

    Args:
        problem: The environment's fixed facts; it offers ``"shares"``.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Integer from 0 up.

    Raises:
        ValueError: If the action is not shares, or the observation does not show skills in rows.
    """

    needs: ClassVar[frozenset[str]] = frozenset({SHARES})

    def __init__(self, problem: Problem, settings: Any = None, *, seed: int) -> None:
        super().__init__(problem, settings, seed=seed)
        space, seen = problem.action_space, problem.observation_space
        if not isinstance(space, Shares):
            raise ValueError(
                f"the action space is {space}; expected shares of skills: give the environment action=shares"
            )
        self.skills = int(space.shape[0])
        if seen.shape != (len(SkillRow), self.skills):
            raise ValueError(
                f"the observation space is {seen}; expected numbers of shape ({len(SkillRow)}, {self.skills}): give "
                "the environment observation=numbers"
            )

    @abstractmethod
    def _weights(self, rows: FloatArray) -> FloatArray:
        """``(skills,)`` weights from 0 up for rows ``(5, skills)``; all 0 means alike."""

    @final
    def act(self, observation: Any) -> Any:
        """Divide in proportion to the weights."""
        self.origin = "rule"
        weights = self._weights(np.asarray(observation, dtype=np.float64))
        total = weights.sum()
        shares = weights / total if total > 0 else np.full(self.skills, 1 / self.skills)
        return shares.astype(np.float32)

    @final
    def update(self, transition: Transition) -> None:
        """Learn nothing: all that matters is in the next observation."""

    def _state(self) -> State:
        return {}

    def _load(self, state: State) -> None:
        pass


def floored(weights: FloatArray, floor: float) -> FloatArray:
    """Weights as shares of which a part, ``floor``, is the same for all; alike where all are 0."""
    total = weights.sum()
    alike = np.full(len(weights), 1 / len(weights))
    return floor * alike + (1 - floor) * (weights / total if total > 0 else alike)
