"""One process at a time works in a folder, whatever machine it is on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows, where two processes in one folder have to be avoided by hand
    fcntl = None  # type: ignore[assignment]

_LOCK = "lock"
_POLL_SECONDS = 0.1


class FolderInUseError(RuntimeError):
    """Another process works in the folder."""


@contextmanager
def alone_in(folder: Path, *, patience: float) -> Iterator[None]:
    """Hold the folder's lock in the block. The system lets go of it when the process ends, however it ends.

    Args:
        folder: Exists; a file ``lock`` appears in it.
        patience: Seconds to wait for a process that is on its way out.

    Raises:
        FolderInUseError: If another process still holds it then.
    """
    with (folder / _LOCK).open("a") as file:
        given_up_at = time.monotonic() + patience
        while fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > given_up_at:
                    raise FolderInUseError(f"{folder} is being worked in by another process; wait for it") from None
                time.sleep(_POLL_SECONDS)
            except OSError:  # a file system without locks
                break
        yield
