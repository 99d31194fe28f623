"""The students that learn from examples, and a read-only table of their names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from teachgym.base.registry import named_class
from teachgym.base.settings import make_settings
from teachgym.data.subject import Subject
from teachgym.students.supervised.student import SupervisedStudent

SUPERVISED_STUDENTS: Mapping[str, str] = MappingProxyType(
    {
        "simulated": "teachgym.students.supervised.simulated:SimulatedSupervisedStudent",
        "logistic-regression": "teachgym.students.supervised.classifiers:LogisticRegressionStudent",
        "mlp": "teachgym.students.supervised.classifiers:MLPStudent",
        "transformer": "teachgym.students.supervised.char_transformer:CharTransformer",
        "cnn": "teachgym.students.supervised.question_cnn:QuestionCNN",
        "causal-lm": "teachgym.students.supervised.causal_lm:CausalLM",
        "vision-lm": "teachgym.students.supervised.vision_lm:VisionLM",
    }
)
"""Name -> ``"module:Class"``, imported when it is asked for."""

__all__ = ["SUPERVISED_STUDENTS", "SupervisedStudent", "make_supervised_student", "supervised_student_class"]


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
        seed: Integer from 0 up.
        **settings: Fields of the class's ``Settings``; those left out keep their defaults.

    Raises:
        ValueError: If the name or a setting is unknown, a value is not allowed, or it can't learn such a subject.
    """
    found = supervised_student_class(name)
    return found(subject, make_settings(f"student {name!r}", found.Settings, settings), seed=seed)
