"""Metrics for TensorBoard: ``tensorboard --logdir runs/demo``."""

from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from teachgym.study.settings import Cell
from teachgym.study.trackers.tracker import Tracker

TENSORBOARD = "tensorboard"


class TensorBoardTracker(Tracker):
    """Event files in the folder ``tensorboard`` of the cell; one more each time that the cell is gone on with."""

    def __init__(self, folder: Path, cell: Cell, *, resumed_at: int) -> None:
        self._writer = EventFileWriter(str(folder / TENSORBOARD))
        if resumed_at:  # TensorBoard drops what an earlier file has beyond this step
            start = SessionLog(status=SessionLog.START)
            self._writer.add_event(Event(step=resumed_at + 1, session_log=start))

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Add one event with all of them."""
        values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
        self._writer.add_event(Event(step=step, summary=Summary(value=values)))

    def close(self) -> None:
        """Write what is still to be written."""
        self._writer.close()
