"""The students that learn from examples, and a table of their names."""

from dataclasses import dataclass
from typing import Any

from teachgym.base.entry import Entry, named_class
from teachgym.base.settings import make_settings
from teachgym.data.subject import Subject
from teachgym.students.supervised.student import SupervisedStudent


@dataclass(frozen=True)
class StudentEntry(Entry):
    """A student that learns from examples, and what it is checked with."""

    subject: str = ""
    """A subject that it learns with its ``quick`` settings; none where that depends on the model in its file."""
    learns_within: int | None = None
    """Updates on a few examples of it within which it answers more of them correctly."""


SUPERVISED_STUDENTS: dict[str, StudentEntry] = {
    "simulated": StudentEntry(
        "teachgym.students.supervised.simulated:SimulatedSupervisedStudent",
        quick="examples_needed=5",
        subject="digits",
        learns_within=1,
    ),
    "logistic-regression": StudentEntry(
        "teachgym.students.supervised.classifiers:LogisticRegressionStudent", subject="digits", learns_within=100
    ),
    "mlp": StudentEntry("teachgym.students.supervised.classifiers:MLPStudent", subject="digits", learns_within=100),
    "transformer": StudentEntry(
        "teachgym.students.supervised.char_transformer:CharTransformer",
        quick="width=24,layers=1,heads=2,batch_size=32,learning_rate=0.01,device=cpu",
        subject="logic",
        learns_within=100,
    ),
    "cnn": StudentEntry(
        "teachgym.students.supervised.question_cnn:QuestionCNN",
        quick="width=8,batch_size=8",
        subject="vqa",
        learns_within=60,
    ),
    "causal-lm": StudentEntry(
        "teachgym.students.supervised.causal_lm:CausalLM",
        quick="max_length=64,max_new_tokens=8,method=full,learning_rate=0.01,batch_size=8,micro_batch_size=8",
        requires="file",
        learns_within=60,
    ),
    "vision-lm": StudentEntry(
        "teachgym.students.supervised.vision_lm:VisionLM",
        quick="max_length=64,max_new_tokens=8,method=full,learning_rate=0.01,batch_size=4",
        requires="file",
        learns_within=60,
    ),
}
"""Students by name."""

__all__ = [
    "SUPERVISED_STUDENTS",
    "StudentEntry",
    "SupervisedStudent",
    "make_supervised_student",
    "supervised_student_class",
]


def supervised_student_class(name: str) -> type[SupervisedStudent]:
    """Find a student's class by its name in the table, or by its path ``"package.module:Class"``.

    Raises:
        ValueError: If there is none; suggests the nearest name.
    """
    return named_class("student", name, SUPERVISED_STUDENTS, SupervisedStudent)


def make_supervised_student(name: str, subject: Subject, *, seed: int, **settings: Any) -> SupervisedStudent:
    """Make a fresh student of a subject.

    Args:
        name: A name of the table, or ``"package.module:Class"``.
        subject: What it is to learn.
        seed: Non-negative integer.
        **settings: Fields of the class's ``Settings``; those left out keep their defaults.

    Raises:
        ValueError: If the name or a setting is unknown, a value is not allowed, or it can't learn such a subject.
    """
    found = supervised_student_class(name)
    return found(subject, make_settings(f"student {name!r}", found.Settings, settings), seed=seed)
