"""What a suite consists of."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le, MinLen

from teachgym.base.named_settings import NamedSettings
from teachgym.base.ranges import FolderName, NonNegativeInt, Seed
from teachgym.base.settings import checked_dataclass
from teachgym.study.settings import MOST_SEEDS

NONE, TRUTH, CONSTANT = "rule,name=none", "rule,name=truth", "rule,name=constant"


@checked_dataclass
class Entry:
    """An environment of a suite, and what its scores are measured by."""

    env: str
    """A name from `teachgym list`, with settings."""
    floor: str | float = NONE
    """The teacher whose score is 0; or, where there is none, that score."""
    ceiling: str | float = TRUTH
    """The teacher whose score is 1: one that knows the truth, or where that is not known, the best reference; or that
    score."""

    @property
    def folder_name(self) -> str:
        """Of its study, within the suite."""
        return NamedSettings.parse(self.env).folder_name


CHEAP = (
    Entry("SelfDistillation"),
    Entry("SelfDistillation,data=redrawn"),
    Entry("Intervention"),
    Entry("Intervention,action=each"),
    Entry("Distillation", ceiling=CONSTANT),
    Entry("Distillation,problem=noisy,weights=sample"),
    Entry("Distillation,problem=order", ceiling="rule,name=paper"),
    Entry("ProxyDistillation"),
    Entry("PseudoLabel"),
    Entry("StreamAdaptation", ceiling=CONSTANT),
    Entry("StreamAdaptation,shift=cyclic", ceiling=CONSTANT),
    Entry("TeacherForcing", ceiling=CONSTANT),
    Entry("SimulatedSkills,budget=200", floor=0.0, ceiling=1.0),
    Entry("SimulatedTasks,budget=1000", floor=0.0, ceiling=1.0),
)
"""Every environment whose episode takes at most some seconds."""


@checked_dataclass
class SuiteSettings:
    """Run every teacher that fits it in every environment of the suite, and make one leaderboard."""

    envs: tuple[str, ...] = ()
    """Environments of the suite, as `teachgym suite --list` shows them; empty for all."""
    teachers: tuple[str, ...] = ()
    """Teachers, where they fit; empty for all that need no file and no server, and every rule of the environments.
    What scores are measured by is always run."""
    seeds: Annotated[int, Ge(1), Le(MOST_SEEDS)] = 5
    """Students of each teacher in each environment."""
    first_seed: Seed = 0
    """The students' seeds are this one and those that follow."""
    name: Annotated[FolderName, MinLen(1)] = "suite"
    """Name of the suite's folder."""
    runs: Path = Path("runs")
    """Where that is."""
    workers: NonNegativeInt = 0
    """Cells that run at once, each in its own process with one thread; 0 takes one for each core."""

    def __post_init__(self) -> None:
        known = {entry.env: entry for entry in CHEAP}
        for env in self.envs:
            if env not in known:
                raise ValueError(f"{env!r} is not in the suite; expected one of {', '.join(known)}")

    @property
    def folder(self) -> Path:
        """The suite's folder."""
        return self.runs / self.name

    def entries(self) -> list[Entry]:
        """The environments that are chosen."""
        return [entry for entry in CHEAP if not self.envs or entry.env in self.envs]
