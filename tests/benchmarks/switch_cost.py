"""What it costs to pause a student and let it go on: by a switch of greenlets, by threads that take turns, and in all.

python -m tests.benchmarks.switch_cost
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import greenlet

from teachgym.students.lifetimes.coroutine import Coroutine

ROUNDS, REPEATS = 300, 21


def by_greenlet() -> Callable[[], Any]:
    """A bare switch there and back."""
    outer = greenlet.getcurrent()

    def turns() -> None:
        while True:
            outer.switch()

    return greenlet.greenlet(turns).switch


def by_thread() -> Callable[[], Any]:
    """Two threads, of which one waits while the other runs."""
    go, back = threading.Semaphore(0), threading.Semaphore(0)

    def turns() -> None:
        while True:
            go.acquire()
            back.release()

    threading.Thread(target=turns, daemon=True).start()

    def there_and_back() -> None:
        go.release()
        back.acquire()

    return there_and_back


def by_coroutine() -> Callable[[], Any]:
    """What ``step`` pays: a switch there and back, with the exchange of global state."""

    def learn(ask: Callable[[None], None]) -> None:
        while True:
            ask(None)

    coroutine: Coroutine[None, None] = Coroutine(learn, seed=0)
    return lambda: coroutine.resume(None)


def microseconds(turn: Callable[[], Any]) -> float:
    """The mean CPU time of a turn, in the best of the repeats."""
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        for _ in range(ROUNDS):
            turn()
        times.append((time.process_time() - started) / ROUNDS * 1e6)
    return min(times)


def main() -> None:
    """Print the three."""
    for make in (by_greenlet, by_thread, by_coroutine):
        print(f"{make.__name__:14} {microseconds(make()):8.1f} microseconds")  # noqa: T201


if __name__ == "__main__":
    main()
