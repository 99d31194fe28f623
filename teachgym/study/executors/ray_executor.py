"""Run cells on Ray: on one machine, or on a cluster whose nodes see the run folder at the same path."""

import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from teachgym.base.files import read_json, write_json
from teachgym.study.cells.cell import FAILURE
from teachgym.study.executors.runner import Observer, RunOptions, Standing, run_cells
from teachgym.study.settings import Cell

STANDING = "standing.json"
"""How far a cell is, for the process that waits for it, perhaps on another machine."""
_TELL_SECONDS = 2.0
_POLL_SECONDS = 0.5
_CONNECT_SECONDS = 20


def run_cells_on_ray(
    cells: Sequence[tuple[Cell, Path]],
    options: RunOptions,
    observer: Observer,
    *,
    address: str | None = None,
    gpus: float = 0.0,
) -> None:
    """As ``run_cells``, with one Ray task a cell.

    A task takes one CPU and ``gpus`` GPUs, and runs its cell by ``run_cells`` on its node: the same worker process,
    log and failures. When a node dies, Ray gives its cells to others, where they go on from their last checkpoints.
    When this process ends, however it ends, so do its cells.

    Args:
        cells: Every cell with its folder, in a file system that all nodes share.
        options: How each of them is run. ``workers`` run at once where Ray is started here, as many as there is room
            for on a cluster.
        observer: Is told what happens.
        address: Of a running cluster, or ``"auto"``; None starts Ray on this machine.
        gpus: GPUs that each cell takes; a part of one lets cells share it.

    Raises:
        ImportError: If Ray is not installed.
        ValueError: If there is no cluster at the address.
    """
    ray = _import_ray()
    if not cells:
        return
    with _connected(ray, address, workers=options.workers):
        task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=options.retries)(_run)
        alone = replace(options, workers=1)
        waiting: dict[Any, tuple[Cell, Path]] = {}
        for cell, folder in cells:
            (folder / STANDING).unlink(missing_ok=True)
            waiting[task.remote(cell, folder.absolute(), alone)] = cell, folder
        watch = _Watch(observer)
        try:
            while waiting:
                done, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=_POLL_SECONDS)
                for cell, folder in waiting.values():
                    watch.look(cell, folder)
                for reference in done:
                    watch.end(ray, reference, *waiting.pop(reference))
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)


class _Watch:
    """Tells the observer what the cells' files say."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._seen: dict[Cell, dict[str, Any]] = {}

    def look(self, cell: Cell, folder: Path) -> None:
        """Pass on what is new."""
        try:
            entries = read_json(folder / STANDING)
        except (OSError, ValueError):
            return
        before = self._seen.get(cell)
        if entries == before:
            return
        self._seen[cell] = entries
        if before is None:
            self._observer.started(cell)
        elif entries["attempt"] != before["attempt"]:
            self._observer.retried(cell, entries["reason"] or "its node has died; another goes on")
        if entries["budget"]:
            self._observer.moved(
                Standing(
                    cell,
                    entries["spent"],
                    entries["budget"],
                    entries["episodes"],
                    tuple(entries["curve"]),
                )
            )

    def end(self, ray: Any, reference: Any, cell: Cell, folder: Path) -> None:
        """Pass on how the cell ended."""
        self.look(cell, folder)
        if cell not in self._seen:
            self._observer.started(cell)
        try:
            reason = ray.get(reference)
        except ray.exceptions.RayError as error:
            lines = str(error).strip().splitlines()
            # What a task raised ends its traceback; what Ray itself has to say comes first.
            raised = isinstance(error, ray.exceptions.RayTaskError)
            reason = f"Ray has given it up: {lines[-1] if raised else lines[0]}"
            with suppress(OSError):
                write_json(folder / FAILURE, {"reason": reason})
        (folder / STANDING).unlink(missing_ok=True)
        if reason is None:
            self._observer.finished(cell)
        else:
            self._observer.failed(cell, reason)


class _Teller(Observer):
    """Writes how far the task's cell is where the waiting process looks."""

    def __init__(self, folder: Path) -> None:
        self.reason: str | None = None
        """Why the cell failed."""
        self._path, self._told = folder / STANDING, 0.0
        # Of the attempt nothing but its being another one matters: a node that takes over knows none of the others.
        self._entries: dict[str, Any] = {
            "attempt": f"{os.getpid()}-{time.time_ns()}",
            "reason": "",
            "spent": 0,
            "budget": 0,
            "episodes": 0,
            "curve": [],
        }

    def started(self, cell: Cell) -> None:
        self._tell()

    def moved(self, standing: Standing) -> None:
        plain = asdict(standing)
        self._entries |= {name: plain[name] for name in ("spent", "budget", "episodes")}
        self._entries["curve"] = list(standing.curve)
        if time.monotonic() - self._told > _TELL_SECONDS:
            self._tell()

    def retried(self, cell: Cell, reason: str) -> None:
        self._entries |= {"attempt": f"{os.getpid()}-{time.time_ns()}", "reason": reason}
        self._tell()

    def failed(self, cell: Cell, reason: str) -> None:
        self.reason = reason

    def _tell(self) -> None:
        self._told = time.monotonic()
        with suppress(OSError):  # a cell is worth more than the news of it
            write_json(self._path, self._entries)


def _run(cell: Cell, folder: Path, options: RunOptions) -> str | None:
    """The task: why the cell failed, or None."""
    study = folder.parent.parent
    if not study.exists():
        raise FileNotFoundError(
            f"there is no {study} on this node; every node must see the run folder at the same path"
        )
    teller = _Teller(folder)
    run_cells([(cell, folder)], options, teller)
    return teller.reason


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise ImportError("the executor 'ray' needs Ray: pip install 'teachgym[ray]'") from error
    return ray


def check_ray(address: str | None) -> None:
    """Look whether Ray is installed, and whether anybody listens at the address: Ray itself tries for minutes.

    Raises:
        ImportError: If it is not; says what to install.
        ValueError: If nobody does.
    """
    _import_ray()
    host, sign, port = (address or "").removeprefix("ray://").rpartition(":")
    if sign and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise _no_answer(address, error) from error


def _no_answer(address: str | None, error: Exception) -> ValueError:
    return ValueError(
        f"no Ray cluster answers at {address!r} ({str(error).strip().partition(chr(10))[0]}); start one by "
        "`ray start --head`, or leave --ray-address out to start Ray on this machine"
    )


@contextmanager
def _connected(ray: Any, address: str | None, *, workers: int) -> Iterator[None]:
    """Connected in the block; as before after it."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # So that what this process can import by a path of its own, tasks can.
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    arguments: dict[str, Any] = {
        "address": address,
        "log_to_driver": False,
        "logging_level": "error",
        "runtime_env": {"env_vars": {"PYTHONPATH": paths}},
    }
    if address is None:
        arguments |= {"include_dashboard": False, "num_cpus": workers}
    check_ray(address)
    try:
        ray.init(**arguments)
    except (OSError, ValueError, RuntimeError) as error:
        raise _no_answer(address, error) from error
    try:
        yield
    finally:
        ray.shutdown()
