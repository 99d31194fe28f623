"""``teachgym compare``: run a study, with live progress and a table, or say what it would take."""

import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape

from teachgym.base.settings import checked_dataclass
from teachgym.cli.status import INTERRUPTED
from teachgym.study.settings import StudySettings

REAL_STUDY_STEPS = 20_000_000
REAL_STUDY_SEEDS = 16
WALKS = 5.0
"""Percent of the test set mastered; with less, a study's students can't be said to have learnt to walk."""


@checked_dataclass
class Compare(StudySettings):
    """Compare teachers: every teacher teaches one student per seed, all with the same budget and tests.

    A name may carry settings: --teachers random alp-gmm alp-gmm,fit_every=100 --student
    ppo,learning_rate=1e-3 --env StumpTracks,body=short.

    A study may come from a file, whose settings the options override: teachgym compare study.toml --seeds 8.
    """

    study: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="[STUDY]")] = ""
    """Settings to start from: a file that ends in .toml, or the name of a study that `teachgym list` shows. It comes
    before the options. Every study leaves its own settings in its folder, as study.toml."""
    resume: bool = False
    """Continue the study in the folder: run the cells that are not finished."""
    overwrite: bool = False
    """Delete the study in the folder first."""
    dry_run: bool = False
    """Run no study: number its cells, run the first ten seconds of one of each teacher elsewhere, and multiply."""
    trust: bool = False
    """Let the study's file use more than teachgym's own code: import modules, call hosts, read environment variables
    and files elsewhere, as its settings say. Without it, teachgym lists what the file would do, and runs nothing."""

    @classmethod
    def from_study(cls, study: str) -> "Compare":
        """The command with the settings of a file or of a ready-made study."""
        from teachgym.study import study_file

        return cls(study=study, **vars(study_file.load(study)))

    def run(self, console: Console) -> int:
        """Run it, and print the results."""
        if self.resume and self.overwrite:
            raise ValueError("--resume and --overwrite contradict each other; give one")
        settings = StudySettings(**{field.name: getattr(self, field.name) for field in fields(StudySettings)})
        if self.study.endswith(".toml"):
            from teachgym.study.trust import check_study

            check_study(Path(self.study), settings, trust=self.trust)
        if self.dry_run:
            from teachgym.study.dry_run import dry_run

            with console.status("timing"):
                for line in dry_run(settings):
                    console.print(escape(line), soft_wrap=True)
            return 0
        from teachgym.cli.dashboard import Dashboard
        from teachgym.envs.tasks.tracks import TrackEnv
        from teachgym.envs.worlds.bipedal_walker.engines import engine_in_use, why_no_engine
        from teachgym.report.write import write_report
        from teachgym.study.compare import compare
        from teachgym.study.environments import environment_class
        from teachgym.study.results.summary import summary_table

        if_used = "resume" if self.resume else "overwrite" if self.overwrite else "refuse"
        walks = issubclass(environment_class(settings.env), TrackEnv)
        if walks and why_no_engine():
            console.print(f"Engine of the walker: {escape(engine_in_use())}", soft_wrap=True)
        with Dashboard(console, settings) as observer:
            study = compare(settings, if_used=if_used, observer=observer)  # type: ignore[arg-type]
        stored = study.stored
        comparison = study.comparison
        if comparison is not None:
            console.print(summary_table(comparison, title=settings.title))
            for caution in comparison.cautions:
                console.print(f"[yellow]note:[/] {escape(caution)}")
            with console.status("writing the report"):
                page = write_report([settings.folder])
            for path in (page, settings.folder / "summary.json"):
                console.print(f"  {escape(str(path))}", soft_wrap=True)
            if (
                stored.measures.scored_by == "mastered"
                and settings.budget is not None
                and max(row.mastered.mean for row in comparison.rows) < WALKS
            ):
                console.print(
                    f"\n{settings.budget:,} steps are too few for these students to master much, so don't rank "
                    "teachers by this. A full-size study, for many cores and days:"
                )
                console.print(f"  {_real_study(settings)}", soft_wrap=True)
        if study.missing:
            what = "interrupted" if study.interrupted else "failed"
            console.print(
                f"[bold yellow]{what}:[/] {len(study.missing)} of {len(settings.chosen())} cells are not finished; "
                "what is finished is kept. Continue with --resume."
            )
        return INTERRUPTED if study.interrupted else 1 if study.missing else 0


def _real_study(settings: StudySettings) -> str:
    real = replace(
        settings,
        seeds=REAL_STUDY_SEEDS,
        budget=REAL_STUDY_STEPS,
        evaluations=100,
        name="",
        runs=Path("runs"),
    )
    words = ["teachgym", "compare"]
    for name in ("env", "teachers", "student", "seeds", "budget", "evaluations"):
        value = getattr(real, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", *(value if isinstance(value, tuple) else [str(value)])]
    return shlex.join(words)
