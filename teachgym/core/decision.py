"""A teacher's decision: a task or controls, and whether it is a probe; its action space, and how an action is read."""

from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium import Space, spaces

from teachgym.base.annotations import shown
from teachgym.base.setting_checks import check_choice
from teachgym.core.spec import ANTAGONIST, EASY_TASKS, PROBES, SUCCESS, EasyTasks, TeachingSpec, probe_space
from teachgym.core.task_space import FloatArray, TaskSpace

Probes = Literal["off", "counted", "free"]
"""Whether a student can be let play a task without learning from it: not at all, on the budget, or for nothing."""


class Decision(NamedTuple):
    """What a teacher chooses in one step: a task, or controls."""

    task: FloatArray
    """``(n,)`` the task or the controls, in their own units."""
    probe: bool
    """Whether its effect is not kept: the student plays the task, and learns nothing from it."""


def decision_space(tasks: TaskSpace, probes: Probes) -> Space[Any]:
    """The action space of an environment whose decisions are tasks or controls, or ``probe_space`` over them.

    Raises:
        ValueError: If ``probes`` is none of its values.
    """
    check_choice("probes", probes, ("off", "counted", "free"))
    return tasks if probes == "off" else probe_space(tasks)


def decision_spec(
    tasks: TaskSpace,
    *,
    observation_space: Space[Any],
    outcome_range: tuple[float, float],
    mastered_above: float,
    student_offers: frozenset[str],
    easy_tasks: EasyTasks | None,
    probes: Probes,
    antagonist: bool,
) -> TeachingSpec:
    """The facts of an environment whose decisions are tasks.

    Raises:
        ValueError: If ``probes`` is none of its values, or the outcome range is empty.
    """
    offered = {
        SUCCESS: True,
        PROBES: probes != "off",
        ANTAGONIST: antagonist,
        EASY_TASKS: easy_tasks is not None,
    }
    return TeachingSpec(
        action_space=decision_space(tasks, probes),
        observation_space=observation_space,
        outcome_range=outcome_range,
        mastered_above=mastered_above,
        offers=student_offers | {name for name, is_offered in offered.items() if is_offered},
        easy_tasks=easy_tasks,
    )


def read_decision(action: Any, tasks: TaskSpace, space: Space[Any]) -> Decision:
    """Decode an action of ``decision_space``.

    Raises:
        ValueError: If it is none; the message says what is allowed.
    """
    if not isinstance(space, spaces.Dict):
        return Decision(tasks.validate(action), False)
    if not isinstance(action, dict) or set(action) != {"decision", "probe"}:
        raise ValueError(f'the action is {shown(action)}; expected {{"decision": ..., "probe": 0 or 1}}')
    if (not np.isscalar(action["probe"]) and np.ndim(action["probe"]) > 0) or action["probe"] not in (0, 1):
        raise ValueError(
            f'"probe" is {shown(action["probe"])}; expected 0 to learn from the decision, or 1 only to try it'
        )
    return Decision(tasks.validate(action["decision"]), bool(action["probe"]))
