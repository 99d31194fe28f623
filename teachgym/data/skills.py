"""Trees of skills: what there is to learn, by name."""

from collections.abc import Iterator, Sequence

from teachgym.base.registry import unknown_name
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Path


@checked_dataclass
class Skill:
    """A skill, and the parts that it falls into.

    Raises:
        ValueError: If the name is empty, or two parts have the same name.
    """

    name: str
    parts: tuple["Skill", ...] = ()

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a skill needs a name")
        check_names(self.parts)

    def leaves(self) -> list[Path]:
        """Paths from this skill down to everything that has no parts, in order; begins with this skill's name."""
        if not self.parts:
            return [(self.name,)]
        return [(self.name, *below) for part in self.parts for below in part.leaves()]

    def walk(self) -> Iterator[Path]:
        """Paths of this skill and of everything below it, level by level."""
        level: list[tuple[Path, Skill]] = [((self.name,), self)]
        while level:
            yield from (path for path, _ in level)
            level = [((*path, part.name), part) for path, skill in level for part in skill.parts]


def find_skill(skills: Sequence[Skill], path: Path) -> Skill:
    """The skill at a path.

    Raises:
        ValueError: If there is none; suggests the nearest name.
    """
    level, found = tuple(skills), None
    for depth, name in enumerate(path):
        found = next((skill for skill in level if skill.name == name), None)
        if found is None:
            kind = "skill" if depth == 0 else f"part of {' / '.join(path[:depth])}"
            raise unknown_name(kind, name, [skill.name for skill in level])
        level = found.parts
    if found is None:
        raise ValueError("the path is empty; expected the name of a skill, and of its parts downwards")
    return found


def check_names(skills: Sequence[Skill]) -> None:
    """Raise ``ValueError`` if two skills of a level have the same name."""
    names = [skill.name for skill in skills]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two skills are called {name!r}; names must differ")
