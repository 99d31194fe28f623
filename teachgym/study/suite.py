"""A suite: every cheap environment with every teacher that fits it, and one leaderboard."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from teachgym.agents import TEACHERS
from teachgym.files import write_json
from teachgym.study.cell import make_cell_teacher
from teachgym.study.compare import IfUsed, Study, compare
from teachgym.study.environment import make_environment
from teachgym.study.leaderboard import Leaderboard, leaderboard
from teachgym.study.runner import Observer
from teachgym.study.settings import Cell, StudySettings
from teachgym.study.spec import Spec

LEADERBOARD = "leaderboard.json"
NONE, ORACLE, CONSTANT = "rule,name=none", "rule,name=oracle", "rule,name=constant"
Observe = Callable[[StudySettings], AbstractContextManager[Observer]]
"""Makes the observer of a study, which watches while it is entered."""
ASKING = ("manual", "policy", "language-model")
"""Teachers that need a file or a server, and are left out unless they are named."""


@dataclass(frozen=True)
class Entry:
    """An environment of a suite, and what its scores are measured by."""

    env: str
    """A name from `teachgym list`, with settings."""
    floor: str = NONE
    """The teacher whose score is 0."""
    ceiling: str = ORACLE
    """The teacher whose score is 1: one that knows the truth, or where that is not known, the best reference."""

    @property
    def folder_name(self) -> str:
        """Of its study, within the suite."""
        return Spec.parse(self.env).folder_name


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
    Entry("SimulatedSkills,lessons=200", floor="constant", ceiling="bandit"),
    Entry("SimulatedTasks,episodes=1000", floor="constant", ceiling="covar-gmm"),
)
"""Every environment whose episode takes at most some seconds."""


@dataclass(frozen=True)
class SuiteSettings:
    """Run every teacher that fits it in every environment of the suite, and make one leaderboard."""

    envs: tuple[str, ...] = ()
    """Environments of the suite, as `teachgym suite --list` shows them; empty for all."""
    teachers: tuple[str, ...] = ()
    """Teachers, where they fit; empty for all that need no file and no server, and every rule of the environments.
    What scores are measured by is always run."""
    seeds: int = 5
    """Students of each teacher in each environment."""
    first_seed: int = 0
    """The students' seeds are this one and those that follow."""
    name: str = "suite"
    """Name of the suite's folder."""
    runs: Path = Path("runs")
    """Where that is."""
    workers: int = 0
    """Cells that run at once, each in its own process with one thread; 0 takes one for each core."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._=,+-]+", self.name):
            raise ValueError(f"name is {self.name!r}; expected letters, digits and any of . _ = , + -")
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

    def study(self, entry: Entry) -> StudySettings:
        """The study of an environment."""
        return StudySettings(
            env=entry.env,
            teachers=tuple(fitting(entry, self.teachers)),
            seeds=self.seeds,
            first_seed=self.first_seed,
            evaluations=1,
            name=entry.folder_name,
            runs=self.folder,
            workers=self.workers,
            trackers=(),
        )


def fitting(entry: Entry, teachers: tuple[str, ...] = ()) -> list[str]:
    """The teachers to run in an environment: floor and ceiling first, then those that can be made for it.

    Args:
        entry: The environment.
        teachers: Names with settings, to choose from; empty for all that need no file and no server, and all rules.

    Raises:
        ValueError: If the environment can't be made, or a teacher that is named does not exist.
    """
    rules = make_environment(Cell(entry.env, "random", None, 0, None, 1)).problem.rules
    named = [f"rule,name={name}" for name in rules]
    wanted = teachers or (*named, *(name for name in TEACHERS if name not in (*ASKING, "rule")))
    found = [str(Spec.parse(name)) for name in (entry.floor, entry.ceiling)]
    found += [str(Spec.parse(name)) for name in wanted if _fits(entry.env, name)]
    return list(dict.fromkeys(found))


def _fits(env: str, teacher: str) -> bool:
    cell = Cell(env, teacher, None, 0, None, 1)
    try:
        make_cell_teacher(cell, make_environment(cell))
    except ValueError:
        if Spec.parse(teacher).name not in TEACHERS:
            raise
        return False
    return True


def run_suite(
    settings: SuiteSettings, *, if_used: IfUsed = "refuse", observe: Observe | None = None
) -> tuple[Leaderboard, list[Study]]:
    """Run the studies of a suite one after the other, and store its leaderboard.

    Args:
        settings: The suite.
        if_used: What to do with studies that are there already.
        observe: Gives the observer of a study, when it begins.

    Returns:
        The leaderboard of what is finished, and the studies; Ctrl-C leaves out those that have not begun.

    Raises:
        ValueError: If a setting is not allowed, or a folder can't be used.
    """
    studies = [(entry, settings.study(entry)) for entry in settings.entries()]
    done = []
    for _, study in studies:
        with nullcontext(Observer()) if observe is None else observe(study) as observer:
            done.append(compare(study, if_used=if_used, observer=observer))
        if done[-1].interrupted:
            break
    board = leaderboard(
        [
            (entry.env, entry.floor, entry.ceiling, study.stored)
            for (entry, _), study in zip(studies, done, strict=False)
        ]
    )
    write_json(settings.folder / LEADERBOARD, board.to_json())
    return board, done
