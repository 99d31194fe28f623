"""A name with settings, as it is typed: ``alp-gmm,fit_every=100,criterion=bic``."""

import ast
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from teachgym.base.annotations import shown
from teachgym.base.settings import checked_dataclass

LONGEST_NAME = 120
"""Letters of a folder's name. Few file systems take less than 143, and a cell's has a seed behind it."""
_DIGITS = 12
"""Of the hash in a name that was too long."""


@checked_dataclass
class NamedSettings:
    """What to make: an environment, a teacher or a student, with the settings that differ from their defaults."""

    name: str
    """A registered name, or ``package.module:Class``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Plain values by name."""

    @classmethod
    def parse(cls, text: str) -> "NamedSettings":
        """Read ``name,setting=value,...``. Values are JSON, or literals of Python, where they can be; else text.

        Raises:
            ValueError: If a part after the first is not ``setting=value``, or is a setting again, or there is no name.
            TypeError: If it is not text.
        """
        if not isinstance(text, str):
            raise TypeError(f"{shown(text)} is not text; expected name or name,setting=value,...")
        name, *parts = (part.strip() for part in _split(text))
        if not name or "=" in name:
            raise ValueError(f"{text!r} has no name; expected name or name,setting=value,...")
        settings = {}
        for part in parts:
            key, sign, value = part.partition("=")
            if not sign or not key.isidentifier():
                raise ValueError(f"{part!r} in {text!r} is not a setting; expected setting=value")
            if key in settings:
                raise ValueError(f"{text!r} gives {key} twice; expected each setting once")
            settings[key] = _read(value)
        return cls(name, settings)

    def __str__(self) -> str:
        return ",".join([self.name, *(f"{key}={_compact(value)}" for key, value in self.settings.items())])

    @property
    def folder_name(self) -> str:
        """The text with every character replaced that a file system might not take; short enough for a file's name."""
        return bounded_name(re.sub(r"[^A-Za-z0-9._=+-]+", "_", str(self)), str(self))


def bounded_name(name: str, whole: str | None = None) -> str:
    """A name that is short enough for a folder, and still tells apart what the long one does.

    Args:
        name: Of any length; one of at most 120 letters stays as it is.
        whole: What it stands for; None for the name itself.
    """
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256((name if whole is None else whole).encode()).hexdigest()[:_DIGITS]
    return f"{name[: LONGEST_NAME - _DIGITS - 1]}-{digest}"


def _split(text: str) -> list[str]:
    """Split at commas that are outside brackets and quotes."""
    parts, begin, depth, quoted, escaped = [], 0, 0, False, False
    for place, letter in enumerate(f"{text},"):
        if letter == '"' and not escaped:
            quoted = not quoted
        escaped = quoted and letter == "\\" and not escaped
        depth += 0 if quoted else (letter in "[{") - (letter in "]}")
        if (letter == "," and depth == 0 and not quoted) or place == len(text):
            parts.append(text[begin:place])
            begin = place + 1
    return [part for part in parts if part.strip()] or [""]


def _read(text: str) -> Any:
    """The value of a text: JSON, as in files; True, False, None and lists as Python writes them; or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if text in ("True", "False", "None") or text[:1] in ("[", "{"):
        try:
            return json.loads(json.dumps(ast.literal_eval(text)))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
    return text


def _compact(value: Any) -> str:
    """The text that ``_read`` reads as this value; a text is quoted where it would be read as something else."""
    is_plain = isinstance(value, str) and _read(value) == value.strip() == value and _split(f"{value},") == [value]
    return value if is_plain else json.dumps(value, separators=(",", ":"))
