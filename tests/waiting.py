"""Waiting for an event of another process or thread, however long a busy machine takes."""

import time
from collections.abc import Callable


def wait_for(event: Callable[[], bool], *, while_running: Callable[[], bool]) -> None:
    """Return once the event has happened.

    Args:
        event: Whether it has.
        while_running: Whether what should bring it about still runs.

    Raises:
        AssertionError: If that ended first.
    """
    while True:
        running = while_running()  # asked first, so that an event just before the end is seen
        if event():
            return
        assert running, "what should bring the event about has ended without it"
        time.sleep(0.02)
