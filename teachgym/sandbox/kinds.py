"""The kinds of sandbox: which there are, what each holds back here, which is in force, and why."""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from teachgym.base.registry import unknown_name
from teachgym.sandbox.command import bubblewrap
from teachgym.sandbox.connection import Connection, SandboxError
from teachgym.sandbox.limits import Limits, Program

SandboxKind = Literal["bubblewrap", "process"]

SANDBOX_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "bubblewrap": "a container without network, files, other processes or privileges, by the program bwrap",
        "process": "a process with limits; what else it holds back depends on the system",
    }
)
"""Name of each kind and one line on what it is."""
AUTO = "auto"
"""Stands for bubblewrap where that works, else a process."""

_REMEDY = "For the strong one, install bubblewrap (apt-get install bubblewrap) where user namespaces are allowed"


@dataclass(frozen=True)
class Protection:
    """What a kind of sandbox holds back on this machine, beyond limits on time, memory and output."""

    filters_calls: bool
    """No network, no other processes, no signals to any, no writing: by a filter of system calls."""
    hides_files: bool
    """No reading but of the interpreter and the system's libraries: by namespaces, or else by Landlock."""


def choose_kind(name: str) -> SandboxKind:
    """Resolve ``"auto"``, ``"bubblewrap"`` or ``"process"``.

    Raises:
        ValueError: If the name is unknown.
        SandboxError: If this kind does not work here; says why.
    """
    if name == AUTO:
        return "process" if why_no_sandbox("bubblewrap") else "bubblewrap"
    if name not in ("bubblewrap", "process"):
        raise unknown_name("sandbox", str(name), [AUTO, *SANDBOX_KINDS])
    reason = why_no_sandbox(name)
    if reason:
        raise SandboxError(f"sandbox is {name!r}, but {reason}. {_REMEDY}.")
    return "bubblewrap" if name == "bubblewrap" else "process"


def why_no_sandbox(kind: str) -> str | None:
    """Why there is no sandbox of this kind; None where there is one."""
    found = _tried(kind)
    return found if isinstance(found, str) else None


def protection(kind: str) -> Protection:
    """What a kind holds back here, as found by trying it.

    Raises:
        SandboxError: If this kind does not work here.
    """
    found = _tried(kind)
    if isinstance(found, str):
        raise SandboxError(f"there is no sandbox of kind {kind!r}: {found}")
    return found


def sandbox_in_use() -> str:
    """One line on the sandbox that ``"auto"`` stands for, and why."""
    reason = why_no_sandbox("bubblewrap")
    if reason is None:
        return "bubblewrap, because it works here"
    none = why_no_sandbox("process")
    if none is not None:
        return f"none: programs can't be run, because {none}"
    found = protection("process")
    held = "no network, no other processes, no writing of files" if found.filters_calls else ""
    hidden = "no reading of files but the system's" if found.hides_files else ""
    open_to = [] if found.filters_calls else ["the network", "processes", "writing files"]
    open_to += [] if found.hides_files else ["READING EVERY FILE that this user may read"]
    line = f"process, because {reason}. Beside its limits: {', '.join(filter(None, (held, hidden))) or 'nothing'}"
    line += f"; NOT held back: {', '.join(open_to)}" if open_to else ""
    return f"{line}. {_REMEDY}."


@functools.cache
def _tried(kind: str) -> Protection | str:
    """What holds, or why there is none: a program is run in it once."""
    if not hasattr(os, "fork"):
        return "this system can't fork processes"
    if kind == "bubblewrap" and bubblewrap() is None:
        return "bwrap is not installed"
    try:
        with Connection(kind, Limits()) as connection:
            outcome = connection.run(Program("print(6 * 7)"))
            if outcome is None or outcome.stdout != "42\n":
                return f"a first program did not run in it ({outcome})"
            if kind == "bubblewrap" and not connection.filters_calls:
                return "the kernel takes no filter of system calls"
            return Protection(connection.filters_calls, connection.hides_files)
    except SandboxError as error:
        return str(error)
