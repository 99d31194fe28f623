from typing import Any

import numpy as np
import pytest

from teachgym.agents.arms.arm_teacher import ArmTeacher
from teachgym.agents.arms.arms import ArmSettings
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice
from tests.agents.arm_specs import answered, arms


class Turns(ArmTeacher):
    """Plays the arms in turn and keeps what it hears."""

    Settings = ArmSettings
    keeps = ("played",)

    def __init__(self, spec: Any, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self.played, self.heard = 0, list[tuple[int, list[float] | None]]()

    def _choose(self, observation: Any) -> Choice:
        self.played += 1
        return Choice((self.played - 1) % len(self.arms), "turn", (0.5, float(self.played)))

    def _learn(self, arm: int, memo: FloatArray | None, transition: Transition, feedback: Feedback) -> None:
        self.heard.append((arm, None if memo is None else memo.tolist()))


def test_answers_come_back_with_the_arm_and_memo_of_their_decision_in_any_order() -> None:
    teacher = Turns(arms(3), seed=0)
    assert [int(teacher.act(None)) for _ in range(4)] == [0, 1, 2, 0]
    assert teacher.origin == "turn"
    for decision in (2, 0, 3):
        teacher.update(answered(decision, decision % 3, 0.5))
    assert teacher.heard == [(2, [0.5, 3]), (0, [0.5, 1]), (0, [0.5, 4])]


def test_an_answer_to_an_unknown_decision_counts_for_the_arm_of_its_task_without_a_memo() -> None:
    teacher = Turns(arms(3), seed=0)
    teacher.act(None)
    teacher.update(answered(7, 2, 0.5))
    teacher.update(answered(0, 0, 0.5))
    teacher.update(answered(0, 0, 0.5))  # for the second time
    assert teacher.heard == [(2, None), (0, [0.5, 1]), (0, None)]


def test_open_decisions_are_saved() -> None:
    teacher, other = Turns(arms(3), seed=0), Turns(arms(3), seed=0)
    teacher.act(None)
    teacher.act(None)
    other.load_state_dict(teacher.state_dict())
    other.update(answered(1, 1, 0.5))
    assert other.heard == [(1, [0.5, 2])]


def test_missing_feedback_changes_nothing_and_tasks_of_other_dimensions_are_refused() -> None:
    teacher = Turns(arms(3), seed=0)
    teacher.act(None)
    teacher.update(Transition(None, 0, 0.0, None, False, None))
    assert teacher.heard == []
    with pytest.raises(ValueError, match="the feedback's task has 2 numbers; expected 1"):
        teacher.update(answered(0, np.zeros(2), 0.5))
