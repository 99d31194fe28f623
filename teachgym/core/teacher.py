"""The interface of every teacher."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, final

import numpy as np
from gymnasium import Space

from teachgym.base.settings import NoSettings, chosen_settings
from teachgym.base.state import State, Stateful, loading
from teachgym.core.feedback import Transition
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.requirements import Requirements, SpaceType
from teachgym.core.sampling import Sampling
from teachgym.core.seeding import fan_out
from teachgym.core.spec import TeachingSpec

MOST_OPEN = 4096
"""Decisions without feedback whose notes are kept; those of older ones are given up."""


class Choice(NamedTuple):
    """What a teacher has decided, and what it wants to be told again when the feedback comes."""

    action: Any
    """A member of the environment's action space; within families of teachers the task, or the number of the arm."""
    origin: str = ""
    """Where it came from, for the record: ``"random"``, ``"bootstrap"``, ``"component 3"``, ..."""
    memo: Any = None
    """A plain value or an array, or such in lists and dictionaries."""


@dataclass(frozen=True)
class Note:
    """What is kept of a decision until its feedback comes."""

    origin: str
    """As in its ``Choice``."""
    memo: Any
    """As in its ``Choice``."""


class Teacher(ABC, Stateful):
    """A policy over teacher environments.

    A teacher is pure: its random numbers come from ``self.rng`` alone, it writes no files and keeps no environment, and
    its ``state_dict`` restores it bit for bit. Bandit-like teachers ignore the observation and read
    ``transition.feedback``; sequential ones read the observation and the reward.

    To write one, subclass, set ``Settings`` to a frozen dataclass, define ``_act`` and ``_update``, name in ``keeps``
    the attributes that change, and say what it asks of its environment by ``acts_on``, ``reads`` and ``needs``. ``act``
    numbers what ``_act`` decides, as ``Feedback.decision`` does, and ``update`` hands its note to ``_update`` with the
    feedback, in whatever order feedback comes. ``teachgym.testing.check_teacher`` tells whether the contract is kept.

    Args:
        spec: The environment's fixed facts.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Non-negative integer, the same one that the environment is reset with: each takes its own
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
    keeps: ClassVar[tuple[str, ...]] = ("rng", "decisions", "origin", "_notes")
    origin: str = ""
    """Where the last action came from, for the record."""
    _notes: dict[int, Note]

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
        self.decisions = 0
        """Decisions so far: the number of the next one."""
        self._notes = {}

    @classmethod
    def requirements(cls, settings: Any) -> Requirements:
        """What a teacher with these settings asks of its environment; override it where that depends on them."""
        return Requirements(cls.acts_on, cls.reads, cls.needs)

    @abstractmethod
    def _act(self, observation: Any) -> Choice:
        """Decide what to do next."""

    @abstractmethod
    def _update(self, transition: Transition, note: Note | None) -> None:
        """Learn from one step of the environment.

        Args:
            transition: Its feedback may answer an earlier decision, or be missing.
            note: That of the decision which the feedback answers; None without feedback, and where the decision is
                unknown, was answered before, or is so old that its note was given up.
        """

    def act(self, observation: Any) -> Any:
        """Choose the next action, a member of the environment's action space."""
        action, self.origin, memo = self._act(observation)
        self._notes[self.decisions] = Note(self.origin, memo)
        self.decisions += 1
        if len(self._notes) > MOST_OPEN:
            del self._notes[next(iter(self._notes))]
        return action

    def update(self, transition: Transition) -> None:
        """Learn from one step of the environment; results may come out of order, or not at all."""
        feedback = transition.feedback
        self._update(transition, None if feedback is None else self._notes.pop(feedback.decision, None))

    @final
    def state_dict(self) -> State:
        """Everything that a later ``load_state_dict`` needs to continue bit for bit: arrays and plain values."""
        return self.state()

    @final
    def load_state_dict(self, state: State) -> None:
        """Continue from a ``state_dict`` of a teacher of the same class, spec and settings.

        Raises:
            ValueError: If the state does not fit; make the teacher again before using it.
        """
        with loading(self):
            self.load(state)

    def sampling(self) -> Sampling | None:
        """How tasks are drawn at this moment, for records and figures; None where it has no simple form.

        The same object as before, unless it has changed.
        """
        return None
