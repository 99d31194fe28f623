"""The students that act in worlds, and a read-only table of their names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from teachgym.base.registry import named_class
from teachgym.base.settings import make_settings
from teachgym.students.rl.callable_student import CallableStudent
from teachgym.students.rl.student import RLStudent

STUDENTS: Mapping[str, str] = MappingProxyType(
    {
        "ppo": "teachgym.students.rl.ppo:PPOStudent",
        "sac": "teachgym.students.rl.sac:SACStudent",
    }
)
"""Name -> ``"module:Class"``, imported when it is asked for."""

__all__ = ["STUDENTS", "CallableStudent", "RLStudent", "make_student", "student_class"]


def student_class(name: str) -> type[RLStudent]:
    """Find a student's class by its name in the table, or by its path ``"package.module:Class"``.

    Raises:
        ValueError: If there is none; suggests the nearest name.
    """
    return named_class("student", name, STUDENTS, RLStudent)


def make_student(name: str, **settings: Any) -> RLStudent:
    """Make a student.

    Args:
        name: A name of the table, or ``"package.module:Class"``.
        **settings: Fields of the class's ``Settings``; those left out keep their defaults.

    Raises:
        ValueError: If the name or a setting is unknown, or a value is not allowed.
    """
    found = student_class(name)
    return found(make_settings(f"student {name!r}", found.Settings, settings))
