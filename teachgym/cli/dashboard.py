"""A study in the terminal while it runs: every cell, its learning curve so far, and the time that is left."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from teachgym.study.executors.runner import Observer, Standing
from teachgym.study.settings import Cell, StudySettings

_BLOCKS = "▁▂▃▄▅▆▇█"
_CURVE = 12
"""Letters of a sparkline."""
_REFRESH = 2.0
"""Times a second."""
_STATES = {"waiting": "dim", "running": "", "done": "green", "failed": "bold red"}


@dataclass
class _Line:
    """What is known of a cell."""

    cell: Cell
    state: str = "waiting"
    begun: float = 0.0
    """When this attempt told first how far it was."""
    begun_at: int = 0
    """Student steps at that time; above 0 where it goes on from a checkpoint."""
    steps: int = 0
    budget: int = 0
    episodes: int = 0
    curve: tuple[float, ...] = ()
    seconds: float = 0.0
    """How long it took, when it is over."""
    kept: bool = False
    """Whether it was finished before."""

    @property
    def share(self) -> float:
        return 1.0 if self.state == "done" else self.steps / self.budget if self.budget else 0.0

    @property
    def earlier(self) -> float:
        """The share that was done before."""
        return 1.0 if self.kept else self.begun_at / self.budget if self.budget else 0.0

    @property
    def rate(self) -> float:
        """Student steps a second, of this attempt."""
        return (self.steps - self.begun_at) / max(time.perf_counter() - self.begun, 1e-9) if self.begun else 0.0


class Dashboard(Observer):
    """All cells, as many as the terminal has lines for: those at work, then failed, waiting and finished ones.

    Where the console is no terminal, a line for every cell that ends.
    """

    def __init__(self, console: Console, settings: StudySettings) -> None:
        self._console = console
        self._lines = {cell: _Line(cell) for _, cell in settings.chosen()}
        self._started = time.perf_counter()
        self._ended = 0
        self._live = Live(self, console=console, refresh_per_second=_REFRESH, transient=True, auto_refresh=True)

    def __enter__(self) -> "Dashboard":
        if self._console.is_terminal:
            self._live.start()
        else:
            self._console.print(f"  0/{len(self._lines)}  one line per cell that ends")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def noted(self, line: str) -> None:
        """Print it."""
        self._console.print(f"[yellow]note:[/] {escape(line)}", soft_wrap=True)

    def kept(self, cells: Sequence[Cell]) -> None:
        """These count as done, and took no time."""
        for cell in cells:
            self._lines[cell].state, self._lines[cell].kept = "done", True
        self._ended += len(cells)
        if cells:
            self._console.print(f"  {len(cells)}/{len(self._lines)}  finished before")

    def started(self, cell: Cell) -> None:
        """The cell is at work."""
        line = self._lines[cell]
        line.state, line.begun = "running", 0.0
        line.seconds = line.seconds or -time.perf_counter()

    def moved(self, standing: Standing) -> None:
        """The cell is further."""
        line = self._lines[standing.cell]
        if not line.begun:
            line.begun, line.begun_at = time.perf_counter(), standing.spent
        line.steps, line.budget = standing.spent, standing.budget
        line.episodes, line.curve = standing.episodes, standing.curve

    def retried(self, cell: Cell, reason: str) -> None:
        """The cell's worker died, and another goes on."""
        self._lines[cell].begun = 0.0
        self._console.print(f"  {_name(cell)}  resumed ({escape(reason)})", soft_wrap=True)

    def finished(self, cell: Cell) -> None:
        """The cell is complete."""
        self._end(cell, "done", "done")

    def failed(self, cell: Cell, reason: str) -> None:
        """The cell has failed."""
        self._end(cell, "failed", f"[bold red]failed[/] ({escape(reason)})")

    def _end(self, cell: Cell, state: str, outcome: str) -> None:
        line = self._lines[cell]
        line.state = state
        line.seconds += time.perf_counter()
        self._ended += 1
        self._console.print(
            f"  {self._ended}/{len(self._lines)}  {_name(cell)}  {outcome}  {duration(line.seconds)}",
            soft_wrap=True,
        )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max((options.max_height or console.height) - 3, 3)
        order = {"running": 0, "failed": 1, "waiting": 2, "done": 3}
        lines = sorted(self._lines.values(), key=lambda line: order[line.state])
        shown = lines[:room]
        yield Group(self._summary(len(lines) - len(shown)), self._table(shown, wide=console.width >= 90))

    def _summary(self, hidden: int) -> Text:
        lines = self._lines.values()
        done = sum(line.share for line in lines)
        elapsed = time.perf_counter() - self._started
        rate = sum(line.rate for line in lines if line.state == "running")
        own = sum(line.share - line.earlier for line in lines)
        left = duration((len(lines) - done) * elapsed / own) if own > 0 else "?"
        more = f"  ({hidden} more cells)" if hidden else ""
        return Text(
            f"{sum(line.state == 'done' for line in lines)} of {len(lines)} cells  {rate:,.0f} steps/s  "
            f"{duration(elapsed)} so far, about {left} left{more}",
            style="bold",
            no_wrap=True,
            overflow="ellipsis",
        )

    def _table(self, lines: Sequence[_Line], *, wide: bool) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=36 if wide else 22)
        table.add_column(width=8)
        table.add_column(width=16 if wide else 8)
        table.add_column(width=_CURVE)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        scale = [value for line in self._lines.values() for value in line.curve]
        for line in lines:
            running = line.state == "running"
            left = duration((line.budget - line.steps) / line.rate) + " left" if running and line.rate > 0 else ""
            rate = f"{line.rate:,.0f} steps/s" if running and line.begun else ""
            table.add_row(
                Text(f"{line.cell.teacher} seed {line.cell.seed}"),
                Text("starting" if running and not line.begun else line.state, style=_STATES[line.state]),
                ProgressBar(total=1.0, completed=line.share, width=16 if wide else 8),
                Text(sparkline(line.curve, scale)),
                Text(rate if wide else "", style="dim"),
                Text(left, style="dim"),
            )
        return table


def sparkline(values: Sequence[float], scale: Sequence[float]) -> str:
    """The last values as blocks, from the lowest to the highest of ``scale``, which all cells share."""
    if not values:
        return ""
    low, high = min(scale), max(scale)
    share = [(value - low) / (high - low) if high > low else 0.0 for value in values[-_CURVE:]]
    return "".join(_BLOCKS[min(int(part * len(_BLOCKS)), len(_BLOCKS) - 1)] for part in share)


def duration(seconds: float) -> str:
    """``12 s``, ``3 min 07 s`` or ``2 h 05 min``."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def _name(cell: Cell) -> str:
    return escape(f"{cell.teacher} seed {cell.seed}")
