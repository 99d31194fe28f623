"""What the tables of worlds and teacher environments hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from teachgym.base.entry import Entry


class Scale(NamedTuple):
    """What the scores of an environment are measured by in the suite."""

    floor: str | float = "rule,name=none"
    """The teacher whose score is 0; or, where there is none, that score."""
    ceiling: str | float = "rule,name=truth"
    """The teacher whose score is 1: one that knows the truth, or where that is not known, the best reference; or that
    score."""


@dataclass(frozen=True)
class EnvironmentEntry(Entry):
    """A teacher environment, which Gymnasium makes."""

    vector_path: str | None = None
    """What makes many at once, for ``gymnasium.make_vec``, where there is something faster than one by one."""
    variants: tuple[str, ...] = ()
    """Settings, written like ``quick`` and added to it, with which spaces, student or reward are others; tests run over
    them too."""
    suite: Mapping[str, Scale] = field(default_factory=dict)
    """The settings with which it is in the suite (``""`` for its defaults), each with the scale of its scores; only for
    episodes of at most some seconds."""


@dataclass(frozen=True)
class WorldEntry(Entry):
    """A world, which Gymnasium makes."""

    vector_path: str | None = None
    """What makes many at once, for ``gymnasium.make_vec`` and for students with several slots."""
    max_episode_steps: int | None = None
    """Steps after which Gymnasium cuts an episode off; None where the world does so itself."""
    teaching: Mapping[str, Any] | None = None
    """Arguments of ``TaskTeachingEnv``, ``outcome_range`` and ``mastered_above`` among them, for the environment
    that is registered with the world; None for a world that environments of its own have been written for."""
