"""``teachgym report``: merge studies into one page, figures and tables."""

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape

from teachgym.base.settings import checked_dataclass


@checked_dataclass
class Report:
    """Report what one or several studies found: a page to open in a browser, figures, a CSV and a LaTeX table."""

    studies: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders of studies, for instance runs/demo."""
    output: Path | None = None
    """Folder for the report; by default `report` in the folder of a single study."""
    reference: str | None = None
    """Teacher that the others are tested against; by default the first."""

    def run(self, console: Console) -> int:
        """Write it, and say where."""
        from teachgym.report.write import write_report
        from teachgym.study.results.stored import damages

        path = write_report(self.studies, self.output, reference=self.reference)
        for damage in (line for folder in self.studies for line in damages(folder)):
            console.print(f"[yellow]note:[/] {escape(damage)}; its cell is left out", soft_wrap=True)
        console.print(f"wrote {escape(str(path))}, and figures and tables beside it", soft_wrap=True)
        return 0
