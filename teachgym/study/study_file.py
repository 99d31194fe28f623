"""Studies as TOML files: yours, the one that every study leaves in its folder, and those that come with teachgym."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from teachgym.base.annotations import read_value, shown
from teachgym.base.files import opened, replacing
from teachgym.base.named_settings import NamedSettings
from teachgym.base.registry import unknown_name
from teachgym.study.settings import StudySettings

STUDY_FILE = "study.toml"
"""Name of the file that a study leaves in its folder."""
_READY = Path(__file__).parent / "ready"
_SPECS = ("env", "teachers", "subject", "student")
"""Settings that are names which may carry settings of their own."""


def load(study: str | Path) -> StudySettings:
    """The settings of a study, from its file or its name.

    Args:
        study: Path of a file, which ends in ``.toml``, or the name of a study that comes with teachgym.

    Raises:
        ValueError: If there is none, or the file does not describe a study; the message names the file and the key.
    """
    path = find(study)
    settings = read_study_file(path)
    try:
        return StudySettings(**settings)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def find(study: str | Path) -> Path:
    """The file of a study.

    Raises:
        ValueError: If there is no such file, or no study of that name comes with teachgym; suggests the nearest.
    """
    if isinstance(study, Path) or study.endswith(".toml"):
        if not Path(study).is_file():
            raise ValueError(f"there is no file {study}; give the path of a study's file, or a name: {_known()}")
        return Path(study)
    if study not in ready_made():
        raise ValueError(f"{unknown_name('study', study, ready_made())} (a file of your own ends in .toml)")
    return _READY / f"{study}.toml"


def ready_made() -> dict[str, str]:
    """The studies that come with teachgym: name, and what it is in a line."""
    return {
        path.stem: path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        for path in sorted(_READY.glob("*.toml"))
    }


def read_study_file(path: Path) -> dict[str, Any]:
    """Read the settings in a file, by name of the field of ``StudySettings``; the others keep their defaults.

    Keys may have hyphens in place of underscores. Environment, subject, student and teachers are texts as they are
    typed on the command line, or tables with a ``name`` and settings.

    Raises:
        ValueError: If the file is not TOML, or a key or the type of a value is not allowed; the message says what is.
    """
    try:
        with opened(path) as file:
            given = tomllib.load(file)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a TOML file: {error}") from error
    kinds, settings = get_type_hints(StudySettings), {}
    for written, value in given.items():
        key = written.replace("-", "_")
        if key not in kinds:
            raise ValueError(f"{path}: {unknown_name('setting of a study:', written, kinds)}")
        if key in settings:
            raise ValueError(f"{path}: {key} is given twice, with hyphens and with underscores; keep one")
        try:
            settings[key] = read_value(written, _typed(value) if key in _SPECS else value, kinds[key])
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return settings


def write(path: Path, settings: StudySettings) -> None:
    """Write all settings, so that the file runs the same study again.

    ``cells``, which belongs to one command and not to the study, is left out, as are settings that are None.
    """
    lines = ["# The settings of a study. Run it again, or what it lacks: teachgym compare this-file.toml --resume"]
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value is not None and field.name != "cells":
            lines.append(f"{field.name} = {_toml(value)}")
    with replacing(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def _known() -> str:
    return ", ".join(ready_made())


def _typed(value: Any) -> Any:
    """Tables as texts, as they would be typed."""
    if isinstance(value, list):
        return [_typed(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    name, settings = value.get("name"), {key.replace("-", "_"): entry for key, entry in value.items() if key != "name"}
    if not isinstance(name, str):
        raise ValueError(f"{shown(value)} has no name; expected one in the table, for instance name = 'alp-gmm'")
    try:
        text = str(NamedSettings(name, settings))
    except TypeError as error:  # a date or a time
        raise ValueError(
            f"{shown(value)} holds what is neither text, number, true, false nor a list or table"
        ) from error
    if NamedSettings.parse(text) != NamedSettings(name, settings):
        raise ValueError(f"{shown(value)} would be read as something else; write the whole as one text")
    return text


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(entry) for entry in value)}]"
    if isinstance(value, str | Path):
        # JSON's escapes are TOML's too; beyond those TOML wants DEL escaped.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
