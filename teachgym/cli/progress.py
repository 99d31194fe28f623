"""Live progress of a study in the terminal."""

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from teachgym.study.runner import Observer, Standing
from teachgym.study.settings import Cell, StudySettings


class LiveProgress(Observer):
    """Bars for the study and for every running cell: episodes, steps per second, time left.

    Where the console is no terminal, a line for every cell that ends.
    """

    def __init__(self, console: Console, settings: StudySettings) -> None:
        self._console = console
        self._cells = len(list(settings.grid()))
        self._begun: dict[Cell, float] = {}
        self._steps: dict[Cell, int] = {}
        self._shares: dict[Cell, float] = {}
        self._bars: dict[Cell, TaskID] = {}
        self._ended = 0
        self._started = time.perf_counter()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[note]}", style="dim"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> "LiveProgress":
        self._progress.start()
        self._study = self._progress.add_task("[bold]study[/]", total=self._cells, note="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, cell: Cell) -> None:
        """Add the cell's bar."""
        self._begun[cell] = time.perf_counter()
        self._bars[cell] = self._progress.add_task(_name(cell), total=1.0, note="starting")

    def moved(self, standing: Standing) -> None:
        """Move the cell's bar and the study's."""
        cell, steps = standing.cell, standing.student_steps
        rate = steps / max(time.perf_counter() - self._begun[cell], 1e-9)
        left = _duration((standing.budget - steps) / rate) if rate else "?"
        note = f"{standing.episodes:,} episodes  {rate:,.0f} steps/s  {left} left"
        self._steps[cell], self._shares[cell] = steps, steps / standing.budget
        self._progress.update(self._bars[cell], completed=self._shares[cell], note=note)
        self._update_study()

    def finished(self, cell: Cell) -> None:
        """Take the cell's bar away."""
        self._shares[cell] = 1.0
        self._end(cell, "done")

    def failed(self, cell: Cell, reason: str) -> None:
        """Take the cell's bar away, and say why it failed."""
        self._end(cell, f"[bold red]failed[/] ({escape(reason)})")

    def _end(self, cell: Cell, outcome: str) -> None:
        self._ended += 1
        self._progress.remove_task(self._bars.pop(cell))
        seconds = time.perf_counter() - self._begun[cell]
        self._console.print(
            f"  {self._ended}/{self._cells}  {_name(cell)}  {outcome}  {_duration(seconds)}",
            highlight=False,
            soft_wrap=True,
        )
        self._update_study()

    def _update_study(self) -> None:
        done = sum(self._shares.values())
        elapsed = time.perf_counter() - self._started
        left = _duration((self._cells - done) * elapsed / done) if done else "?"
        rate = sum(self._steps.values()) / max(elapsed, 1e-9)
        note = f"{self._ended} of {self._cells} cells  {rate:,.0f} steps/s  about {left} left"
        self._progress.update(self._study, completed=done, note=note)


def _name(cell: Cell) -> str:
    return escape(f"{cell.teacher} seed {cell.seed}")


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
