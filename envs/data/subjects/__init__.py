"""What students can learn from data: one file each, and a read-only table of their names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from teachgym.base.registry import named_class
from teachgym.base.settings import make_settings
from teachgym.data.subject import Subject

SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "math": "teachgym.envs.data.subjects.reasoning:Math",
        "logic": "teachgym.envs.data.subjects.reasoning:Logic",
        "code": "teachgym.envs.data.subjects.programs:Code",
        "vqa": "teachgym.envs.data.subjects.drawings:VisualQuestions",
        "tool-use": "teachgym.envs.data.subjects.tool_use:ToolUse",
        "digits": "teachgym.envs.data.subjects.digits:Digits",
        "math-benchmark": "teachgym.envs.data.subjects.math_benchmark:MathBenchmark",
        "gqa": "teachgym.envs.data.subjects.gqa:Gqa",
        "naturalbench": "teachgym.envs.data.subjects.natural_bench:NaturalBench",
        "livecodebench": "teachgym.envs.data.subjects.live_code_bench:LiveCodeBench",
        "mnms": "teachgym.envs.data.subjects.mnms:Mnms",
    }
)
"""Name -> ``"module:Class"``, imported when it is asked for."""


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
