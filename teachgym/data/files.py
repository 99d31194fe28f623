"""Examples in files: one JSON object a line, images inside as PNG."""

import base64
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from teachgym.base.annotations import shown
from teachgym.base.files import replacing
from teachgym.data.example import Example

_FIELDS = {"prompt", "target", "path", "facts", "image"}


def read_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON objects of a file, one a line, each with its place as ``"file, line 7"``, for errors; blank lines skip.

    Raises:
        ValueError: If the file can't be read, or a line is no JSON object; the message names file and line.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as file:  # other ends of lines may stand inside of strings
            for number, line in enumerate(file, 1):
                if line.strip():
                    place = f"{path}, line {number}"
                    yield place, _json_object(place, line)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} can't be read as text ({error})") from error


def _json_object(place: str, line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: no JSON ({error}); the file may be damaged or cut off") from error
    if not isinstance(entry, dict):
        raise ValueError(f"{place}: {shown(entry)} is no JSON object")
    return entry


def write_lines(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Write JSON objects, one a line, atomically."""
    with replacing(path) as file:
        for entry in entries:
            file.write(json.dumps(entry, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def read_examples(path: Path) -> list[Example]:
    """Read examples, each a line with ``prompt`` and ``target``, and what else ``example_entry`` writes of it.

    Raises:
        ValueError: If the file can't be read, a line is no example, or two are the same; names file and line.
    """
    examples: list[Example] = []
    places: dict[str, str] = {}
    for place, entry in read_lines(path):
        try:
            example = example_of(entry)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
        if example.key in places:
            raise ValueError(f"{place}: the same prompt as {places[example.key]}; every example may stand there once")
        places[example.key] = place
        examples.append(example)
    return examples


def example_entry(example: Example) -> dict[str, Any]:
    """An example as plain values."""
    entry: dict[str, Any] = {"prompt": example.prompt, "target": example.target}
    if example.path:
        entry["path"] = list(example.path)
    if example.facts:
        entry["facts"] = dict(example.facts)
    if example.image is not None:
        written = io.BytesIO()
        Image.fromarray(example.image).save(written, "PNG")
        entry["image"] = base64.b64encode(written.getvalue()).decode()
    return entry


def example_of(entry: dict[str, Any]) -> Example:
    """The example that plain values describe.

    Raises:
        ValueError: If they describe none; the message says what is wrong.
    """
    unknown = set(entry) - _FIELDS
    if unknown:
        raise ValueError(f"unknown fields {sorted(unknown)}; expected {', '.join(sorted(_FIELDS))}")
    prompt, target, path = entry.get("prompt"), entry.get("target"), entry.get("path", [])
    facts, image = entry.get("facts", {}), entry.get("image")
    if not isinstance(prompt, str) or not isinstance(target, str):
        raise ValueError(f"prompt is {prompt!r} and target is {target!r}; expected two strings")
    if not (isinstance(path, list) and all(isinstance(name, str) for name in path)):
        raise ValueError(f"path is {path!r}; expected a list of names: a skill, and its parts downwards")
    if not isinstance(facts, dict):
        raise ValueError(f"facts is {facts!r}; expected an object")
    pixels = None
    if image is not None:
        try:
            with Image.open(io.BytesIO(base64.b64decode(image, validate=True))) as opened:
                pixels = np.array(opened.convert("RGB"))
        except (TypeError, ValueError, UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise ValueError(f"the image is no PNG in base64 ({error})") from error
    return Example(prompt, target, tuple(path), pixels, facts)
