"""What students can learn from data: one file each, and a table of their names."""

from typing import Any

from teachgym.base.entry import Entry, named_class
from teachgym.base.settings import make_settings
from teachgym.data.subject import Subject

SUBJECTS: dict[str, Entry] = {
    "math": Entry("teachgym.envs.data.subjects.reasoning:Math"),
    "logic": Entry("teachgym.envs.data.subjects.reasoning:Logic"),
    "code": Entry("teachgym.envs.data.subjects.programs:Code"),
    "vqa": Entry("teachgym.envs.data.subjects.drawings:VisualQuestions"),
    "tool-use": Entry("teachgym.envs.data.subjects.tool_use:ToolUse"),
    "digits": Entry("teachgym.envs.data.subjects.digits:Digits"),
    "math-benchmark": Entry(
        "teachgym.envs.data.subjects.math_benchmark:MathBenchmark", quick="validation_per_cell=2", requires="file"
    ),
    "gqa": Entry("teachgym.envs.data.subjects.gqa:Gqa", requires="file"),
    "naturalbench": Entry(
        "teachgym.envs.data.subjects.natural_bench:NaturalBench",
        quick="validation_groups=4,test_groups=4,image_size=6",
        requires="file",
    ),
    "livecodebench": Entry("teachgym.envs.data.subjects.live_code_bench:LiveCodeBench", requires="file"),
    "mnms": Entry("teachgym.envs.data.subjects.mnms:Mnms", requires="file"),
}
"""Subjects by name; those that require files are read from them, and make no examples of their own."""


def subject_class(name: str) -> type[Subject]:
    """Find a subject's class by its name in the table, or by its path ``"package.module:Class"``.

    Raises:
        ValueError: If there is none; suggests the nearest name.
    """
    return named_class("subject", name, SUBJECTS, Subject)


def make_subject(name: str, **settings: Any) -> Subject:
    """Make a subject.

    Args:
        name: A name of the table, or ``"package.module:Class"``.
        **settings: Fields of the class's ``Settings``; those left out keep their defaults.

    Raises:
        ValueError: If the name or a setting is unknown, or a value is not allowed.
    """
    found = subject_class(name)
    return found(make_settings(f"subject {name!r}", found.Settings, settings))
