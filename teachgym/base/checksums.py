"""Checksums (SHA-256): a JSON file that carries its own, and a manifest of those of a folder's files."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from teachgym.base.files import json_text, opened, read_json, write_json

MANIFEST = "manifest.json"
_OWN = "checksum"
_FILES = "sha256"


def write_checked(path: Path, entries: Mapping[str, Any]) -> None:
    """Write a JSON object with a checksum of its entries, atomically.

    Raises:
        OSError: If it can't be written.
    """
    plain = json.loads(json_text(entries))  # as it will be read: keys are text, and numbers finite
    write_json(path, {**plain, _OWN: _of_entries(plain)})


def read_checked(path: Path) -> dict[str, Any]:
    """Read what ``write_checked`` wrote.

    Raises:
        ValueError: If the file is damaged or foreign; the message names it.
    """
    entries = read_json(path)
    if not isinstance(entries, dict) or _OWN not in entries:
        raise ValueError(f"{path} has no {_OWN!r}: it was written by another version or program")
    own = entries.pop(_OWN)
    if own != _of_entries(entries):
        raise ValueError(f"{path} is not as it was written: its entries do not match its {_OWN!r}")
    return entries


def write_manifest(folder: Path, names: Iterable[str]) -> None:
    """Write the checksums of a folder's files as they are now; what they make up is whole from then on.

    Args:
        folder: Gets the file ``manifest.json``.
        names: Paths within the folder, parts separated by ``/``.

    Raises:
        OSError: If a file can't be read, or the manifest can't be written.
    """
    write_checked(folder / MANIFEST, {_FILES: {name: _of_file(folder / name) for name in sorted(names)}})


def check_manifest(folder: Path, needed: Iterable[str] = ()) -> None:
    """Verify that all files in a folder's manifest are as they were written.

    Args:
        folder: Has a manifest.
        needed: Files that the manifest must list.

    Raises:
        OSError: If a file can't be read.
        ValueError: If a file is missing, unlisted or not as it was written; the message names the file.
    """
    files = _listed(folder)
    for name in dict.fromkeys((*needed, *files)):
        _check(folder, name, files)


def check_file(folder: Path, name: str) -> None:
    """Verify one file of a manifest, as ``check_manifest`` does all."""
    _check(folder, name, _listed(folder))


def _listed(folder: Path) -> dict[str, Any]:
    files = read_checked(folder / MANIFEST).get(_FILES)
    if not isinstance(files, dict) or not all(map(_is_within, files)):
        raise ValueError(f"{folder / MANIFEST} is not a manifest of this version")
    return files


def _check(folder: Path, name: str, files: Mapping[str, Any]) -> None:
    path = folder / name
    if name not in files:
        raise ValueError(f"{path} is not in {MANIFEST} beside it: it was not written with the others")
    if not path.is_file():
        raise ValueError(f"{path} is missing; {MANIFEST} lists it")
    if _of_file(path) != files[name]:
        raise ValueError(f"{path} is not as it was written: its checksum is not the one in {MANIFEST}")


def _is_within(name: str) -> bool:
    """Whether a path leads to a place within the folder that it starts from."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _of_file(path: Path) -> str:
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_entries(entries: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
