"""What follows a cell from within its worker, and logs metrics."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from teachgym.loop import Progress
from teachgym.study.settings import Cell


class Tracker(ABC):
    """Is shown a cell after every decision; must change nothing."""

    @abstractmethod
    def show(self, progress: Progress) -> None:
        """Take note of where the run stands; ``progress.record`` has everything so far, evaluations included."""

    @abstractmethod
    def close(self) -> None:
        """Write what is still to be written."""


def make_trackers(names: Sequence[str], folder: Path, cell: Cell, resumed_at: int) -> list[Tracker]:
    """Make them by name."""
    return []


@contextmanager
def closing_all(trackers: Sequence[Tracker]) -> Iterator[Sequence[Tracker]]:
    """Close all of them when the block ends, however it ends."""
    with ExitStack() as stack:
        for tracker in trackers:
            stack.callback(tracker.close)
        yield trackers
