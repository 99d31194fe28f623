"""teachgym: Gymnasium environments whose agent is a teacher, teachers for them, and honest comparison.

Importing this package registers the environments with Gymnasium.
"""

from typing import TYPE_CHECKING, Any

from teachgym import envs as envs  # registers the environments
from teachgym.agents import make_teacher
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.loop import teach
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.core.teacher import Teacher
from teachgym.study.pair import make, pair

if TYPE_CHECKING:
    from teachgym.study.compare import compare
    from teachgym.study.settings import StudySettings

__version__ = "0.1.0"

__all__ = [
    "Feedback",
    "Parameter",
    "StudySettings",
    "TaskSpace",
    "Teacher",
    "Transition",
    "compare",
    "make",
    "make_teacher",
    "pair",
    "teach",
]


def __getattr__(name: str) -> Any:
    # Studies need torch and matplotlib, which take seconds to import; most uses of the package do not.
    if name == "compare":
        from teachgym.study.compare import compare

        return compare
    if name == "StudySettings":
        from teachgym.study.settings import StudySettings

        return StudySettings
    raise AttributeError(f"module 'teachgym' has no attribute {name!r}")
