"""``teachgym train``: train a teacher by reinforcement learning, with live progress."""

import math
import time
from dataclasses import fields
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from teachgym.base.settings import checked_dataclass
from teachgym.cli.status import INTERRUPTED
from teachgym.study.train_settings import TrainSettings

if TYPE_CHECKING:
    from teachgym.study.train_teacher import TrainProgress

_REPORT_SECONDS = 0.25


@checked_dataclass
class Train(TrainSettings):
    """Train a teacher with an algorithm of Stable-Baselines3 or sb3-contrib, over many students.

    A name may carry settings: --env SimulatedSkills,skills=5 --algorithm ppo,gamma=1.0,net_arch=[32,32].
    """

    overwrite: bool = False
    """Replace the teacher in the folder."""

    def run(self, console: Console) -> int:
        """Train, and tell where the teacher is and how to use it."""
        from teachgym.study.train_teacher import RECENT_LIFETIMES, train_teacher

        settings = TrainSettings(**{field.name: getattr(self, field.name) for field in fields(TrainSettings)})
        with _LiveProgress(console) as live:
            training = train_teacher(settings, overwrite=self.overwrite, report=live.moved)
        returns = training.returns
        console.print(f"{training.steps:,} decisions, {len(returns):,} lifetimes, {training.seconds:.0f} s")
        if len(returns):
            first, last = returns[:RECENT_LIFETIMES].mean(), returns[-RECENT_LIFETIMES:].mean()
            console.print(
                f"mean return of the first {len(returns[:RECENT_LIFETIMES])} lifetimes {first:.4g}, "
                f"of the last {last:.4g}"
            )
        if training.interrupted:
            console.print("[bold yellow]interrupted:[/] the training so far is kept")
        console.print(f"wrote {escape(str(training.folder))}; compare it with other teachers, for instance by")
        console.print(
            f"  teachgym compare --env {escape(self.env)} --teachers random policy,path={escape(str(training.folder))}",
            soft_wrap=True,
        )
        return INTERRUPTED if training.interrupted else 0


class _LiveProgress:
    """A bar with the mean return; nothing where the console is no terminal."""

    def __init__(self, console: Console) -> None:
        self._told = 0.0
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[note]}", style="dim"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> "_LiveProgress":
        self._progress.start()
        self._bar = self._progress.add_task("training", total=1.0, note="starting")
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def moved(self, progress: "TrainProgress") -> None:
        """Move the bar, no more often than is seen."""
        if time.perf_counter() - self._told < _REPORT_SECONDS:
            return
        self._told = time.perf_counter()
        mean = "" if math.isnan(progress.mean_return) else f"  mean return {progress.mean_return:.4g}"
        note = f"{progress.steps:,} decisions  {progress.lifetimes:,} lifetimes{mean}"
        self._progress.update(self._bar, completed=progress.share, note=note)
