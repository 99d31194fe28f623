"""``teachgym evaluate``: score a saved student on a test set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from teachgym.base.settings import checked_dataclass
from teachgym.core.evaluation import Evaluation
from teachgym.core.task_space import TaskSpace

if TYPE_CHECKING:
    from teachgym.study.results.measures import Measures


@checked_dataclass
class Evaluate:
    """Score a saved student, without exploration, on its environment's fixed test set or on your own tasks.

    The worlds are seeded as in its run, so the test set gives the same result as its last test.
    """

    cell: Annotated[Path, tyro.conf.Positional]
    """Folder of a cell, for instance runs/demo/cells/random-seed-0."""
    tasks: Path | None = None
    """CSV file of tasks, one per line, used instead of the test set; a first line of parameter names is skipped."""
    trust: bool = False
    """Let the cell use more than teachgym's own code: import modules, call hosts, read environment variables and files
    elsewhere, as its settings say. Without it, teachgym lists what the cell would do, and runs nothing."""

    def run(self, console: Console) -> int:
        """Test, and print a line for each task and the score."""
        from teachgym.study.cells.cell import load_cell
        from teachgym.study.results.measures import Measures

        cell, env = load_cell(self.cell, trust=self.trust)
        result = env.evaluate(None if self.tasks is None else _read_tasks(self.tasks, env.lifetime.test_space))
        measures = Measures.of(env)
        name = measures.outcome_name
        console.print(_table(result, measures, title=f"{cell.teacher}, seed {cell.seed}: {cell.env}"))
        console.print(
            f"mastered {result.mastered:.0f} % of {len(result.tasks)} tasks "
            f"({name} above {result.mastered_above:g}), mean {name} {result.mean_return:.{measures.decimals}f}"
        )
        return 0


def _table(result: Evaluation, measures: "Measures", *, title: str) -> Table:
    table, skills = Table(title=escape(title)), measures.skills
    for name in measures.test_space.names:
        table.add_column(escape(name), justify="left" if skills else "right")
    for heading in (measures.outcome_name, "steps", "mastered"):
        table.add_column(escape(heading), justify="right")
    for task, outcome, length in zip(result.tasks, result.returns, result.lengths, strict=True):
        mastered = "yes" if outcome > result.mastered_above else ""
        named = [escape(skills[int(task[0])])] if skills else [f"{value:.2f}" for value in task]
        table.add_row(*named, f"{outcome:.{measures.decimals}f}", str(length), mastered)
    return table


def _read_tasks(path: Path, space: TaskSpace) -> list[list[float]]:
    tasks = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if not line.strip() or (number == 1 and cells == list(space.names)):
            continue
        try:
            tasks.append(space.validate(np.array([float(cell) for cell in cells])).tolist())
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    if not tasks:
        raise ValueError(f"{path} holds no tasks; expected lines of {', '.join(space.names)}")
    return tasks
