"""What a study from a file would do beyond teachgym's own code, and the refusal to do it unless the file is trusted.

The settings in a file choose what is imported, which endpoints are asked, and with which key. Whoever takes settings
from a file that may be somebody else's lists this first. The list errs on the side of asking: a text that could be the
path of a module or file counts as one, whatever the setting means.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium

from teachgym.agents import TEACHERS
from teachgym.base.named_settings import NamedSettings
from teachgym.base.registry import load_path
from teachgym.envs.data.discovery.discoveries import DISCOVERIES
from teachgym.envs.data.engines.engines import DATA_ENGINES
from teachgym.language_model import ModelSettings
from teachgym.study import study_file
from teachgym.study.settings import Cell, StudySettings

_URL = re.compile(r"https?://", re.IGNORECASE)
_OWN = re.compile(r"teachgym(\.\w+)*:[^:]+")
_LONGEST, _MOST = 150, 8
"""Letters of one thing that a file would do, and things, that are told."""
_ASKING = (TEACHERS, DATA_ENGINES, DISCOVERIES)
"""Tables that have users of language models in them."""


def check_cell(folder: Path, cell: Cell, *, trust: bool, teacher: bool = True) -> None:
    """Refuse a stored cell that would do anything beyond teachgym's own code. Nothing that it names is imported.

    Args:
        folder: Where the cell is from, for the message.
        cell: Its settings.
        trust: Whether the user has said that it may.
        teacher: Whether the teacher is going to be made, too.

    Raises:
        ValueError: If it is not trusted; lists what it would do.
    """
    names = (cell.env, cell.subject, cell.student, cell.teacher if teacher else None)
    _refuse(folder, [] if trust else _demands(name for name in names if name is not None))


def check_study(path: Path, settings: StudySettings, *, trust: bool) -> None:
    """Refuse the file of a study that would do anything beyond teachgym's own code.

    Args:
        path: The file.
        settings: What is going to be run: options may have replaced settings of the file, and need no trust.
        trust: Whether the user has said that it may.

    Raises:
        ValueError: If it is not trusted; lists what it would do.
    """
    if trust:
        return
    given = {name: value for name, value in study_file.read_study_file(path).items() if name != "teachers"}
    kept = {name: value for name, value in given.items() if getattr(settings, name) == value}
    teachers = set(study_file.read_study_file(path).get("teachers", ())).intersection(settings.teachers)
    found = _demands([*(kept[name] for name in ("env", "subject", "student") if name in kept), *sorted(teachers)])
    if kept.get("ray_address") not in (None, "auto", "local"):
        found.append(f"hand the study to the Ray cluster at {kept['ray_address']}")
    if "wandb" in kept.get("trackers", ()):
        found += ["send metrics to Weights & Biases", "read the environment variable WANDB_API_KEY"]
    if "runs" in kept and _is_outside(kept["runs"]) and settings.folder.resolve() != path.parent.resolve():
        found.append(f"write to {settings.folder}")
    _refuse(path, found)


def check_links(folder: Path) -> None:
    """Refuse a folder that is going to be written to, and has a symbolic link in it that leads out of it.

    Raises:
        ValueError: If there is one; names it.
    """
    home = os.path.realpath(folder)
    for place, folders, files in os.walk(folder):
        for path in (Path(place, name) for name in (*folders, *files)):
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(home):
                raise ValueError(
                    f"{path} is a link to {os.path.realpath(path)}, so that writing to {folder} would change files "
                    "elsewhere; remove the link, or choose another folder"
                )


def _refuse(source: Path, found: Sequence[str]) -> None:
    if found:
        told = [one if len(one) <= _LONGEST else f"{one[:_LONGEST]}..." for one in dict.fromkeys(found)]
        more = f"; and {len(told) - _MOST} things more" if len(told) > _MOST else ""
        raise ValueError(
            f"{source} may be somebody else's, and would {'; '.join(told[:_MOST])}{more}; if you trust whoever made "
            "it, give --trust (trust=True in Python)"
        )


def _demands(names: Iterable[str]) -> list[str]:
    """What making environments, subjects, students and teachers of these names would do, in words."""
    found: list[str] = []
    for name in names:
        named = NamedSettings.parse(name)
        found += [*_of_text("", named.name, named.settings), *_of_value("", named.settings)]
    return found


def _of_value(key: str, value: Any) -> Iterator[str]:
    """What a setting of this name and value would do."""
    if key == "allow_download" and value:
        yield "download from the Hugging Face hub"
    elif isinstance(value, str):
        yield from _of_text(key, value, {})
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            settings = value.get(f"{name}_settings")
            if isinstance(entry, str) and isinstance(settings, Mapping):
                yield from _of_text(name, entry, settings)
            else:
                yield from _of_value(name, entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _of_value(key, entry)


def _of_text(key: str, text: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """What a text would do, which may name something that has settings of its own."""
    if key.endswith("_env"):
        yield from [f"read the environment variable {text}"] * bool(text)
    elif _URL.match(text):
        yield f"call {text}"
    elif ":" in text and key != "device":
        yield from [f"import {text}"] * (_OWN.fullmatch(text) is None or "__main__" in text)
    elif _is_outside(text):
        yield f"use files at {text}"
    for spec in gymnasium.registry.values():
        if spec.namespace != "teachgym" and text in (spec.id, spec.id.removesuffix(f"-v{spec.version}")):
            yield f"import {spec.entry_point}, which {text} is registered for"
    entries = [(name, entry.path) for table in _ASKING for name, entry in table.items()]
    for path in (path for name, path in entries if _is_named(text, name, path)):
        kind = getattr(load_path("class", path), "Settings", None)
        if isinstance(kind, type) and issubclass(kind, ModelSettings):
            yield f"call {settings.get('base_url', ModelSettings.base_url)}"
            yield f"read the environment variable {settings.get('api_key_env', ModelSettings.api_key_env)}"


def _is_named(text: str, name: str, path: str) -> bool:
    """Whether a text means an entry of a table, by its name or by a path to its class, in whatever module of ours."""
    return text == name or (_OWN.fullmatch(text) is not None and text.partition(":")[2] == path.partition(":")[2])


def _is_outside(path: str | Path) -> bool:
    """Whether a path leads out of the current folder, by itself or by a link."""
    return "\0" not in str(path) and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath("."))
