"""What cells of a study will take, as far as their first seconds tell."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from teachgym.base.files import write_state
from teachgym.core.loop import Progress, Teaching
from teachgym.core.record import EVALUATIONS, Record
from teachgym.study.cells.cell import DATA, STUDENT, TEACHER
from teachgym.study.cells.environment import make_pair
from teachgym.study.executors.workers import take_environment, worker_context
from teachgym.study.results.measures import Measures
from teachgym.study.settings import Cell
from teachgym.study.trackers import Tracking

_CHECKPOINTS = 3
"""Two are kept, and a third is written before the older of them is deleted."""


@dataclass(frozen=True)
class Calibration:
    """What a cell takes, as far as its beginning tells."""

    budget: int
    """Student steps of the whole run."""
    start_seconds: float
    """Time to start a worker, and to make the cell in it."""
    steps_per_second: float
    """Student steps a second, without the tests."""
    test_seconds: float
    """Time of a test, and of writing what is stored with it."""
    stored_bytes: int
    """What the folder of the finished cell holds."""
    running_bytes: int
    """What checkpoints add to it while the cell runs, at most."""
    learning: bool
    """Whether the student was seen to learn, so that its updates are in the speed; True where that can't be told."""

    def seconds(self, evaluations: int, share: float = 1.0) -> float:
        """Time of such a share of a cell with so many tests beside that of the untrained student."""
        tests = evaluations + 1
        return self.start_seconds + share * (self.budget / self.steps_per_second + tests * self.test_seconds)


def calibrate(
    cells: Sequence[Cell], seconds: float, *, workers: int, trackers: Sequence[str] = ()
) -> list[Calibration]:
    """Run the beginning of each cell, in a process and a temporary folder of its own.

    Args:
        cells: Whose beginnings to run.
        seconds: How long each student learns; what has begun by then, a long episode, say, is waited for.
        workers: How many run at once, as in the study, where they slow each other down; where there are too few cells,
            some run twice for that.
        trackers: Where metrics are logged. Nothing is sent anywhere: of these only TensorBoard's files are measured.

    Raises:
        ValueError: If a cell can't be made, or fails.
    """
    context, measured = worker_context(), []
    trackers = [name for name in trackers if name == "tensorboard"]
    for first in range(0, len(cells), workers):
        batch = cells[first : first + workers]
        company = islice(cycle(cells), workers - len(batch))
        with ProcessPoolExecutor(workers, context, initializer=_prepare, initargs=(dict(os.environ),)) as pool:
            begun = time.time()
            waiting = [pool.submit(_measure, cell, seconds, trackers, begun) for cell in (*batch, *company)]
            for cell, future in zip(batch, waiting, strict=False):
                try:
                    measured.append(future.result())
                except Exception as error:
                    raise ValueError(f"{cell.teacher} fails: {type(error).__name__}: {error}") from error
    return measured


