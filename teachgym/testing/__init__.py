"""Contract checks that an outside author can call on a teacher, student, world, task, engine or environment.

Each raises ``AssertionError`` with what is wrong; none needs a test framework.
"""

from teachgym.testing.control_env import check_control_env
from teachgym.testing.data_engine import check_data_engine
from teachgym.testing.discovery import check_discovery
from teachgym.testing.student import check_student
from teachgym.testing.subject import check_subject
from teachgym.testing.supervised_student import check_supervised_student
from teachgym.testing.teacher import check_teacher
from teachgym.testing.teacher_env import check_teacher_env
from teachgym.testing.world import check_world

__all__ = [
    "check_control_env",
    "check_data_engine",
    "check_discovery",
    "check_student",
    "check_subject",
    "check_supervised_student",
    "check_teacher",
    "check_teacher_env",
    "check_world",
]
