"""``teachgym watch``: film a saved student on tracks of your choice."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape


@dataclass(frozen=True)
class Watch:
    """Film a saved student on chosen tasks, to a GIF or MP4 file."""

    cell: Annotated[Path, tyro.conf.Positional]
    """Folder of a cell, for instance runs/demo/cells/alp-gmm-seed-0."""
    task: tyro.conf.UseAppendAction[tuple[tuple[float, ...], ...]] = ()
    """A task, all its parameters; repeat the option for more. Left out: four of the test set, from easy to hard."""
    output: Path = Path("student.gif")
    """File to write; .gif, or .mp4 (needs `pip install 'teachgym[video]'`)."""
    max_steps: int = 600
    """World steps to film of each task, 50 a second."""
    seed: int = 0
    """Seed of the worlds."""

    def run(self, console: Console) -> int:
        """Film, and print what was seen."""
        from teachgym.plots.film import film, write_film
        from teachgym.study.cell import load_cell

        _, env = load_cell(self.cell)
        clips = film(env, self.task or None, seed=self.seed, max_steps=self.max_steps)
        write_film(self.output, [frame for clip in clips for frame in clip.frames], fps=50)
        for clip in clips:
            console.print(f"  {env.task_space.describe_task(clip.task)}: return {clip.outcome:.1f}", highlight=False)
        console.print(f"wrote {escape(str(self.output))}", soft_wrap=True, highlight=False)
        return 0
