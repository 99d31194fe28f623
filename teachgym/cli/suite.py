"""``teachgym suite``: every cheap environment, every teacher that fits it, one leaderboard."""

from dataclasses import fields

from rich.console import Console
from rich.markup import escape

from teachgym.base.settings import checked_dataclass
from teachgym.cli.status import INTERRUPTED
from teachgym.study.suite_settings import SuiteSettings


@checked_dataclass
class Suite(SuiteSettings):
    """Run all cheap environments with every teacher that fits, and make one leaderboard."""

    resume: bool = False
    """Continue the suite in the folder: run the cells that are not finished."""
    overwrite: bool = False
    """Delete the studies in the folder first."""
    list: bool = False
    """Only show the environments, with the teachers that would run in each."""

    def run(self, console: Console) -> int:
        """Run it, and print the results."""
        from teachgym.cli.dashboard import Dashboard
        from teachgym.plots.figure_style import save_figure
        from teachgym.plots.leaderboard_figure import leaderboard_figure
        from teachgym.study.results.leaderboard import leaderboard_table
        from teachgym.study.suite import LEADERBOARD, fitting, run_suite

        if self.resume and self.overwrite:
            raise ValueError("--resume and --overwrite contradict each other; give one")
        settings = SuiteSettings(**{field.name: getattr(self, field.name) for field in fields(SuiteSettings)})
        if self.list:
            for env, scale in settings.environments().items():
                found = fitting(env, scale, settings.teachers)
                console.print(f"[bold]{escape(env)}[/]: {escape(' '.join(found))}")
            return 0
        if_used = "resume" if self.resume else "overwrite" if self.overwrite else "refuse"
        board, studies = run_suite(
            settings,
            if_used=if_used,  # type: ignore[arg-type]
            observe=lambda study: Dashboard(console, study),
        )
        console.print(leaderboard_table(board))
        figure = settings.folder / "leaderboard.png"
        leads = {row.teacher: row.lead.mean for row in board.wide}
        shares = {one.env: {row.teacher: row.share.mean for row in one.rows} for one in board.boards}
        save_figure(leaderboard_figure(leads, shares), figure)
        for path in (figure, settings.folder / LEADERBOARD):
            console.print(f"  {escape(str(path))}", soft_wrap=True)
        missing = sum(len(study.missing) for study in studies)
        if missing or len(studies) < len(settings.environments()):
            console.print(f"[bold yellow]not finished:[/] {missing} cells; continue with --resume.")
            return INTERRUPTED if any(study.interrupted for study in studies) else 1
        return 0
