"""The interface of skill discovery: which skill an example is about, where nobody says."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from teachgym.base.settings import NoSettings, chosen_settings
from teachgym.data.example import Answer


class DiscoveredSkills(NamedTuple):
    """Skills, and what is of each."""

    names: list[str]
    """At most as many as were asked for; all different."""
    labels: list[int]
    """For every answer the number of its skill."""


class SkillDiscovery(ABC):
    """Groups what a student is tested on into skills.

    Args:
        settings: A ``Settings`` of this class; None takes the defaults.

    Raises:
        TypeError: If the settings are of another class.
    """

    Settings: ClassVar[type[Any]] = NoSettings
    """Frozen dataclass of the settings, every field with a default and a docstring."""

    def __init__(self, settings: Any = None) -> None:
        self.settings: Any = chosen_settings(self.Settings, settings)

    @abstractmethod
    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        """Find skills.

        Args:
            answers: What a student answered to the whole validation set, at least one.
            count: Most skills to find, at least 1.
            rng: The only source of random numbers.
        """
