"""Trackers: what logs the metrics of a cell while it runs."""

import importlib.util
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from teachgym.base.entry import Entry, named_class
from teachgym.core.loop import Progress
from teachgym.study.cells.log import say
from teachgym.study.results.measures import Measures
from teachgym.study.settings import Cell
from teachgym.study.trackers.metrics import Metrics
from teachgym.study.trackers.tracker import Tracker

TRACKERS: dict[str, Entry] = {
    "tensorboard": Entry("teachgym.study.trackers.tensorboard:TensorBoardTracker"),
    "wandb": Entry("teachgym.study.trackers.wandb:WandbTracker"),
}


def check_installed(names: Sequence[str]) -> None:
    """Look whether trackers can be made, so that this is known before cells run.

    Raises:
        ValueError: If there is no such tracker.
        ImportError: If its package is not installed; says what to install.
    """
    for name in names:
        package = named_class("tracker", name, TRACKERS, Tracker).package
        if package is not None and importlib.util.find_spec(package) is None:
            raise ImportError(f"the tracker {name!r} needs a package: pip install 'teachgym[{name}]'")


class Tracking:
    """Follows one cell with all of its trackers. One that fails is left out from then on; the cell goes on.

    Args:
        names: Of ``TRACKERS``.
        folder: Of the cell.
        cell: What is run.
        measures: What its numbers are about.
        resumed_at: Student steps at which it goes on.

    Raises:
        ValueError: If there is no such tracker.
        ImportError: If a tracker's package is not installed.
    """

    def __init__(self, names: Sequence[str], folder: Path, cell: Cell, measures: Measures, *, resumed_at: int) -> None:
        check_installed(names)
        self._metrics = Metrics(measures, resumed_at=resumed_at)
        self._trackers: list[Tracker] = []
        for name in names:
            kind = named_class("tracker", name, TRACKERS, Tracker)
            try:
                self._trackers.append(kind(folder, cell, resumed_at=resumed_at))
            except kind.errors as error:
                say(f"tracker {name} is left out: {error}")

    def __enter__(self) -> "Tracking":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for tracker in self._trackers:
            with suppress(*tracker.errors):
                tracker.close()

    def show(self, progress: Progress) -> None:
        """Log what is due before the first decision, and after each."""
        if not self._trackers:
            return
        metrics = self._metrics.due(progress)
        if not metrics:
            return
        for tracker in list(self._trackers):
            try:
                tracker.log(metrics, progress.spent)
            except tracker.errors as error:
                say(f"tracker {type(tracker).__name__} is left out from here on: {error}")
                self._trackers.remove(tracker)
