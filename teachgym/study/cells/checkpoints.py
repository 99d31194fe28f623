"""The checkpoints of a cell: the last two, each in a file of its own that is whole or not there."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from teachgym.base.files import read_state, write_state

CHECKPOINTS = "checkpoints"
_KEPT = 2


class Checkpoints:
    """Numbered files in the folder of a cell. Every array in them carries a checksum, which reading verifies.

    Args:
        cell: The cell's folder.
        identity: What a checkpoint must have been made by to be gone on from.
    """

    def __init__(self, cell: Path, identity: Mapping[str, Any]) -> None:
        self._folder, self._identity = cell / CHECKPOINTS, dict(identity)

    def save(self, state: Mapping[str, Any]) -> None:
        """Store a state beside the one before, and delete older ones.

        Raises:
            OSError: If it can't be written; those that were there are as before.
        """
        paths = self._paths()
        number = int(paths[-1].stem) + 1 if paths else 0
        write_state(self._folder / f"{number:06}.npz", {"identity": self._identity, **state}, compressed=False)
        for path in self._paths()[:-_KEPT]:
            path.unlink()

    def states(self) -> Iterator[tuple[Path, dict[str, Any] | ValueError]]:
        """From the newest to the oldest: its file, and the state in it, or what is wrong with it."""
        for path in reversed(self._paths()):
            try:
                state = read_state(path)
                if state.pop("identity", None) != self._identity:
                    raise ValueError(f"{path} is not a checkpoint of this cell and version")
            except ValueError as error:
                yield path, error
            else:
                yield path, state

    def delete(self) -> None:
        """Delete all: the cell is finished."""
        for path in self._paths():
            path.unlink(missing_ok=True)
        if self._folder.exists() and not any(self._folder.iterdir()):
            self._folder.rmdir()

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.npz"))
