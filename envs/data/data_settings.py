"""What a data-generation environment is made of: the settings that all of them share."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, field
from typing import Annotated, Any, Literal

from annotated_types import Gt

from teachgym.base.ranges import NonNegativeInt, PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.data.discovery import SkillDiscovery
from teachgym.data.engine import DataEngine
from teachgym.data.quality import check_checks
from teachgym.data.subject import Subject

Regime = Literal["continue", "retrain", "latest"]


@checked_dataclass
class DataSettings:
    """What is learnt, by whom, from what, and at what expense.

    Raises:
        ValueError: If a value is not allowed; the message says what is.
    """

    _: KW_ONLY
    subject: str | Subject = "math"
    """Name of a subject, ``"package.module:Class"``, or a subject."""
    subject_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its settings by name, where it is named."""
    student: str | None = None
    """Name of a student, or ``"package.module:Class"``; None takes the subject's own."""
    student_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its settings by name."""
    threads: PositiveInt = 1
    """CPU threads of torch for the student. On cores that others use too, two can be many times slower than one."""
    engine: str | DataEngine = "procedural"
    """Name of what makes the examples, ``"package.module:Class"``, or an engine of the same subject."""
    engine_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its settings by name."""
    budget: PositiveInt = 3600
    """Examples that the student may be given in an episode; not one more is."""
    updates: NonNegativeInt | None = None
    """Training updates that a student gets for the whole budget, in proportion to what is spent of it; None takes the
    student's ``updates_per_example`` times the budget. With ``regime="retrain"`` each new student gets that much."""
    spending_limit: Annotated[float, Gt(0)] = float("inf")
    """What the engine may spend in an episode, in its own unit."""
    regime: Regime = "continue"
    """``"continue"`` trains on with all data so far, ``"latest"`` with that of the last step alone, and ``"retrain"``
    trains a fresh student from the base on all data so far, as the source does."""
    checks: tuple[str, ...] | None = None
    """Quality checks that examples must pass (``teachgym.data.quality``); None takes those that the engine needs.
    What is held out for tests is never given."""
    discovery: str | SkillDiscovery = "given"
    """Whose skills the teacher is shown: ``"given"``, the subject's own; or discovered ones, by ``"clustering"`` or
    ``"language-model"``, or by an object."""
    discovery_settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the discovery by name."""
    discovered: PositiveInt = 8
    """How many skills are discovered; where fewer are found, the rest stay empty."""

    def __post_init__(self) -> None:
        if self.checks is not None:
            check_checks(self.checks)
