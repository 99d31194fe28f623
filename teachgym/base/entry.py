"""What the tables of names hold, and how a class is found in one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from teachgym.base.annotations import shown
from teachgym.base.named_settings import NamedSettings
from teachgym.base.registry import load_path, unknown_name

ClassT = TypeVar("ClassT")


@dataclass(frozen=True)
class Entry:
    """Where a class is, and what tests, documents and studies need to know to make one.

    A table is a ``dict`` from names to entries, to which a package of your own adds when it is imported:
    ``TEACHERS["mine"] = Entry("package.module:Mine")``.
    """

    path: str
    """``"package.module:Class"``, imported when it is asked for, not before."""
    quick: str = ""
    """Settings, written as on the command line (``"window=10,hidden=[8]"``), with which everything that it does happens
    within a run of a few seconds; those left out keep their defaults."""
    requires: Literal["", "file", "endpoint"] = ""
    """What its settings must name before one can be made: a file or folder, or the endpoint of a language model."""

    @property
    def quick_settings(self) -> dict[str, Any]:
        """``quick`` as plain values by name."""
        return dict(NamedSettings.parse(f"quick,{self.quick}").settings)


def named_class(kind: str, name: str, table: Mapping[str, Entry], base: type[ClassT]) -> type[ClassT]:
    """Find a class by its name in a table, or by its own path ``"package.module:ClassT"``.

    Args:
        kind: What is looked for, for the error messages.
        name: The name or the path.
        table: What there is; a class is imported when it is asked for.
        base: What it must be a subclass of.

    Raises:
        ValueError: If there is none, and suggests the nearest name; or it is not such a class.
    """
    if name not in table and ":" not in name:
        raise unknown_name(kind, name, table)
    found = load_path(kind, table[name].path if name in table else name)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(
            f"{kind} {shown(name)} is {found!r}; expected a subclass of {base.__module__}.{base.__qualname__}"
        )
    return found
