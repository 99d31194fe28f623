"""Metrics for Weights & Biases, an extra: ``pip install 'teachgym[wandb]'``."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from teachgym.study.settings import Cell
from teachgym.study.trackers.tracker import Tracker

PROJECT = "teachgym"


class WandbTracker(Tracker):
    """One run a cell, which a resumed cell goes on with; its group is the study.

    ``WANDB_MODE=offline`` needs no network.
    Sent are the cell's settings and metrics; no source code, no output and no facts of the machine.
    """

    package = "wandb"

    def __init__(self, folder: Path, cell: Cell, *, resumed_at: int) -> None:
        import wandb

        self.errors = (OSError, wandb.Error)
        study = folder.absolute().parent.parent
        words = json.dumps([study.name, cell.to_json()], sort_keys=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=PROJECT,
            group=study.name,
            name=cell.folder_name,
            id=hashlib.sha256(words.encode()).hexdigest()[:16],
            resume="allow",
            config=cell.to_json(),
            dir=str(folder),
            save_code=False,
            settings=wandb.Settings(
                console="off", x_disable_stats=True, x_disable_machine_info=True, disable_git=True, silent=True
            ),
        )
        self._run.define_metric("spent")
        self._run.define_metric("*", step_metric="spent")

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Send them; what a lost worker sent beyond its checkpoint is sent again, at the same student steps."""
        self._run.log({**metrics, "spent": step})

    def close(self) -> None:
        """End the run."""
        self._run.finish()
