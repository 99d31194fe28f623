"""What a program may use, what is run, and what came of it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from teachgym.base.annotations import shown
from teachgym.base.settings import checked_dataclass

_DAY = 24 * 60 * 60

Reason = Literal["finished", "crashed", "cpu-time", "wall-time", "memory", "output"]


@checked_dataclass
class Limits:
    """What one program may use. There is none on files, because no program may write any.

    Raises:
        ValueError: If a limit is not allowed.
    """

    cpu_seconds: Annotated[int, Ge(1), Le(_DAY)] = 2
    """Time on a processor, by all its threads together. The limit that counts: the same on a busy machine."""
    wall_seconds: Annotated[float, Gt(0), Le(_DAY)] = 20.0
    """Time on the clock, at most a day: a guard against programs that wait for ever, so generous."""
    memory_mb: Annotated[int, Ge(128), Le(2**24)] = 512
    """Address space in MiB, at least 128: the interpreter itself takes some 50."""
    output_kb: Annotated[int, Ge(1), Le(2**20)] = 256
    """KiB that may be written to standard output, and as many to standard error; at most 1 GiB."""


@dataclass(frozen=True)
class Program:
    """A program to run.

    Raises:
        TypeError: If its source or input is not text.
    """

    source: str
    """In Python, for the version that runs this; the standard library is there and nothing else."""
    stdin: str = ""
    """What it can read from standard input."""

    def __post_init__(self) -> None:
        for name in ("source", "stdin"):
            if not isinstance(text := getattr(self, name), str):
                raise TypeError(f"{name} of a program is {shown(text)}; expected text")


@dataclass(frozen=True)
class Outcome:
    """What came of a program."""

    stdout: str
    """What it wrote, up to the limit; bytes that are not UTF-8 become U+FFFD."""
    stderr: str
    """The same of standard error; a traceback, if it failed with one."""
    exit_code: int
    """As a shell sees it, or minus the number of the signal that ended it."""
    reason: Reason
    """``"finished"`` with exit code 0, ``"crashed"`` with another or by a signal, or the limit that was exceeded."""

    @property
    def finished(self) -> bool:
        """Whether it came to its end without an error."""
        return self.reason == "finished"
