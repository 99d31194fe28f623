"""The command line: ``teachgym compare``, ``evaluate``, ``watch`` and ``list``."""

from collections.abc import Sequence
from typing import Annotated

import tyro
from rich.console import Console

from teachgym.cli.compare import Compare
from teachgym.cli.evaluate import Evaluate
from teachgym.cli.list import List
from teachgym.cli.watch import Watch

Command = (
    Annotated[Compare, tyro.conf.subcommand("compare")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    | Annotated[Watch, tyro.conf.subcommand("watch")]
    | Annotated[List, tyro.conf.subcommand("list")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 if it did what was asked, 1 if something failed or was interrupted on the way.

    Raises:
        SystemExit: With status 2 if the arguments make no sense; with 0 after ``--help``.
    """
    command: Compare | Evaluate | Watch | List = tyro.cli(
        Command,
        prog="teachgym",
        description="Teacher environments: compare curricula, test and watch students.",
        args=arguments,
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    try:
        return command.run(Console())
    except (ValueError, OSError) as error:
        Console(stderr=True).print(f"[bold red]error:[/] {error}", highlight=False, soft_wrap=True)
        return 2
