"""Locks of folders, across machines: held by one process alone, or shared by several."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # not on Windows, where two processes in one folder have to be avoided by hand
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
_POLL_SECONDS = 0.1
_LONGEST_NOTE = 200


class FolderInUseError(ValueError):
    """Another process works in the folder."""


@contextmanager
def alone_in(folder: Path, *, patience: float, name: str = LOCK) -> Iterator[None]:
    """Hold the folder's lock in the block. The system lets go of it when the process ends, however it ends.

    Args:
        folder: Exists; the file ``name`` appears in it, and says who holds the lock.
        patience: Seconds to wait for a process that is on its way out.
        name: Of the lock's file.

    Raises:
        FolderInUseError: If another process still holds it then; the message says which.
    """
    with _opened(folder / name) as file:
        _take(file, folder, shared=False, patience=patience)
        yield
        _note(file, "")


@contextmanager
def together_in(folder: Path) -> Iterator[None]:
    """Share the folder's lock in the block with others that do, so that nobody is ``alone_in`` it.

    Raises:
        FolderInUseError: If another process is alone in it.
    """
    with _opened(folder / LOCK) as file:
        _take(file, folder, shared=True, patience=0.0)
        yield


def _opened(path: Path) -> IO[str]:
    """The lock's file; a link is not followed, as what it leads to would be written over."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666), "r+")


def _take(file: IO[str], folder: Path, *, shared: bool, patience: float) -> None:
    given_up_at = time.monotonic() + patience
    while fcntl is not None:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > given_up_at:
                file.seek(0)
                who = file.read(_LONGEST_NOTE) or "another process"
                raise FolderInUseError(f"{folder} is being worked in by {who}; wait for it") from None
            time.sleep(_POLL_SECONDS)
        except OSError:  # a file system without locks
            break
    _note(file, f"process {os.getpid()} on {socket.gethostname()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}")


def _note(file: IO[str], who: str) -> None:
    """Say in the lock's file who holds it; on a full disk it goes without saying."""
    with suppress(OSError):
        file.seek(0)
        file.truncate()
        file.write(who)
        file.flush()
