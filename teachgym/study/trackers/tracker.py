"""What follows a cell from within its worker, and logs metrics."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from teachgym.study.settings import Cell


class Tracker(ABC):
    """Takes metrics down somewhere; changes nothing of the run.

    Args:
        folder: Of the cell.
        cell: What is run.
        resumed_at: Student steps at which the run goes on; what was logged beyond them belongs to what was lost.
    """

    errors: tuple[type[Exception], ...] = (OSError,)
    """What may go wrong with a tracker, and must not cost the cell."""

    package: str | None = None
    """A package that it needs beyond teachgym's own."""

    @abstractmethod
    def __init__(self, folder: Path, cell: Cell, *, resumed_at: int) -> None: ...

    @abstractmethod
    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Take metrics down, at so many student steps."""

    @abstractmethod
    def close(self) -> None:
        """Write what is still to be written."""
