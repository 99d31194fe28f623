"""Write files so that a reader finds the old content or the new, never a part; read them without pickle."""

import json
import math
import os
import re
import secrets
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

_SKELETON = "__json__"
_ZIP = b"PK\x03\x04"


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
    text = json.dumps(_without_nan(value), indent=2, allow_nan=False) + "\n"
    with replacing(path) as file:
        file.write(text.encode())


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: If the file is not JSON; the message names it.
    """
    try:
        return json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a JSON file ({error}); it may be damaged") from error


def clear_leftovers(folder: Path) -> None:
    """Delete what processes that were killed in ``replacing`` have left in a folder that nobody else writes to now."""
    for path in folder.rglob(".*"):
        if re.fullmatch(r"\..+\.[0-9a-f]{16}", path.name):
            path.unlink(missing_ok=True)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], *, compressed: bool = True) -> None:
    """Write named arrays as one ``.npz`` file, atomically. Each carries a checksum (CRC-32).

    Raises:
        TypeError: If an array holds Python objects.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"array {name!r} has dtype {array.dtype}; only plain dtypes are stored")
    with replacing(path) as file:
        save = np.savez_compressed if compressed else np.savez
        save(file, **cast(Any, dict(arrays)))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an ``.npz`` file of plain arrays, and verify their checksums.

    Raises:
        ValueError: If the file is not one, is damaged, or holds pickled objects; the message names it.
    """
    try:
        with path.open("rb") as file:  # np.load leaves a damaged file open if it opens it itself
            if file.read(len(_ZIP)) != _ZIP:
                raise ValueError("it is empty, or no .npz file")
            file.seek(0)
            stored = np.load(file, allow_pickle=False)
            if not isinstance(stored, np.lib.npyio.NpzFile):
                raise ValueError("it holds one array without a name")
            with stored:
                return {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError, RuntimeError, BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not a file of plain arrays ({error}); it may be damaged") from error


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
        state = _put_arrays_back(json.loads(str(arrays.pop(_SKELETON))), arrays)
    except (KeyError, ValueError) as error:
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
