"""teachgym: Gymnasium environments whose agent is a teacher, teachers for them, and honest comparison.

Importing this package registers the environments with Gymnasium.
"""

from teachgym import envs as envs  # registers the environments
from teachgym.feedback import Feedback, Transition
from teachgym.loop import teach
from teachgym.task_space import Parameter, TaskSpace
from teachgym.teacher import Teacher

__version__ = "0.1.0"

__all__ = [
    "Feedback",
    "Parameter",
    "TaskSpace",
    "Teacher",
    "Transition",
    "teach",
]
