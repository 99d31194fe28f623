"""``teachgym watch``: film saved students on tracks of your choice, one alone or several side by side."""

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape

from teachgym.base.ranges import PositiveInt, Seed
from teachgym.base.settings import checked_dataclass

EXAMPLE = Path(__file__).parent / "example"
"""Two cells, with the students of two teachers and no records."""


@checked_dataclass
class Watch:
    """Film saved students on chosen tasks, side by side if there are several, to a GIF or MP4 file."""

    cells: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """Folders of cells, for instance runs/demo/cells/random-seed-0 runs/demo/cells/adr-seed-0."""
    example: bool = False
    """Watch two students that come with teachgym, taught by random and by ALP-GMM."""
    task: tyro.conf.UseAppendAction[tuple[tuple[float, ...], ...]] = ()
    """A task, as all of its parameters; repeat the option for more tasks. Default: four of the test set, from easy to
    hard."""
    output: Path = Path("student.gif")
    """File to write; .gif, or .mp4 (needs `pip install 'teachgym[video]'`)."""
    max_steps: PositiveInt = 600
    """World steps to film for each task, at 50 per second."""
    seed: Seed = 0
    """Seed of the worlds; all students get the same worlds."""
    trust: bool = False
    """Let the cells use more than teachgym's own code: import modules, call hosts, read environment variables and
    files elsewhere, as their settings say. Without it, teachgym lists what they would do, and runs nothing."""

    def run(self, console: Console) -> int:
        """Film, and print the returns."""
        from teachgym.plots.film import Clip, film, side_by_side, steps_a_picture, write_film
        from teachgym.study.cells.cell import load_cell

        if self.example == bool(self.cells):
            raise ValueError(
                "expected either folders of cells, for instance runs/demo/cells/random-seed-0, or --example; "
                f"got {'both' if self.example else 'neither'}"
            )
        every = steps_a_picture(self.output)
        cells = sorted(EXAMPLE.iterdir(), reverse=True) if self.example else self.cells
        loaded = [(folder, *load_cell(folder, trust=self.trust)) for folder in cells]
        space = loaded[0][2].task_space
        for folder, _, env in loaded:
            if env.task_space != space:
                raise ValueError(f"{folder} has other tasks than {cells[0]}; watch students of one environment")
        students: dict[str, list[Clip]] = {}
        tasks = [*self.task]
        for folder, cell, env in loaded:
            clips = film(env, tasks or None, seed=self.seed, max_steps=self.max_steps, every=every)
            tasks = [tuple(clip.task.tolist()) for clip in clips]
            name = f"{cell.teacher}, seed {cell.seed}"
            students[name if name not in students else f"{name} ({folder})"] = clips
        write_film(self.output, side_by_side(students, space.describe_task))
        for name, clips in students.items():
            console.print(f"  {escape(name)}")
            for clip in clips:
                console.print(f"    {space.describe_task(clip.task)}: return {clip.outcome:.1f}")
        console.print(f"wrote {escape(str(self.output))}", soft_wrap=True)
        return 0
