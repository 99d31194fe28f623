"""What a suite consists of."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le, MinLen

from teachgym.base.named_settings import NamedSettings
from teachgym.base.ranges import FolderName, NonNegativeInt, Seed
from teachgym.base.settings import checked_dataclass
from teachgym.envs import ENVIRONMENTS, PROBLEMS
from teachgym.envs.entries import Scale
from teachgym.study.settings import MOST_SEEDS


def suite_environments() -> dict[str, Scale]:
    """Every environment that an entry of a table puts in the suite, with its settings; and the scale of its scores."""
    return {
        str(NamedSettings.parse(f"{name},{settings}")): scale
        for table in (PROBLEMS, ENVIRONMENTS)
        for name, entry in table.items()
        for settings, scale in entry.suite.items()
    }


@checked_dataclass
class SuiteSettings:
    """Run all environments of the suite with every teacher that fits, and make one leaderboard."""

    envs: tuple[str, ...] = ()
    """Environments of the suite, as `teachgym suite --list` shows them; empty for all."""
    teachers: tuple[str, ...] = ()
    """Teachers, run where they fit; empty for every rule of the environments, and all teachers that need neither a
    file nor a server. Those that define floor and ceiling always run."""
    seeds: Annotated[int, Ge(1), Le(MOST_SEEDS)] = 5
    """Students per teacher and environment."""
    first_seed: Seed = 0
    """The students' seeds are this one and those that follow."""
    name: Annotated[FolderName, MinLen(1)] = "suite"
    """Name of the suite's folder."""
    runs: Path = Path("runs")
    """Where that folder is."""
    workers: NonNegativeInt = 0
    """Cells that run at once, each in its own process with one thread; 0 means one per core."""

    def __post_init__(self) -> None:
        known = suite_environments()
        for env in self.envs:
            if env not in known:
                raise ValueError(f"{env!r} is not in the suite; expected one of {', '.join(known)}")

    @property
    def folder(self) -> Path:
        """The suite's folder."""
        return self.runs / self.name

    def environments(self) -> dict[str, Scale]:
        """The environments that are chosen, and the scales of their scores."""
        return {env: scale for env, scale in suite_environments().items() if not self.envs or env in self.envs}
