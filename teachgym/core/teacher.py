"""The interface of every teacher."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from gymnasium import Space

from teachgym.base.settings import NoSettings, chosen_settings
from teachgym.base.state import State, Stateful, loading
from teachgym.core.feedback import Transition
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.requirements import Requirements, SpaceType
from teachgym.core.sampling import Sampling
from teachgym.core.seeding import fan_out, generator_from_state, generator_state
from teachgym.core.spec import TeachingSpec


class Teacher(ABC, Stateful):
    """A policy over teacher environments.

    A teacher is pure: its random numbers come from ``self.rng`` alone, it writes no files and keeps no environment, and
    its ``state_dict`` restores it bit for bit. Bandit-like teachers ignore the observation and read
    ``transition.feedback``; sequential ones read the observation and the reward.

    To write one, subclass, set ``Settings`` to a frozen dataclass, define ``act`` and ``update``, name in ``keeps`` the
    attributes that change, and say what it asks of its environment by ``acts_on``, ``reads`` and ``needs``.
    ``teachgym.testing.check_teacher`` tells whether it keeps the contract.

    Args:
        spec: The environment's fixed facts.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Integer from 0 up, the same one that the environment is reset with: each takes its own
            part of it (``teachgym.core.seeding``).

    Raises:
        ValueError: If the environment does not give what the teacher asks of it.
    """

    Settings: ClassVar[type[Any]] = NoSettings
    """Frozen dataclass of the teacher's settings, every field with a default and a docstring."""
    acts_on: ClassVar[tuple[SpaceType, ...]] = (Space,)
    """Types of action spaces, any of which will do. One that may probe lists ``ProbeSpace``."""
    reads: ClassVar[SpaceType] = Space
    """Type of the observation space; ``Space`` for teachers that ignore the observation, or read any."""
    needs: ClassVar[Needs] = NOTHING
    """What it has to be told beyond outcomes, whatever its settings."""
    grows: ClassVar[bool] = False
    """Whether the state grows with every answer, as that of a teacher which keeps its whole history does."""
    settings: Any
    """The settings in force; subclasses annotate it with their own class."""
    origin: str = ""
    """Where the last action came from, for the record: ``"random"``, ``"bootstrap"``, ``"component 3"``, ..."""

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        settings = chosen_settings(self.Settings, settings)
        unmet = self.requirements(settings).unmet(spec)
        if unmet:
            raise ValueError(
                f"{type(self).__name__} does not fit the environment: {unmet.against(spec)}; teachgym.pair asks an "
                "environment for what a teacher needs, and names what fits"
            )
        self.spec = spec
        self.settings = settings
        self.rng = np.random.default_rng(fan_out(seed).teacher)

    @classmethod
    def requirements(cls, settings: Any) -> Requirements:
        """What a teacher with these settings asks of its environment; override it where that depends on them."""
        return Requirements(cls.acts_on, cls.reads, cls.needs)

    @abstractmethod
    def act(self, observation: Any) -> Any:
        """Choose the next action, a member of the environment's action space."""

    @abstractmethod
    def update(self, transition: Transition) -> None:
        """Learn from one step of the environment; results may come out of order, or not at all."""

    def state_dict(self) -> State:
        """Everything that a later ``load_state_dict`` needs to continue bit for bit: arrays and plain values."""
        return {"rng": generator_state(self.rng), "teacher": self.state()}

    def load_state_dict(self, state: State) -> None:
        """Continue from a ``state_dict`` of a teacher of the same class, spec and settings.

        Raises:
            ValueError: If the state does not fit; make the teacher again before using it.
        """
        with loading(self):
            self.rng = generator_from_state(state["rng"])
            self.load(state["teacher"])

    def sampling(self) -> Sampling | None:
        """How tasks are drawn at this moment, for records and figures; None where it has no simple form.

        The same object as before, unless it has changed.
        """
        return None
