"""``teachgym replay``: run a cell again, and verify that it gives the same."""

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape

from teachgym.base.settings import checked_dataclass

_MOST_SHOWN = 10


@checked_dataclass
class Replay:
    """Run a finished cell again in a temporary folder, and verify that everything is equal, bit for bit."""

    cell: Annotated[Path, tyro.conf.Positional]
    """Folder of a cell, for instance runs/demo/cells/random-seed-0."""
    trust: bool = False
    """Let the cell use more than teachgym's own code: import modules, call hosts, read environment variables and files
    elsewhere, as its settings say. Without it, teachgym lists what the cell would do, and runs nothing."""

    def run(self, console: Console) -> int:
        """Run it, and print what differs; status 1 if anything does."""
        from teachgym.study.replay import replay

        with console.status("running the cell again"):
            found = replay(self.cell, trust=self.trust)
        for line in found.changed:
            console.print(f"  note: {escape(line)}", soft_wrap=True)
        if not found.differences:
            console.print("equal, bit for bit: episodes, tests, curriculum, teacher and student")
            return 0
        console.print(f"[bold red]not equal[/] in {len(found.differences)} places:")
        for line in found.differences[:_MOST_SHOWN]:
            console.print(f"  {escape(line)}", soft_wrap=True)
        return 1
