"""The students that act in worlds, and a read-only table of their names."""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from teachgym.names import load_path, unknown_name
from teachgym.students.callable_student import CallableStudent
from teachgym.students.student import Student

STUDENTS: Mapping[str, str] = MappingProxyType(
    {
        "ppo": "teachgym.students.ppo:PPOStudent",
        "sac": "teachgym.students.sac:SACStudent",
    }
)
"""Name -> ``"module:Class"``, imported when it is asked for."""

__all__ = ["STUDENTS", "CallableStudent", "Student", "make_student", "student_class"]


def student_class(name: str) -> type[Student]:
    """Find a student's class by its name in the table, or by its path ``"package.module:Class"``.

    Raises:
        ValueError: If there is none; suggests the nearest name.
    """
    if name not in STUDENTS and ":" not in name:
        raise unknown_name("student", name, STUDENTS)
    found = load_path("student", STUDENTS.get(name, name))
    if not (isinstance(found, type) and issubclass(found, Student)):
        raise ValueError(f"student {name!r} is {found!r}; expected a subclass of teachgym.students.Student")
    return found


def make_student(name: str, **settings: Any) -> Student:
    """Make a student.

    Args:
        name: A name of the table, or ``"package.module:Class"``.
        **settings: Fields of the class's ``Settings``; those left out keep their defaults.

    Raises:
        ValueError: If the name or a setting is unknown, or a value is not allowed.
    """
    found = student_class(name)
    known = [field.name for field in fields(found.Settings)]
    for setting in settings:
        if setting not in known:
            raise unknown_name(f"setting of student {name!r}:", setting, known)
    return found(found.Settings(**settings))
