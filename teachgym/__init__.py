"""teachgym: Gymnasium environments whose agent is a teacher, teachers for them, and honest comparison.

Importing this package registers the environments with Gymnasium.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from teachgym import envs as envs  # registers the environments
from teachgym.agents import make_teacher
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.loop import teach
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.core.teacher import Choice, Note, Teacher
from teachgym.study.pair import make, pair

if TYPE_CHECKING:
    from teachgym.agents.base.task_teacher import TaskTeacher
    from teachgym.data.example import Example
    from teachgym.data.skills import Skill
    from teachgym.data.subject import Subject
    from teachgym.students.rl.callable_student import CallableStudent
    from teachgym.study.compare import compare
    from teachgym.study.settings import StudySettings

__version__ = "0.1.0"

__all__ = [
    "CallableStudent",
    "Choice",
    "Example",
    "Feedback",
    "Note",
    "Parameter",
    "Skill",
    "StudySettings",
    "Subject",
    "TaskSpace",
    "TaskTeacher",
    "Teacher",
    "Transition",
    "compare",
    "make",
    "make_teacher",
    "pair",
    "teach",
]

_LAZY = {
    "CallableStudent": "teachgym.students.rl.callable_student",
    "Example": "teachgym.data.example",
    "Skill": "teachgym.data.skills",
    "StudySettings": "teachgym.study.settings",
    "Subject": "teachgym.data.subject",
    "TaskTeacher": "teachgym.agents.base.task_teacher",
    "compare": "teachgym.study.compare",
}
"""Imported when they are asked for: students and studies need torch and matplotlib, which take seconds to import."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'teachgym' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
