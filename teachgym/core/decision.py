"""Decisions that may be probes: their action space, the facts of an environment of tasks, and how actions split."""

from typing import Any, Literal

import numpy as np
from gymnasium import Space

from teachgym.base.annotations import shown
from teachgym.base.setting_checks import check_choice
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.requirements import OnDemand
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import TaskSpace

Probes = Literal["off", "counted", "free"]
"""Whether a student can be let play a task without learning from it: not at all, on the budget, or for nothing."""

COUNTED_PROBES = OnDemand({"probes": "counted"}, action_space=ProbeSpace)
"""Of environments that take ``probes``."""
SECOND_STUDENT = OnDemand({"antagonist": True}, offers=Needs.ANTAGONIST)
"""Of environments that take ``antagonist``."""


def action_space(decisions: Space[Any], probes: Probes) -> Space[Any]:
    """The action space of an environment whose decisions are these, or a ``ProbeSpace`` of them.

    Raises:
        ValueError: If ``probes`` is none of its values.
    """
    check_choice("probes", probes, ("off", "counted", "free"))
    return decisions if probes == "off" else ProbeSpace(decisions)


def decision_spec(
    tasks: TaskSpace,
    *,
    observation_space: Space[Any],
    outcome_range: tuple[float, float],
    mastered_above: float,
    student_offers: Needs,
    easy_tasks: EasyTasks | None,
    probes: Probes,
    antagonist: bool,
) -> TeachingSpec:
    """The facts of an environment whose decisions are tasks.

    Raises:
        ValueError: If ``probes`` is none of its values, or the outcome range is empty.
    """
    offers = student_offers | Needs.SUCCESS
    offers |= Needs.ANTAGONIST if antagonist else NOTHING
    offers |= Needs.EASY_TASKS if easy_tasks is not None else NOTHING
    return TeachingSpec(
        action_space=action_space(tasks, probes),
        observation_space=observation_space,
        outcome_range=outcome_range,
        mastered_above=mastered_above,
        offers=offers,
        easy_tasks=easy_tasks,
    )


def split_probe(action: Any) -> tuple[Any, bool]:
    """The decision in an action of ``ProbeSpace``, and whether it is a probe.

    Raises:
        ValueError: If it is not such an action; the message says what is.
    """
    if not isinstance(action, dict) or set(action) != {"decision", "probe"}:
        raise ValueError(f'the action is {shown(action)}; expected {{"decision": ..., "probe": 0 or 1}}')
    try:
        flag = np.asarray(action["probe"])
    except (TypeError, ValueError, RuntimeError):  # ragged, or a tensor that needs its gradient
        flag = np.empty(2)
    if flag.ndim > 0 or flag.dtype.kind not in "biuf" or flag not in (0, 1):
        raise ValueError(
            f'"probe" is {shown(action["probe"])}; expected 0 to learn from the decision, or 1 only to try it'
        )
    return action["decision"], bool(flag)
