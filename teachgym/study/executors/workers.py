"""The processes that cells run in."""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext, SpawnContext

_IMPORTED = ["teachgym.study.cells.cell", "stable_baselines3", "sklearn.mixture"]
"""What takes long to import, and most cells need."""


def worker_context() -> ForkServerContext | SpawnContext:
    """How worker processes start.

    On Linux they are forked from a process that has imported what cells need and has done nothing else: they start in
    hundredths of a second, where a new interpreter takes two seconds, and share its memory. Elsewhere forking is not
    safe, and each is a new interpreter. Either way they begin with nothing of this process; hand its environment on by
    ``take_environment``.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context


def check_workers_can_start() -> None:
    """Refuse to work where worker processes can't be started, or would do the same again.

    A worker process imports the script of the process that started it. Where the script starts workers outside of
    ``if __name__ == "__main__":``, it would do so again in each of them, in the same folders.

    Raises:
        RuntimeError: If this process is such a worker, is daemonic, or has a script that is in no file.
    """
    process = multiprocessing.current_process()
    # What multiprocessing itself looks at before it starts a process; it is not set in any other child.
    if getattr(process, "_inheriting", False):
        raise RuntimeError(
            "the script has no main guard, so that each worker process runs it again; put what it does under "
            "'if __name__ == \"__main__\":'"
        )
    if process.daemon:
        raise RuntimeError(
            "a daemonic process, as those of multiprocessing.Pool are, can't start worker processes; call this from "
            "one that is not, for instance of concurrent.futures.ProcessPoolExecutor"
        )
    main = sys.modules["__main__"]
    script = getattr(main, "__file__", None)
    if getattr(main, "__spec__", None) is None and script is not None and not os.path.exists(script):
        raise RuntimeError(
            f"the script is {script!r}, which is not a file, and worker processes have to import it; save it in one"
        )


def take_environment(environment: Mapping[str, str]) -> None:
    """Put the environment variables of the process that asked for this worker in place of those it began with."""
    os.environ.clear()
    os.environ.update(environment)
