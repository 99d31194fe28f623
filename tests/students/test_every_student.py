"""Every student of the two tables keeps its contract."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects.blank import BlankSubject
from teachgym.envs.data.subjects.digits import Digits
from teachgym.envs.data.subjects.drawings import VisualQuestions
from teachgym.students import STUDENTS, make_student
from teachgym.students.supervised import SUPERVISED_STUDENTS, make_supervised_student
from teachgym.testing import check_student, check_supervised_student
from tests.data.toy import Numbers
from tests.students.rl.test_sb3_students import QUICK
from tests.students.supervised.tiny_models import Pictures, Riddles, pictures, riddles, tiny_gpt2, tiny_llava

SHORT = {"max_length": 64, "max_new_tokens": 8, "method": "full", "learning_rate": 1e-2}


@dataclass(frozen=True)
class Decision:
    """What a student is checked with; a student that is not in ``LESSONS`` learns a few numbers."""

    task: Callable[[], Subject] = Numbers
    settings: dict[str, Any] = field(default_factory=dict)
    model: Callable[[Path], str] | None = None
    """Writes a model into a folder, where the student's settings name one."""
    examples: Callable[[], list[Example]] | None = None
    learns_within: int | None = None


def same_small(count: int = 40) -> list[Example]:
    return Numbers().make(("same", "small"), count, np.random.default_rng(0))


LESSONS = {
    "simulated": Decision(lambda: BlankSubject(Numbers()), examples=lambda: same_small(200), learns_within=1),
    "logistic-regression": Decision(Digits, learns_within=100),
    "mlp": Decision(Digits, learns_within=100),
    "transformer": Decision(
        settings={"width": 24, "layers": 2, "heads": 2, "batch_size": 32, "learning_rate": 1e-2, "device": "cpu"},
        examples=same_small,
        learns_within=300,
    ),
    "cnn": Decision(VisualQuestions, {"width": 8, "batch_size": 8}, learns_within=60),
    "causal-lm": Decision(
        Riddles, {**SHORT, "batch_size": 8, "micro_batch_size": 8}, tiny_gpt2, examples=riddles, learns_within=60
    ),
    "vision-lm": Decision(Pictures, {**SHORT, "batch_size": 4}, tiny_llava, examples=pictures, learns_within=60),
}


@pytest.mark.parametrize("name", STUDENTS)
def test_an_acting_student_keeps_the_contract(name: str) -> None:
    check_student(lambda: make_student(name, **dict(QUICK).get(name, {})), steps=300)


@pytest.mark.parametrize("name", SUPERVISED_STUDENTS)
def test_a_supervised_student_keeps_the_contract(name: str, tmp_path: Path) -> None:
    lesson = LESSONS.get(name, Decision())
    settings = dict(lesson.settings)
    if lesson.model is not None:
        settings["path"] = lesson.model(tmp_path)
    check_supervised_student(
        lambda task, seed: make_supervised_student(name, task, seed=seed, **settings),
        lesson.task(),
        examples=None if lesson.examples is None else lesson.examples(),
        learns_within=lesson.learns_within,
    )
