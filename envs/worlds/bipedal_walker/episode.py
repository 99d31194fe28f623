"""What fixes an episode of a walker, so that it can be repeated: in a copy, after a restart, or for a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray
from teachgym.envs.worlds.bipedal_walker.reference import ReferenceWalker


class Walker(Protocol):
    """What the engines have in common: one walker, step by step."""

    def begin(self, task: FloatArray, rng: np.random.Generator) -> NDArray[np.float32]:
        """Begin an episode, and return its first observation."""

    def step(self, action: FloatArray) -> tuple[NDArray[np.float32], float, bool]:
        """Play one step: the observation, the reward, and whether the episode has terminated."""

    def actions(self) -> list[float]:
        """The actions of this episode so far, one after the other."""


@dataclass(frozen=True, eq=False)
class WalkerEpisode:
    """How an episode began."""

    task: FloatArray
    """``(n,)`` what its track was drawn for."""
    generator: dict[str, Any]
    """State of the bit generator, before the track was drawn."""

    @classmethod
    def about_to_begin(cls, task: FloatArray, rng: np.random.Generator) -> "WalkerEpisode":
        """The episode whose track will be drawn next from this generator."""
        return cls(task, rng.bit_generator.state)  # type: ignore[arg-type]  # a dict with plain values

    def rng(self) -> np.random.Generator:
        """A generator in the state that the episode began with."""
        bit_generator = getattr(np.random, self.generator["bit_generator"])()
        bit_generator.state = self.generator
        return np.random.Generator(bit_generator)


def split_steps(actions: Sequence[float], joints: int) -> FloatArray:
    """One row a step ``(steps, joints)``, of actions that are stored one after the other."""
    return np.array(actions, dtype=np.float64).reshape(-1, joints)


class Follower:
    """A reference walker that repeats what another engine's walker has done, to be drawn.

    Args:
        walker: Is begun and stepped as needed.
        joints: Number of its motors.
    """

    def __init__(self, walker: ReferenceWalker, joints: int) -> None:
        self._walker, self._joints = walker, joints
        self._episode: WalkerEpisode | None = None
        self._steps = 0

    def catch_up(self, episode: WalkerEpisode, actions: Sequence[float]) -> ReferenceWalker:
        """Play what has happened since the last call, and return the walker."""
        if episode is not self._episode:
            self._episode, self._steps = episode, 0
            self._walker.begin(episode.task, episode.rng())
        for action in split_steps(actions, self._joints)[self._steps :]:
            self._walker.step(action)
            self._steps += 1
        return self._walker
