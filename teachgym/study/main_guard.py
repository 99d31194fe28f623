"""Scripts whose main part would be run again by the worker processes that it starts."""

import multiprocessing


def check_main_guard() -> None:
    """Refuse to work in a process that is still being started, and is running its parent's script once more.

    A worker process imports the script of the process that started it. Where the script starts workers outside of
    ``if __name__ == "__main__":``, it would do so again in each of them, in the same folders.

    Raises:
        RuntimeError: If the process is such a worker.
    """
    # What multiprocessing itself looks at before it starts a process; it is not set in any other child.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RuntimeError(
            "the script has no main guard, so that each worker process runs it again; put what it does under "
            "'if __name__ == \"__main__\":'"
        )
