"""Replies as endpoints send them, whole or as a stream of pieces, read without trust in their form."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from teachgym.language_model.errors import AttemptError
from teachgym.language_model.request import Reply

Clean = Callable[[str], str]


def read_body(body: bytes, clean: Clean) -> Reply:
    """Read a whole reply.

    Args:
        body: JSON of a chat completion.
        clean: Makes words of the endpoint fit to be shown.

    Raises:
        AttemptError: If it is damaged or cut off, or something else.
    """
    found = _object(body)
    _check_error(found, clean)
    try:
        choice = found["choices"][0]
        message = choice["message"]
        text, refusal = _text(message.get("content")), _text(message.get("refusal"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise _damaged("it is no chat completion") from error
    return _reply(text, refusal, choice.get("finish_reason"), found.get("usage"))


def read_stream(parts: Iterable[bytes], clean: Clean) -> Reply:
    """Read a reply in pieces, sent as server-sent events.

    Args:
        parts: The bytes as they come, cut anywhere.
        clean: Makes words of the endpoint fit to be shown.

    Raises:
        AttemptError: If a piece is damaged, or the stream ends before the reply does.
    """
    texts: list[str] = []
    refusals: list[str] = []
    finish: Any = None
    usage: Any = None
    for line in _lines(parts):
        if not line.startswith(b"data:"):
            continue
        data = line.removeprefix(b"data:").strip()
        if data == b"[DONE]":
            break
        piece = _object(data)
        _check_error(piece, clean)
        usage = piece.get("usage") or usage
        try:
            for choice in piece.get("choices") or ():
                delta = choice.get("delta") or {}
                texts.append(_text(delta.get("content")))
                refusals.append(_text(delta.get("refusal")))
                finish = choice.get("finish_reason") or finish
        except (TypeError, AttributeError) as error:
            raise _damaged("a piece of it is no part of a chat completion") from error
    if finish is None:
        raise _damaged("the stream ended before it did")
    return _reply("".join(texts), "".join(refusals), finish, usage)


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of a stream; text within may hold what else counts as the end of a line."""
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        yield from whole
    yield rest


def _reply(text: str, refusal: str, finish: Any, usage: Any) -> Reply:
    if finish == "content_filter" and not refusal:
        refusal = "the endpoint's filter stopped it"
    told = usage if isinstance(usage, dict) else {}
    return Reply(
        text, _count(told.get("prompt_tokens")), _count(told.get("completion_tokens")), refusal, finish == "length"
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: Any) -> str:
    """Text, or nothing; some endpoints send a list of parts."""
    if isinstance(value, list):
        value = "".join(part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _damaged("it is no JSON, or was cut off") from error
    if not isinstance(found, dict):
        raise _damaged("it is no JSON object")
    return found


def _check_error(found: dict[str, Any], clean: Clean) -> None:
    """Some endpoints send an error as if all were well."""
    error = found.get("error")
    if error and not found.get("choices"):
        message = error.get("message") if isinstance(error, dict) else error
        raise AttemptError(f"the endpoint reports an error ({clean(str(message))})", billed=True)


def _damaged(what: str) -> AttemptError:
    return AttemptError(f"the reply is damaged: {what}", billed=True)
