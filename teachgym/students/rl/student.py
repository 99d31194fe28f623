"""The interface of every student that learns by acting in a world."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from teachgym.base.settings import NoSettings, chosen_settings
from teachgym.base.state import State
from teachgym.core.needs import NOTHING, Needs
from teachgym.worlds.world_batch import WorldBatch


class RLStudent(ABC):
    """A learner that a teacher environment pauses and resumes.

    ``learn`` is an ordinary training loop over an ordinary batch of worlds: it need not know that it is paused
    whenever a slot waits for its next task. ``BatchVectorEnv``, ``SB3VecEnv`` and, for one slot, ``SlotEnv`` make
    what training loops expect of it.
    """

    Settings: ClassVar[type[Any]] = NoSettings
    """Frozen dataclass of the student's settings, every field with a default and a docstring."""
    slots: int = 1
    """Number of worlds that the student prefers to play at once."""
    offers: ClassVar[Needs] = NOTHING
    """Which of ``Needs.VALUES`` and ``Needs.ENTROPIES`` the student can tell, by the methods of these names."""

    at_boundary: Callable[[], None] | None = None
    """Set by whoever runs ``learn``, and called by it wherever ``learner_state`` is whole: between two rollouts, say.

    A student that never calls it goes on, after an interruption, by learning everything again."""

    def __init__(self, settings: Any = None) -> None:
        self.settings = chosen_settings(self.Settings, settings)

    @abstractmethod
    def learn(self, worlds: WorldBatch, *, steps: int, seed: int) -> None:
        """Make a fresh learner from the seed, and train it for ``steps`` steps over all slots of the batch.

        Playing beyond that ends the loop by a ``BaseException``; let it pass.
        """

    def learner_state(self) -> State:
        """Everything that ``go_on`` needs to continue ``learn`` bit for bit: arrays and plain values, copied.

        Called from ``at_boundary`` only.
        """
        raise NotImplementedError(f"{type(self).__name__} can't store its learner")

    def go_on(self, worlds: WorldBatch, state: State, *, steps: int) -> None:
        """Do what was left of ``learn`` when ``learner_state`` gave this state.

        Args:
            worlds: All of its slots are in the middle of the episodes that they played then.
            state: What ``learner_state`` gave.
            steps: Those of ``learn``, from its beginning.
        """
        raise NotImplementedError(f"{type(self).__name__} can't store its learner")

    @abstractmethod
    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        """The learner's best actions ``(n, ...)`` for observations ``(n, ...)``, without exploration.

        Raises:
            RuntimeError: Before there is a learner.
        """

    def explore(self, observations: NDArray[Any]) -> NDArray[Any]:
        """The actions ``(n, ...)`` that it might try while it learns: here, the best ones.

        Random numbers may be drawn from the global generators, which the caller has seeded.
        """
        return self.act(observations)

    def values(self, observations: NDArray[Any]) -> NDArray[np.float64]:
        """``(n,)`` estimates of the return from observations ``(n, ...)``, discounted as the learner discounts."""
        raise NotImplementedError(f"{type(self).__name__} does not estimate returns")

    def entropies(self, observations: NDArray[Any]) -> NDArray[np.float64]:
        """``(n,)`` entropies of the learner's random policy at observations ``(n, ...)``, in nats."""
        raise NotImplementedError(f"{type(self).__name__} has no random policy")

    def state_dict(self) -> State | None:
        """What ``load_state_dict`` needs to ``act`` as now: arrays and plain values. Here: None, it can't be stored."""
        return None

    def load_state_dict(
        self, state: State, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any]
    ) -> None:
        """Become able to ``act`` as the student did that gave this state.

        Raises:
            ValueError: If the state does not fit the settings or the spaces, or such students can't be stored.
        """
        raise ValueError(f"a {type(self).__name__} can't be restored; it has no state_dict")