def _prepare(environment: Mapping[str, str]) -> None:
    take_environment(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's business
    torch.set_num_threads(1)  # as in the workers of a study
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _measure(cell: Cell, seconds: float, trackers: Sequence[str], begun: float) -> Calibration:
    with tempfile.TemporaryDirectory() as place, threadpool_limits(1):
        return _Beginning(cell, Path(place), begun).run(seconds, trackers)


class _Beginning:
    """The first seconds of a cell, in a folder of its own."""

    def __init__(self, cell: Cell, folder: Path, begun: float) -> None:
        self._cell, self._folder = cell, folder
        self._env, self._teacher = make_pair(cell)
        self._env.lifetime.keep_files(folder / DATA)
        self._teaching = Teaching(self._env, self._teacher)
        self._teaching.begin(cell.seed)
        self._start_seconds = time.time() - begun

    def run(self, seconds: float, trackers: Sequence[str]) -> Calibration:
        """Learn for so long, test once, and extrapolate to the budget."""
        self._store(Record())
        files, state = self._files(), self._teaching.state_dict()
        measures = Measures.of(self._env)
        with Tracking(trackers, self._folder, self._cell, measures, resumed_at=0) as tracking:
            progress, rate, learning = self._learn(seconds, tracking)
            test_seconds = self._test(progress)
        grown = progress.budget / progress.spent
        running = 0 if progress.over else _CHECKPOINTS * self._checkpoint_bytes(state, grown)
        self._env.close()
        return Calibration(
            budget=progress.budget,
            start_seconds=self._start_seconds,
            steps_per_second=rate,
            test_seconds=test_seconds,
            stored_bytes=self._stored_bytes(files, grown),
            running_bytes=running,
            learning=learning,
        )

    def _learn(self, seconds: float, tracking: Tracking) -> tuple[Progress, float, bool]:
        """The progress, steps a second, and whether the student learnt.

        The second half of the time counts, and at least one decision in it: a student may take the first to fill its
        first rollout, or to play at random. What it learns from an episode it often learns at the start of the next
        decision, so the time of some decisions goes with the steps of those one earlier.
        """
        began, student, halfway = time.perf_counter(), None, False
        ends = began + seconds
        earlier = before = steps = 0
        while True:
            progress = self._teaching.step()
            tracking.show(progress)
            now, before, steps = time.perf_counter(), steps, progress.spent
            if progress.over or (halfway and now >= ends and before > earlier):
                break
            if not halfway and now >= ends - seconds / 2:
                self._env.lifetime.capture_soon()
                student, earlier, halfway = self._env.lifetime.student_state(), before, True
                began = time.perf_counter()
        learnt = progress.over or student is None or not _equal(student, self._env.lifetime.student_state())
        return progress, ((steps if progress.over else before) - earlier) / (now - began), learnt

    def _test(self, progress: Progress) -> float:
        began = time.perf_counter()
        progress.record.evaluations.append(self._env.evaluate())
        self._store(progress.record)
        student = self._env.lifetime.student_state()
        if student is not None:
            write_state(self._folder / STUDENT, student)
        return time.perf_counter() - began

    def _store(self, record: Record) -> None:
        record.save(self._folder)
        write_state(self._folder / TEACHER, self._teacher.state_dict())

    def _files(self) -> dict[Path, int]:
        return {path: path.stat().st_size for path in self._folder.rglob("*") if path.is_file()}

    def _stored_bytes(self, earlier: Mapping[Path, int], grown: float) -> int:
        """What the files will hold: one student, all tests, and of what grows with the run so many times as much."""
        total = 0.0
        for path, size in self._files().items():
            before = earlier.get(path, 0)
            times = {STUDENT: 1.0, EVALUATIONS: self._cell.evaluations + 1}.get(path.name, grown)
            total += before + max(size - before, 0) * times
        return round(total)

    def _checkpoint_bytes(self, earlier: Mapping[str, Any], grown: float) -> int:
        """What a checkpoint will hold at the end.

        Record, teacher and actions that are to be repeated grow, and so does a replay buffer until it is full.
        """
        state = self._teaching.state_dict()
        total = float(_bytes(state))
        for part in ("record", "teacher"):
            total += max(_bytes(state[part]) - _bytes(earlier[part]), 0) * (grown - 1)
        total += _bytes(state["environment"]["episode"].get("actions", ())) * (grown - 1)
        settings = getattr(getattr(self._env, "student", None), "settings", None)
        most = min(getattr(settings, "buffer_size", self._env.budget), self._env.budget)
        for replay in _replays(state["environment"]):
            total += _bytes(replay) * (most / max(replay["rewards"].size, 1) - 1)
        return round(total)


def _replays(state: Any) -> Iterator[Mapping[str, Any]]:
    """The replay buffers in a state, wherever they are."""
    if isinstance(state, Mapping):
        for name, value in state.items():
            if name == "replay":
                yield value
            else:
                yield from _replays(value)
    elif isinstance(state, list):
        for value in state:
            yield from _replays(value)


def _bytes(state: Any) -> int:
    """About what a state takes when it is written."""
    if isinstance(state, np.ndarray):
        return state.nbytes
    if isinstance(state, Mapping):
        return sum(_bytes(value) for value in state.values())
    if isinstance(state, list | tuple):
        return sum(_bytes(value) for value in state)
    return len(state) if isinstance(state, str) else 8


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping):
        return all(_equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple):
        return all(_equal(*pair) for pair in zip(one, other, strict=True))
    return np.array_equal(one, other, equal_nan=True) if isinstance(one, np.ndarray) else bool(one == other)
