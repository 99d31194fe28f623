"""``teachgym list``: what there is, one line each."""

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import gymnasium
from rich.console import Console
from rich.markup import escape


@dataclass(frozen=True)
class List:
    """List environments, teachers, students and engines, one line each."""

    def run(self, console: Console) -> int:
        """Print the list."""
        for heading, entries in _sections():
            console.print(f"[bold]{heading}[/]")
            for name, line in entries:
                console.print(f"  {escape(name):<38} {escape(line)}", highlight=False, soft_wrap=True)
        return 0


def _sections() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    from teachgym.agents import TEACHERS, teacher_class
    from teachgym.envs.bipedal_walker.engines import ENGINES
    from teachgym.students import STUDENTS, student_class

    environments = []
    for spec in sorted(gymnasium.registry.values(), key=lambda spec: spec.id):
        if spec.namespace == "teachgym" and isinstance(spec.entry_point, str):
            module, _, name = spec.entry_point.partition(":")
            environments.append((spec.id, _first_line(getattr(importlib.import_module(module), name))))
    yield "Environments", environments
    yield "Teachers", [(name, _first_line(teacher_class(name))) for name in TEACHERS]
    yield "Students", [(name, _first_line(student_class(name))) for name in STUDENTS]
    yield "Engines of the parametric walker", list(ENGINES.items())


def _first_line(described: type) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0]
