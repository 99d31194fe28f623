"""The command line: ``compare``, ``suite``, ``report``, ``replay``, ``train``, ``evaluate``, ``watch`` and ``list``."""

import sys
from collections.abc import Sequence
from typing import Annotated

import tyro
from rich.console import Console
from rich.text import Text

from teachgym.base.standard_streams import open_standard_streams
from teachgym.cli.compare import Compare
from teachgym.cli.evaluate import Evaluate
from teachgym.cli.list import List
from teachgym.cli.replay import Replay
from teachgym.cli.report import Report
from teachgym.cli.status import INTERRUPTED
from teachgym.cli.suite import Suite
from teachgym.cli.train import Train
from teachgym.cli.watch import Watch

Command = (
    Annotated[Compare, tyro.conf.subcommand("compare")]
    | Annotated[Suite, tyro.conf.subcommand("suite")]
    | Annotated[Report, tyro.conf.subcommand("report")]
    | Annotated[Replay, tyro.conf.subcommand("replay")]
    | Annotated[Train, tyro.conf.subcommand("train")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    | Annotated[Watch, tyro.conf.subcommand("watch")]
    | Annotated[List, tyro.conf.subcommand("list")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 if it did what was asked, 1 if something failed on the way, 2 if what was asked makes no
        sense, 130 if Ctrl-C interrupted it.

    Raises:
        SystemExit: With status 2 if the arguments can't be read; with 0 after ``--help``.
    """
    open_standard_streams()
    paths = [*sys.path]
    try:
        command = _read(sys.argv[1:] if arguments is None else arguments)
        return command.run(Console(highlight=False))
    except (ValueError, OSError, ImportError) as error:
        Console(stderr=True, highlight=False).print("[bold red]error:[/]", Text(str(error)), soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        sys.path[:] = paths


def _read(words: Sequence[str]) -> Command:
    options = (tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    match words:
        case ["compare", study, *_] if not study.startswith("-"):  # its settings are the options' defaults
            default = Compare.from_study(study)
            return tyro.cli(Compare, prog="teachgym compare", args=words[1:], default=default, config=options)
    command: Command = tyro.cli(
        Command,
        prog="teachgym",
        description="Teacher environments: compare curricula, test and watch students.",
        args=words,
        config=options,
    )
    if isinstance(command, Compare) and command.study:
        raise ValueError(f"the study comes before the options: teachgym compare {command.study} ...")
    return command
