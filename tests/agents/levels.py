"""Problems and loops for the teachers that probe and replay levels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.core.teacher import Teacher
from tests.agents.specs import WALKER

Outcome = Callable[[FloatArray], float]


def level_problem(
    *, probes: bool = False, space: TaskSpace = WALKER, easy: EasyTasks | None = None, offers: Needs = NOTHING
) -> TeachingSpec:
    """The walker's outcomes, with value estimates and what else is offered."""
    offered = Needs.SUCCESS | Needs.VALUES | offers | (Needs.EASY_TASKS if easy else NOTHING)
    actions: spaces.Space[Any] = ProbeSpace(space) if probes else space
    return TeachingSpec(actions, spaces.Box(0.0, 1.0, (1,)), (-150.0, 350.0), 230.0, offered, easy)


@dataclass(frozen=True, eq=False)
class Decision:
    """What a teacher decided."""

    task: FloatArray
    probe: bool
    origin: str


def decide(teacher: Teacher) -> Decision:
    """Let the teacher decide."""
    action = teacher.act(None)
    task, probe = (action["decision"], bool(action["probe"])) if isinstance(action, dict) else (action, False)
    return Decision(np.array(task, dtype=np.float64).ravel(), probe, teacher.origin)


def answer(teacher: Teacher, number: int, decision: Decision, outcome: float, advantage: float | None = None) -> None:
    """Tell the teacher what came of a decision; the episode has one step, with this advantage if there is one."""
    trace = None if advantage is None else EpisodeTrace(np.array([advantage]), np.zeros(2))
    feedback = Feedback(decision.task, outcome, outcome > 230, 1, number, decision.probe, trace)
    teacher.update(Transition(None, None, 0.0, None, False, feedback))


def replays_per_hundred(teacher: Teacher, count: int) -> FloatArray:
    """``(count / 100,)`` share of replays among each hundred decisions, where the score is the first parameter."""
    decisions = play(teacher, count, lambda task: 0.0, lambda task: float(task[0]))
    shares: FloatArray = np.array([decision.origin == "replay" for decision in decisions]).reshape(-1, 100).mean(axis=1)
    return shares


def play(
    teacher: Teacher, count: int, outcome: Outcome, advantage: Outcome | None = None, *, first: int = 0
) -> list[Decision]:
    """Teach with answers in order, from decision ``first`` on."""
    decisions = []
    for number in range(first, first + count):
        decision = decide(teacher)
        decisions.append(decision)
        told = None if advantage is None else advantage(decision.task)
        answer(teacher, number, decision, outcome(decision.task), told)
    return decisions
