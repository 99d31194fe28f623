"""Write files so that a reader finds the old content or the new, never a part; read them without pickle."""

import json
import math
import os
import re
import secrets
import stat
import struct
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

_SKELETON = "__json__"
_ZIP = b"PK\x03\x04"
_MOST_COMPRESSED = 2**27
"""Bytes of arrays that one file compresses; more are stored as they are."""
_MOST_UNPACKED = 2**28
"""Bytes to which any file may unpack; to more only if the file itself is as large."""
_LONGEST_NAME = 255
"""Letters of an array's name."""
_DEEPEST = 100
"""Lists and dicts within each other."""
_PLAIN = "biufcSU"
"""Kinds of dtypes that are stored: truth values, numbers and text."""
_DAMAGE = (BadZipFile, zlib.error, struct.error)
_HEADER = re.compile(
    rb"\{'descr': '([<>|][biufcSU][0-9]{1,9})', 'fortran_order': (?:True|False), 'shape': \(([0-9, ]{0,999})\), \} *\n"
)
"""What NumPy writes before an array of a plain dtype, after ten bytes that tell its length."""


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``path`` and move it there when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write plain values as JSON, atomically; numbers that are not finite as null, which JSON can express."""
    text = json_text(value)
    with replacing(path) as file:
        file.write(text.encode())


def json_text(value: Any) -> str:
    """What ``write_json`` writes."""
    return json.dumps(_without_nan(value), indent=2, allow_nan=False) + "\n"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Open a file to read it, and nothing that only looks like one: a pipe would be waited for, for ever.

    Raises:
        OSError: If it can't be opened.
        ValueError: If it is not a regular file; the message names it.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{path} is not a regular file")
        yield file


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: If the file is not a regular one, is not JSON, holds a number that is not finite, or nests deeper
            than 100 levels; the message names it.
    """
    try:
        with opened(path) as file:
            value = json.loads(file.read().decode("utf-8"), parse_float=_finite, parse_constant=_finite)
        _check_depth(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a JSON file ({error}); it may be damaged") from error
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it holds {text}; expected finite numbers")
    return number


def _check_depth(value: Any) -> None:
    """Raise ``ValueError`` if lists and dicts nest too deeply for what goes through them afterwards."""
    level = [[value]]
    for _ in range(_DEEPEST + 1):
        inner = [entry for entries in level for entry in entries if isinstance(entry, dict | list)]
        if not inner:
            return
        level = [list(entry.values()) if isinstance(entry, dict) else entry for entry in inner]
    raise ValueError(f"it nests deeper than {_DEEPEST} levels")


def clear_leftovers(folder: Path) -> None:
    """Delete what processes that were killed in ``replacing`` have left in a folder that nobody else writes to now."""
    for path in folder.rglob(".*"):
        if re.fullmatch(r"\..+\.[0-9a-f]{16}", path.name):
            path.unlink(missing_ok=True)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], *, compressed: bool = True) -> None:
    """Write named arrays as one ``.npz`` file, atomically. Each carries a checksum (CRC-32).

    Args:
        path: The file.
        arrays: Of truth values, numbers or text.
        compressed: Whether to compress them; more than 128 MiB are stored as they are.

    Raises:
        TypeError: If an array holds anything else.
    """
    for name, array in arrays.items():
        if array.dtype.kind not in _PLAIN:
            raise TypeError(f"array {name!r} has dtype {array.dtype}; only plain dtypes are stored")
    small = sum(array.nbytes for array in arrays.values()) <= _MOST_COMPRESSED
    with replacing(path) as file:
        save = np.savez_compressed if compressed and small else np.savez
        save(file, **cast(Any, dict(arrays)))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an ``.npz`` file of plain arrays, and verify their checksums.

    Raises:
        ValueError: If the file is not one, is damaged, holds anything but plain arrays, or would unpack to more than
            256 MiB and more than its own size; the message names it.
    """
    try:
        with opened(path) as file:
            if file.read(len(_ZIP)) != _ZIP:
                raise ValueError("it is empty, or not a .npz file")
            size = os.fstat(file.fileno()).st_size
            with ZipFile(file) as archive:
                entries = archive.infolist()
                unpacked = sum(entry.file_size for entry in entries)
                if unpacked > max(_MOST_UNPACKED, size):
                    raise ValueError(f"its {size:,} bytes unpack to {unpacked:,}, more than any file of this kind")
                return {entry.filename.removesuffix(".npy"): _read_array(archive, entry) for entry in entries}
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError, RuntimeError, OverflowError, TypeError, *_DAMAGE) as error:
        raise ValueError(f"{path} is not a file of plain arrays ({error}); it may be damaged") from error


def _read_array(archive: ZipFile, entry: ZipInfo) -> NDArray[Any]:
    """One array, once its header has been found to be plain and to fit what follows."""
    name = entry.filename[:_LONGEST_NAME]
    if len(entry.filename) > _LONGEST_NAME or entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"an array is named {name!r}, or packed, as none is that was written here")
    with archive.open(entry) as member:
        start = member.read(10)
        header = _HEADER.fullmatch(member.read(int.from_bytes(start[8:], "little")))
        if start[:8] != b"\x93NUMPY\x01\x00" or header is None:
            raise ValueError(f"{name!r} is not an array of truth values, numbers or text")
        item = np.dtype(header[1].decode()).itemsize
        shape = [int(length) for length in header[2].replace(b" ", b"").split(b",") if length]
        if item == 0 or math.prod(shape) * item != entry.file_size - member.tell():
            raise ValueError(f"the shape of {name!r} does not fit its size")
    with archive.open(entry) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    if array.dtype.kind == "U" and np.any(array.reshape(-1).view(array.dtype.str[0] + "u4") > sys.maxunicode):
        raise ValueError(f"{name!r} holds text beyond Unicode")
    return array


def write_state(path: Path, state: Mapping[str, Any], *, compressed: bool = True) -> None:
    """Write a ``state_dict`` (arrays and plain values, nested in dicts and lists) as one file, atomically.

    Raises:
        TypeError: If the state holds anything else, or a dict with keys that are not strings.
    """
    arrays: dict[str, NDArray[Any]] = {}
    skeleton = json.dumps(_take_arrays_out(state, arrays))
    write_arrays(path, {_SKELETON: np.array(skeleton), **arrays}, compressed=compressed)


def read_state(path: Path) -> dict[str, Any]:
    """Read what ``write_state`` wrote.

    Raises:
        ValueError: If the file was not written by it; the message names it.
    """
    arrays = read_arrays(path)
    if _SKELETON not in arrays:
        raise ValueError(f"{path} holds arrays, but no state")
    try:
        skeleton = json.loads(str(arrays.pop(_SKELETON)))
        _check_depth(skeleton)
        state = _put_arrays_back(skeleton, arrays)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no whole state ({error!r}); it may be damaged") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds a {type(state).__name__}; expected a state dict")
    return state


def _take_arrays_out(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        key = f"array_{len(arrays)}"
        arrays[key] = value
        return {"__array__": key}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"state keys are {list(value)}; expected strings")
        return {key: _take_arrays_out(entry, arrays) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_take_arrays_out(entry, arrays) for entry in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"state holds a {type(value).__name__}; expected arrays and plain values")


def _put_arrays_back(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__array__"}:
            return arrays[value["__array__"]]
        return {key: _put_arrays_back(entry, arrays) for key, entry in value.items()}
    if isinstance(value, list):
        return [_put_arrays_back(entry, arrays) for entry in value]
    return value
