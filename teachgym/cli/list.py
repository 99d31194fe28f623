"""``teachgym list``: everything that can be named, one line each, and which teacher fits which environment."""

import inspect
from collections.abc import Iterator, Mapping
from string import ascii_uppercase

from rich.console import Console
from rich.markup import escape

from teachgym.base.entry import Entry
from teachgym.base.settings import checked_dataclass


@checked_dataclass
class List:
    """List environments, teachers, students, studies and engines, one line each, and which teacher fits where."""

    engines: bool = False
    """Show only the engines of the parametric walker: which one is in use, and why."""

    def run(self, console: Console) -> int:
        """Print the list."""
        for heading, entries in [_engines()] if self.engines else [*_sections(), _engines()]:
            console.print(f"[bold]{heading}[/]")
            for name, line in entries:
                console.print(f"  {escape(name):<38} {escape(line)}", soft_wrap=True)
        if not self.engines:
            console.print("[bold]Which teacher fits which environment[/]")
            for line in _fits():
                console.print(f"  {escape(line)}", soft_wrap=True)
        return 0


_Section = tuple[str, list[tuple[str, str]]]


def _sections() -> Iterator[_Section]:
    from teachgym.agents import TEACHERS
    from teachgym.base.registry import environment_id, load_path
    from teachgym.envs import ENVIRONMENTS, PROBLEMS, WORLDS
    from teachgym.envs.data.discovery.discoveries import DISCOVERIES
    from teachgym.envs.data.engines.engines import DATA_ENGINES
    from teachgym.envs.data.subjects import SUBJECTS
    from teachgym.sandbox.kinds import SANDBOX_KINDS, sandbox_in_use
    from teachgym.students import STUDENTS
    from teachgym.students.supervised import SUPERVISED_STUDENTS
    from teachgym.study.study_file import ready_made

    registered = {**WORLDS, **ENVIRONMENTS, **PROBLEMS}
    tables: dict[str, Mapping[str, Entry]] = {
        "Environments": {environment_id(name): entry for name, entry in sorted(registered.items())},
        "Teachers": TEACHERS,
        "Students that act in worlds": STUDENTS,
        "Subjects": SUBJECTS,
        "Students that learn from examples": SUPERVISED_STUDENTS,
        "Engines that make examples": DATA_ENGINES,
        "Discovery of skills": DISCOVERIES,
    }
    for heading, table in tables.items():
        yield heading, [(name, _first_line(load_path(heading, entry.path))) for name, entry in table.items()]
    yield "Ready-made studies", list(ready_made().items())
    yield "Sandboxes for programs", [*SANDBOX_KINDS.items(), ("in use", sandbox_in_use())]


def _fits() -> Iterator[str]:
    """A table with a letter for each group of environments, whose names come first."""
    from teachgym.agents import TEACHERS
    from teachgym.study.fitting import all_fits

    groups = all_fits()
    letters = ascii_uppercase[: len(groups)]
    for letter, (names, _) in zip(letters, groups, strict=True):
        yield f"{letter}: {', '.join(names)}"
    yield "x fits as the environment is made by default, + with what `teachgym compare` asks it for"
    yield f"{'':<38} {' '.join(letters)}"
    for teacher in TEACHERS:
        marks = (("+" if fits[teacher] else "x") if teacher in fits else "." for _, fits in groups)
        yield f"{teacher:<38} {' '.join(marks)}"


def _engines() -> _Section:
    from teachgym.envs.worlds.bipedal_walker.engines import ENGINES, engine_in_use

    return "Engines of the parametric walker", [*ENGINES.items(), ("in use", engine_in_use())]


def _first_line(described: type) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0]
