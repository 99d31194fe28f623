"""The students that act in worlds, and a table of their names."""

from typing import Any

from teachgym.base.entry import Entry, named_class
from teachgym.base.settings import make_settings
from teachgym.students.rl.callable_student import CallableStudent
from teachgym.students.rl.student import RLStudent

STUDENTS: dict[str, Entry] = {
    "ppo": Entry(
        "teachgym.students.rl.ppo:PPOStudent",
        quick="slots=4,rollout_steps=32,batch_size=32,epochs=5,hidden=[16],learning_rate=0.01,schedule_share=0.5,"
        "schedule_steps=1,device=cpu",
    ),
    "sac": Entry(
        "teachgym.students.rl.sac:SACStudent",
        quick="hidden=[32],batch_size=64,random_steps=200,learning_rate=0.01,steps_per_update=2,device=cpu",
    ),
}
"""Students by name."""

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
