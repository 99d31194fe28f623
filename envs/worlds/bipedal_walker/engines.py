"""The engines that can simulate the walker: which there are, which is in force, and why."""

import atexit
import functools
import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Literal

from teachgym.base.registry import unknown_name

Engine = Literal["fast", "reference"]

ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "fast": "compiled, on Box2D's own C++, many walkers at once; bit for bit equal to the reference",
        "reference": "readable Python on the box2d binding, one walker at a time; defines what is right",
    }
)
"""Name of each engine and one line on what it is."""
FASTEST = "auto"
"""Stands for the fast engine where it is built, else the reference."""

_REMEDY = (
    "The reference engine gives the same results, several times slower. For the fast one, install teachgym again "
    "where there is a C++ compiler (g++ or clang++), with pip's --verbose to see what becomes of it"
)


def choose_engine(name: str) -> Engine:
    """Resolve ``"auto"``, ``"fast"`` or ``"reference"``.

    Raises:
        ValueError: If the name is unknown, or the fast engine is asked for and can't be had; says why.
    """
    if name == FASTEST:
        return "reference" if why_no_engine() else "fast"
    if name == "fast":
        reason = why_no_engine()
        if reason:
            raise ValueError(f"engine is 'fast', but {reason}. {_REMEDY}.")
        return "fast"
    if name == "reference":
        return "reference"
    raise unknown_name("engine", str(name), [FASTEST, *ENGINES])


def why_no_engine() -> str | None:
    """Why there is no fast engine; None where there is one."""
    try:
        fast_engine()
    except ImportError as error:
        return str(error)
    return None


def engine_in_use() -> str:
    """One line on the engine that ``"auto"`` stands for, and why."""
    reason = why_no_engine()
    return f"reference, because {reason}. {_REMEDY}." if reason else "fast, because it is built and loads"


@functools.cache
def fast_engine() -> ModuleType:
    """The compiled module.

    Raises:
        ImportError: If it was not built or does not load.
    """
    try:
        module = importlib.import_module("teachgym.envs.worlds.bipedal_walker._engine")
    except ModuleNotFoundError:
        note = Path(__file__).with_name("engine_missing.txt")
        reason = note.read_text(encoding="utf-8").strip() if note.exists() else "nothing says why"
        raise ImportError(f"the fast one was not built: {reason}") from None
    except ImportError as error:
        raise ImportError(f"the fast one can't be loaded: {error}") from error
    atexit.register(module.shut_down)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=module.after_fork)
    return module
