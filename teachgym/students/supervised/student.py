"""The interface of every student that learns from examples."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, final

from teachgym.base.settings import NoSettings, chosen_settings
from teachgym.base.state import State, Stateful, loading
from teachgym.data.example import Example
from teachgym.data.subject import Subject


class SupervisedStudent(ABC, Stateful):
    """A learner of one subject, made afresh for every episode.

    The same subject, settings, seed and calls of ``train`` give the same student, bit for bit on CPU, whatever is drawn
    from global generators in between; ``answer`` changes nothing. To write one, subclass, set ``Settings`` to a
    frozen dataclass, define ``train`` and ``answer``, and name in ``keeps`` the attributes that change.
    ``teachgym.testing.check_supervised_student`` tells whether it keeps the contract.

    Args:
        subject: What it is to learn; it may read what form the answers have, and no examples.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Non-negative integer, for initial weights, minibatches and all else.

    Raises:
        TypeError: If the settings are of another class.
        ValueError: If the student can't learn such a subject.
    """

    Settings: ClassVar[type[Any]] = NoSettings
    """Frozen dataclass of the student's settings, every field with a default and a docstring."""
    reads: ClassVar[bool] = True
    """Whether it reads examples. Those of one that only counts them by skill, as a simulated one does, are left blank,
    which is much cheaper."""
    updates_per_example: ClassVar[float] = 0.5
    """Training updates (minibatches) that it gets for every example that it is given, unless the environment says
    otherwise."""

    def __init__(self, subject: Subject, settings: Any = None, *, seed: int) -> None:
        self.settings: Any = chosen_settings(self.Settings, settings)
        self.subject, self.seed = subject, seed

    @abstractmethod
    def train(self, examples: Sequence[Example], *, updates: int) -> None:
        """Learn on: minibatches are drawn from the examples.

        Args:
            examples: At least one. They may have been given before: it is the environment that decides whether a
                student sees all data so far, or only the latest.
            updates: Number of minibatches, non-negative.
        """

    @abstractmethod
    def answer(self, examples: Sequence[Example]) -> list[str]:
        """Answer the prompts (and images) of examples, in order, as well as it can, without exploration.

        It must not look at their targets; a simulated student may.
        """

    @final
    def state_dict(self) -> State:
        """Everything that a later ``load_state_dict`` needs to go on bit for bit: arrays and plain values, nested."""
        return self.state()

    @final
    def load_state_dict(self, state: State) -> None:
        """Go on from a ``state_dict`` of a student of the same class, subject, settings and seed.

        Raises:
            ValueError: If the state does not fit.
        """
        with loading(self):
            self.load(state)
