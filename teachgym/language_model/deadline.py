"""A limit on the time that one HTTP request takes, however slowly the other side drips its headers or body."""

import socket
from contextlib import suppress
from threading import Lock, Timer
from types import TracebackType
from typing import Any, Self


class Deadline:
    """Shuts the connection of a request down when its time is up, so that whoever waits for it is woken.

    The time-outs of HTTP libraries hold between any two bytes only. The clock runs in the ``with`` block.

    Args:
        seconds: Time for the whole request, positive.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = Lock()
        self._connection: socket.socket | None = None
        self.passed = False
        """Whether time is up."""

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._keep(None)

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """The ``trace`` extension of the request, which is told of the connection when it is made."""
        if event == "connection.connect_tcp.complete":
            # A second handle on the connection: TLS takes the first one over.
            self._keep(info["return_value"].get_extra_info("socket").dup())

    def _keep(self, connection: socket.socket | None) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = connection
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._connection is not None:
                with suppress(OSError):  # the other side may have hung up already
                    self._connection.shutdown(socket.SHUT_RDWR)
