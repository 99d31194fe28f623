"""Run code as a script, in a process that is forked from one that has imported what most scripts import."""

import os
import runpy
import sys
import warnings
from pathlib import Path

from teachgym.study.executors.workers import worker_context


def run_script(code: str, folder: Path) -> None:
    """Run code as a file in a folder, with warnings to users as errors.

    Raises:
        AssertionError: If it fails; says what it printed.
    """
    (folder / "script.py").write_text(code)
    process = worker_context().Process(target=_run, args=(folder,))
    process.start()
    process.join()
    assert process.exitcode == 0, (folder / "output.txt").read_text()


def _run(folder: Path) -> None:
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    sys.argv, sys.path[0] = ["script.py"], str(folder)
    warnings.simplefilter("error", UserWarning)
    runpy.run_path(str(folder / "script.py"), run_name="__main__")
