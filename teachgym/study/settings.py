"""The settings of a study: the command line, the JSON in its folder and the identity of its cells."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, MinLen

from teachgym.base.annotations import shown
from teachgym.base.named_settings import NamedSettings, bounded_name
from teachgym.base.ranges import FolderName, NonNegativeFloat, NonNegativeInt, PositiveInt, Seed
from teachgym.base.settings import checked_dataclass

MOST_SEEDS = 100_000


@checked_dataclass
class StudySettings:
    """Compare teachers: every teacher teaches one student per seed, all with the same budget and tests.

    A name may carry settings: ``--teachers random alp-gmm alp-gmm,fit_every=100``,
    ``--student ppo,learning_rate=1e-3``, ``--env StumpTracks,body=short``.
    """

    env: str = "Hypercubes"
    """Teacher environment: a name from `teachgym list`, with or without `teachgym/` and `-v0`."""
    teachers: Annotated[tuple[str, ...], MinLen(1)] = ("random", "alp-gmm")
    """Teachers to compare; the first is what the others are tested against."""
    seeds: Annotated[int, Ge(1), Le(MOST_SEEDS)] = 3
    """Students per teacher."""
    first_seed: Seed = 0
    """The students' seeds are this one and those that follow."""
    subject: str | None = None
    """What students learn from data: a subject from `teachgym list`, for environments that have one; None takes the
    environment's own."""
    student: str | None = None
    """Student: a name from `teachgym list`; None takes the environment's or the subject's own."""
    budget: PositiveInt | None = None
    """What each student may spend, in the environment's unit: world steps, episodes, examples, training segments; None
    takes the environment's own budget."""
    evaluations: PositiveInt = 4
    """Evenly spaced tests of each student on the fixed test set, the last at the end; the untrained student is tested
    besides."""
    name: FolderName = ""
    """Name of the study's folder; if empty, it is made from the other settings."""
    runs: Path = Path("runs")
    """Where study folders are."""
    workers: NonNegativeInt = 0
    """Cells that run at once, each in its own process with one thread; 0 means one per core, and on Ray as many as fit
    on the cluster."""
    cells: str = ""
    """Run only some of the grid, by number from 0, for instance 0-15 or 3,5,8-11 (`--dry-run` numbers them); empty for
    all. Array jobs run a slice each, in one folder."""
    executor: Literal["local", "ray"] = "local"
    """What runs the cells: processes on this machine, or Ray, on one machine or a cluster."""
    ray_address: str | None = None
    """Address of a running Ray cluster, or "auto"; None starts Ray on this machine. Every node must see the run folder
    at the same path."""
    gpus: NonNegativeFloat = 0.0
    """GPUs that Ray reserves for each cell; a fraction, for instance 0.25, lets cells share one."""
    retries: NonNegativeInt = 2
    """How often a cell whose worker died is resumed from its last checkpoint, in a new worker. A cell that raised an
    error is not retried."""
    checkpoint_seconds: Annotated[float, Ge(0)] = 120.0
    """Seconds between checkpoints of a cell; more where writing a checkpoint takes more than a fiftieth of that."""
    stalled_after: Annotated[float, Ge(0)] = 1800.0
    """Seconds without a decision after which a worker counts as hanging, and its cell fails; 0 for never."""
    trackers: tuple[Literal["tensorboard", "wandb"], ...] = ("tensorboard",)
    """Where metrics are logged while cells run: TensorBoard files in each cell's folder, and Weights & Biases."""

    def __post_init__(self) -> None:
        if self.budget is not None and self.evaluations > self.budget:
            raise ValueError(f"evaluations is {self.evaluations}; expected at most the budget, {self.budget}")
        folders = [NamedSettings.parse(teacher).folder_name for teacher in self.teachers]
        if len(set(folders)) != len(folders):
            raise ValueError(f"teachers {', '.join(self.teachers)} name one teacher twice, or two that share a folder")
        _read_numbers(self.cells)

    @property
    def folder(self) -> Path:
        """The study's folder."""
        names = (self.env, self.subject, self.student)
        parts = [NamedSettings.parse(name).folder_name for name in names if name is not None]
        parts += [f"{self.budget}"] if self.budget is not None else []
        return self.runs / (self.name or bounded_name("-".join(parts)))

    @property
    def title(self) -> str:
        """What is studied, in a line."""
        parts = [self.env]
        parts += [f"subject {self.subject}"] if self.subject is not None else []
        parts += [f"student {self.student}"] if self.student is not None else []
        parts += [f"budget {self.budget:,}"] if self.budget is not None else []
        return ", ".join(parts)

    def grid(self) -> Iterator["Cell"]:
        """Every cell of the grid: seed by seed, so that an unfinished study still compares all teachers."""
        for seed in range(self.first_seed, self.first_seed + self.seeds):
            for teacher in self.teachers:
                yield Cell(
                    env=str(NamedSettings.parse(self.env)),
                    subject=None if self.subject is None else str(NamedSettings.parse(self.subject)),
                    teacher=str(NamedSettings.parse(teacher)),
                    student=None if self.student is None else str(NamedSettings.parse(self.student)),
                    seed=seed,
                    budget=self.budget,
                    evaluations=self.evaluations,
                )

    def chosen(self) -> list[tuple[int, "Cell"]]:
        """The cells of the grid that ``cells`` chooses, each with its number, in the order of the grid.

        Raises:
            ValueError: If it chooses a number that the grid does not have.
        """
        grid, wanted = list(enumerate(self.grid())), _read_numbers(self.cells)
        if any(last >= len(grid) for _, last in wanted):
            raise ValueError(f"cells is {self.cells!r}; the grid has {len(grid)} cells, numbered 0 to {len(grid) - 1}")
        return [(i, cell) for i, cell in grid if not wanted or any(first <= i <= last for first, last in wanted)]


def _read_numbers(text: str) -> list[tuple[int, int]]:
    """The first and last number of every part of ``3,5,8-11``; none where the text is empty."""
    ranges = []
    for part in text.split(",") if text.strip() else []:
        match = re.fullmatch(r"\s*([0-9]{1,9})(?:\s*-\s*([0-9]{1,9}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise ValueError(
                f"cells is {shown(text)}; expected numbers and ranges of them, for instance 0-15 or 3,5,8-11"
            )
        ranges.append((first, last))
    return ranges


@checked_dataclass
class Cell:
    """One run of a study; its fields are all that its result depends on."""

    env: str
    """Teacher environment, with settings."""
    teacher: str
    """Teacher, with settings."""
    student: str | None
    """Student, with settings; None for the environment's own."""
    seed: int
    """Fixes environment, student, teacher and evaluation."""
    budget: int | None
    """World steps that the student may play, or examples that it may be given; None for the environment's own."""
    evaluations: int
    """Number of tests beside that of the untrained student, the last at the end."""
    subject: str | None = None
    """What the student learns from data, with settings; None for the environment's own."""

    @property
    def folder_name(self) -> str:
        """Name of the cell's folder within its study."""
        return f"{NamedSettings.parse(self.teacher).folder_name}-seed-{self.seed}"

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, entries: Mapping[str, Any]) -> "Cell":
        """The cell that ``to_json`` described.

        Raises:
            ValueError: If the entries are not a cell's fields.
        """
        names = sorted(field.name for field in fields(cls))
        if not isinstance(entries, Mapping) or sorted(entries) != names:
            raise ValueError(f"cell settings are {shown(entries)}; expected {', '.join(names)}")
        return cls(**entries)
