"""The interface of every student that learns by acting in a world."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium
from numpy.typing import NDArray

from teachgym.world_batch import WorldBatch

State = dict[str, Any]


@dataclass(frozen=True)
class NoSettings:
    """For a student that has nothing to set."""


class Student(ABC):
    """A learner that a teacher environment pauses and resumes.

    ``learn`` is an ordinary training loop over an ordinary batch of worlds: it need not know that it is paused
    whenever a slot waits for its next task. ``BatchVectorEnv``, ``SB3VecEnv`` and, for one slot, ``SlotEnv`` make
    what training loops expect of it.
    """

    Settings: ClassVar[type[Any]] = NoSettings
    """Frozen dataclass of the student's settings, every field with a default and a docstring."""
    slots: int = 1
    """Number of worlds that the student prefers to play at once."""
    offers: ClassVar[frozenset[str]] = frozenset()
    """What the student adds to ``Feedback.extras`` for teachers that ask."""

    def __init__(self, settings: Any = None) -> None:
        self.settings = self.Settings() if settings is None else settings
        if not isinstance(self.settings, self.Settings):
            raise TypeError(f"settings are {settings!r}; expected a {self.Settings.__name__}")

    @abstractmethod
    def learn(self, worlds: WorldBatch, *, steps: int, seed: int) -> None:
        """Make a fresh learner from the seed, and train it for ``steps`` steps over all slots of the batch.

        Playing beyond that ends the loop by a ``BaseException``; let it pass.
        """

    @abstractmethod
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        """The learner's best actions ``(n, ...)`` for observations ``(n, ...)``, without exploration.

        Raises:
            RuntimeError: Before there is a learner.
        """

    @abstractmethod
    def state_dict(self) -> State | None:
        """What ``load_state_dict`` needs to ``act`` as now: arrays and plain values. None if it can't be stored."""

    @abstractmethod
    def load_state_dict(
        self, state: State, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any]
    ) -> None:
        """Become able to ``act`` as the student did that gave this state.

        Raises:
            ValueError: If the state does not fit the settings or the spaces.
        """
