"""Replies in files, so that a run can be played again without a language model, bit for bit."""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from teachgym.base.files import replacing
from teachgym.language_model.errors import EndpointError, LanguageModelError, RejectedRequestError, SpendingLimitError
from teachgym.language_model.request import Reply

_FAILURES: dict[str, type[LanguageModelError]] = {
    "EndpointError": EndpointError,
    "RejectedRequestError": RejectedRequestError,
    "SpendingLimitError": SpendingLimitError,
}


@dataclass(frozen=True)
class Stored:
    """What came of a request: a reply, or, for offline runs to fail as the first one did, a failure."""

    input_tokens: int
    """Charged for it, attempts that came to nothing included."""
    output_tokens: int
    outcome: Reply | LanguageModelError


class ReplyCache:
    """A folder with one JSON file for each request, named by the request's key.

    A reply that is there stays: whoever comes second, from another process too, goes on with the first one's. A
    damaged file counts as absent, and is replaced.

    Args:
        folder: Made when it is first written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """The file of a request."""
        return self.folder / key[:2] / f"{key}.json"

    def find(self, key: str) -> Stored | None:
        """What is stored of a request, if it is, and whole."""
        try:
            entry = json.loads(self.path(key).read_bytes())
            if entry["check"] != _check(key, entry["outcome"]):
                return None
            return _stored(entry["outcome"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def check_room(self, key: str) -> None:
        """Raise ``ValueError`` unless what comes of a request can be stored, before anybody pays for it."""
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise ValueError(f"replies can't be stored in {self.folder}: {error}; choose another cache") from error
        if path.is_dir():
            raise ValueError(f"{path} is a folder, where a reply is to be stored; remove it, or choose another cache")

    def put(self, key: str, request: dict[str, Any], stored: Stored) -> Stored:
        """Store what came of a request.

        Args:
            key: Its key.
            request: The request as plain values, for whoever reads the file.
            stored: What came of it.

        Returns:
            The same; or, if a reply is there already, that one.
        """
        outcome = _outcome(stored)
        entry = {"check": _check(key, outcome), "outcome": outcome, "request": request}
        path = self.path(key)
        fresh = path.with_name(f".{key}.{os.getpid()}.{os.urandom(8).hex()}.new")
        with replacing(fresh) as file:
            file.write(json.dumps(entry, indent=1).encode())
        try:
            os.link(fresh, path)  # fails where a file is, in one stroke
        except OSError:
            found = self.find(key)
            if found is not None and isinstance(found.outcome, Reply):
                return found
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        return stored


def _check(key: str, outcome: Any) -> str:
    return hashlib.sha256(f"{key} {json.dumps(outcome, sort_keys=True)}".encode()).hexdigest()


def _outcome(stored: Stored) -> dict[str, Any]:
    entry: dict[str, Any] = {"input_tokens": stored.input_tokens, "output_tokens": stored.output_tokens}
    came = stored.outcome
    if isinstance(came, Reply):
        entry["reply"] = asdict(came)
    else:
        entry["failure"] = {"kind": type(came).__name__, "message": str(came), "hopeless": came.hopeless}
    return entry


def _stored(entry: dict[str, Any]) -> Stored:
    outcome: Reply | LanguageModelError
    if "reply" in entry:
        outcome = Reply(**entry["reply"])
    else:
        told = entry["failure"]
        outcome = _FAILURES[told["kind"]](told["message"], hopeless=told["hopeless"])
    return Stored(entry["input_tokens"], entry["output_tokens"], outcome)
