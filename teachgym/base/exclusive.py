"""One thread at a time, wherever state of the whole process is changed for a while."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.RLock()


@contextmanager
def exclusive() -> Iterator[None]:
    """A block that no other thread runs at the same time; the same thread may enter it again."""
    with _lock:
        yield


@contextmanager
def one_core() -> Iterator[None]:
    """One thread for NumPy, SciPy and scikit-learn, so that results do not depend on the number of cores."""
    with _lock, threadpool_limits(limits=1):
        yield


def _renew() -> None:
    """In a child process there is no thread that could release what another had acquired at the fork."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
