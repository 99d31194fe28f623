"""Every student of the two tables keeps its contract."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects import make_subject
from teachgym.students import STUDENTS, make_student
from teachgym.students.supervised import SUPERVISED_STUDENTS, SupervisedStudent, make_supervised_student
from teachgym.testing import check_student, check_supervised_student
from tests.students.supervised.tiny_models import Pictures, Riddles, pictures, riddles, tiny_gpt2, tiny_llava

MODELS: dict[str, tuple[Callable[[Path], str], type[Subject], Callable[[], list[Example]]]] = {
    "causal-lm": (tiny_gpt2, Riddles, riddles),
    "vision-lm": (tiny_llava, Pictures, pictures),
}
"""What writes the model that a student requires, and a subject and examples that are within such a model's reach."""


@pytest.mark.parametrize("name", STUDENTS)
def test_an_acting_student_keeps_the_contract(name: str) -> None:
    check_student(lambda: make_student(name, **STUDENTS[name].quick_settings), steps=300)


@pytest.mark.parametrize("name", SUPERVISED_STUDENTS)
def test_a_supervised_student_keeps_the_contract(name: str, tmp_path: Path) -> None:
    entry = SUPERVISED_STUDENTS[name]
    settings: dict[str, Any] = entry.quick_settings
    examples = None
    if entry.requires:
        write, of_reach, drawn = MODELS[name]
        settings["path"], subject, examples = write(tmp_path), of_reach(), drawn()
    else:
        subject = make_subject(entry.subject)

    def make(subject: Subject, seed: int) -> SupervisedStudent:
        return make_supervised_student(name, subject, seed=seed, **settings)

    check_supervised_student(make, subject, examples=examples, learns_within=entry.learns_within)
