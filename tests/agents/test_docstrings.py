"""What the docstrings of teachers state of their settings is so."""

import ast
import inspect
import re
import runpy
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest

from teachgym.agents import TEACHERS, teacher_class

MEANINGS = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "teachers.py"))["_meanings"]


def stated(teacher: type[Any]) -> list[dict[str, Any]]:
    """Settings that the docstrings of a teacher and its settings write as they are given, ``like="this", or=1``."""
    text = " ".join(f"{inspect.getdoc(teacher)} {inspect.getdoc(teacher.Settings)}".replace("\\\n", "").split())
    found = []
    for code in re.findall(r"``(\w+=[^`= ]+(?:, \w+=[^`= ]+)*)``", text):
        call = ast.parse(f"settings({code})", mode="eval").body
        assert isinstance(call, ast.Call)
        if all(isinstance(keyword.value, ast.Constant) for keyword in call.keywords):
            found.append({str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords})
    return found


@pytest.mark.parametrize("name", [name for name, entry in TEACHERS.items() if entry.requires != "endpoint"])
def test_settings_that_are_named_exist_and_are_allowed(name: str) -> None:
    teacher = teacher_class(name)
    for settings in stated(teacher):
        teacher.Settings(**settings)


def test_the_table_of_published_settings_is_read() -> None:
    assert {"replay_schedule": "fixed", "replay_chance": 0.5, "least_filled": 0.5, "temperature": 0.3} in stated(
        teacher_class("plr")
    )


@pytest.mark.parametrize("name", TEACHERS)
def test_what_lies_outside_a_stated_range_is_refused(name: str) -> None:
    settings = teacher_class(name).Settings
    if any(field.default is MISSING and field.default_factory is MISSING for field in fields(settings)):
        return
    for setting, meaning in MEANINGS(settings).items():
        for opens, low, high, closes in re.findall(r", in `([\[(])([\d.]+), ([\d.]+)([\])])`", meaning):
            default, least, most = getattr(settings(), setting, None), float(low), float(high)
            assert default is None or least <= default <= most
            outside = [least - 0.5, most + 0.5, *([least] if opens == "(" else []), *([most] if closes == ")" else [])]
            for value in outside:
                with pytest.raises(ValueError, match=setting):
                    replace(settings(), **{setting: value})
