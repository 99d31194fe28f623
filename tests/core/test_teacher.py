"""The base of teachers numbers decisions, and hands the note of each back with its feedback."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.base.files import read_state, write_state
from teachgym.core import teacher as teacher_module
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.teacher import Choice, Note, Teacher
from tests.agents.specs import spec


class Remembers(Teacher):
    """Notes what it is told of each decision."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(spec(), seed=seed)
        self.told: list[Any] = []

    def _act(self, observation: Any) -> Choice:
        number = self.decisions
        return Choice(number, f"decision {number}", {"array": np.full(2, number), "plain": [number, 0.5, "x"]})

    def _update(self, transition: Transition, note: Note | None) -> None:
        plain = None if note is None else [note.origin, note.memo["array"].tolist(), note.memo["plain"]]
        self.told.append(plain)


def answer(decision: int | None) -> Transition:
    feedback = None if decision is None else Feedback(np.zeros(1), 0.0, False, 1, decision)
    return Transition(None, None, 0.0, None, False, feedback)


def note(number: int) -> list[Any]:
    return [f"decision {number}", [number, number], [number, 0.5, "x"]]


def test_notes_come_back_with_the_feedback_in_any_order_and_once() -> None:
    teacher = Remembers()
    assert [teacher.act(None) for _ in range(4)] == [0, 1, 2, 3]
    assert (teacher.origin, teacher.decisions) == ("decision 3", 4)
    for decision in (2, None, 0, 2, 9):
        teacher.update(answer(decision))
    assert teacher.told == [note(2), None, note(0), None, None]


def test_notes_and_numbers_come_back_from_a_file(tmp_path: Path) -> None:
    teacher, other = Remembers(), Remembers(seed=1)
    for _ in range(3):
        teacher.act(None)
    teacher.update(answer(1))
    write_state(tmp_path / "state.npz", teacher.state_dict())
    other.load_state_dict(read_state(tmp_path / "state.npz"))
    assert (other.origin, other.act(None)) == ("decision 2", 3)
    for decision in (2, 1, 3):
        other.update(answer(decision))
    assert other.told == [note(2), None, note(3)]


def test_the_oldest_notes_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher_module, "MOST_OPEN", 3)
    teacher = Remembers()
    for _ in range(5):
        teacher.act(None)
    for decision in (1, 2):
        teacher.update(answer(decision))
    assert teacher.told == [None, note(2)]
