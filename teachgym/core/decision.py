"""What a teacher decides about one episode of a student, and who may decide how much of it."""

from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium import Space, spaces

from teachgym.base.annotations import shown
from teachgym.base.setting_checks import check_choice
from teachgym.core.spec import ANTAGONIST, EASY_TASKS, SCREENING, SUCCESS, EasyTasks, TeachingSpec, screening_space
from teachgym.core.task_space import FloatArray, TaskSpace

Screening = Literal["off", "counted", "free"]
"""Whether a student can be let play a task without learning from it: not at all, on the budget, or for nothing."""


class Lesson(NamedTuple):
    """One decision."""

    task: FloatArray
    """``(n,)`` the task, in task units."""
    train: bool
    """Whether the student learns from it."""


def lesson_space(tasks: TaskSpace, screening: Screening) -> Space[Any]:
    """The action space of an environment whose decisions are lessons: tasks, or ``screening_space``.

    Raises:
        ValueError: If ``screening`` is none of its values.
    """
    check_choice("screening", screening, ("off", "counted", "free"))
    return tasks if screening == "off" else screening_space(tasks)


def lesson_spec(
    tasks: TaskSpace,
    *,
    observation_space: Space[Any],
    outcome_range: tuple[float, float],
    mastered_above: float,
    student_offers: frozenset[str],
    easy_tasks: EasyTasks | None,
    screening: Screening,
    antagonist: bool,
) -> TeachingSpec:
    """The facts of an environment whose decisions are lessons.

    Raises:
        ValueError: If ``screening`` is none of its values, or the outcome range is empty.
    """
    offered = {
        SUCCESS: True,
        SCREENING: screening != "off",
        ANTAGONIST: antagonist,
        EASY_TASKS: easy_tasks is not None,
    }
    return TeachingSpec(
        action_space=lesson_space(tasks, screening),
        observation_space=observation_space,
        outcome_range=outcome_range,
        mastered_above=mastered_above,
        offers=student_offers | {name for name, is_offered in offered.items() if is_offered},
        easy_tasks=easy_tasks,
    )


def read_lesson(action: Any, tasks: TaskSpace, space: Space[Any]) -> Lesson:
    """Decode an action of ``lesson_space``.

    Raises:
        ValueError: If it is none; the message says what is allowed.
    """
    if not isinstance(space, spaces.Dict):
        return Lesson(tasks.validate(action), True)
    if not isinstance(action, dict) or set(action) != {"task", "train"}:
        raise ValueError(f'the action is {shown(action)}; expected {{"task": ..., "train": 0 or 1}}')
    if (not np.isscalar(action["train"]) and np.ndim(action["train"]) > 0) or action["train"] not in (0, 1):
        raise ValueError(
            f'"train" is {shown(action["train"])}; expected 1 to learn from the task, or 0 only to play it'
        )
    return Lesson(tasks.validate(action["task"]), bool(action["train"]))
