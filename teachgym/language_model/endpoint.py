"""One attempt at one request, over HTTP, through the ``openai`` package; its own retries are off."""

import importlib
import ipaddress
import json
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from teachgym.language_model.deadline import Deadline
from teachgym.language_model.errors import AttemptError, LanguageModelError, RejectedRequestError
from teachgym.language_model.replies import read_body, read_stream
from teachgym.language_model.request import Reply, Request, message_entry
from teachgym.language_model.settings import ModelSettings

_BUSY = (408, 409, 425, 429)
_CONNECT_SECONDS = 10.0
_NEVER_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")
_UNKNOWN = re.compile(r"support|unknown|unrecogni[sz]ed|not (permitted|allowed)|extra|unexpected|unavailable", re.I)
_MOST_WORDS = 300
_MOST_BYTES, _MOST_BYTES_A_TOKEN = 2**20, 2**10
"""A reply has no more bytes than this, and this for each of its tokens; streams wrap every token in JSON."""
_MOST_ERROR_BYTES = 2**16
_HEADERS = frozenset(("accept", "content-length", "content-type", "host", "transfer-encoding", "user-agent"))
"""Headers that are sent as the package sets them, beside those of its own, ``x-stainless-...``."""
_SECRET = 16
"""Letters from which a key is a secret, and not a word such as EMPTY that local servers are given for one."""


class Dialect:
    """What an endpoint turned out not to understand, of what not all do; kept from call to call."""

    def __init__(self) -> None:
        self.dropped: set[str] = set()

    def adapt(self, body: dict[str, Any], words: str) -> bool:
        """Whether the endpoint's complaint is about a part of the request that it can do without, from now on."""
        if "max_tokens" in body and "max_completion_tokens" in words and re.search("instead|unsupported", words, re.I):
            self.dropped.add("max_tokens")  # the same limit goes by the newer name then
            return True
        if "response_format" in body and re.search("response_format|json_schema|guided|structured", words):
            self.dropped.add("response_format")
            return True
        for name in ("seed", "stream_options", "temperature"):
            if name in body and name in words and _UNKNOWN.search(words):
                self.dropped.add(name)
                return True
        return False


class _NoReplyError(Exception):
    """A response with anything but a reply in it; raised before the package reads it, which knows no bounds."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status, self.headers, self.body = status, headers, body


class Endpoint:
    """A client of an OpenAI-compatible endpoint, open as long as the ``with`` block.

    Replies are bounded in time and size. Neither redirects nor compressed replies are taken: the first could lead the
    conversation elsewhere, and the second grow without bounds.

    Args:
        settings: Which endpoint and model.
        dialect: What is known of it.

    Raises:
        ImportError: If the ``openai`` package is not there.
        RejectedRequestError: If the key can't be one, or would be sent in plain text to another machine.
    """

    def __init__(self, settings: ModelSettings, dialect: Dialect) -> None:
        try:
            self._openai = importlib.import_module("openai")
        except ImportError as error:
            raise ImportError("language models need the openai package: pip install 'teachgym[llm]'") from error
        self.settings, self.dialect = settings, dialect
        self._key = os.environ.get(settings.api_key_env, "").strip() if settings.api_key_env else ""
        if not re.fullmatch(r"[!-~]*", self._key):
            raise RejectedRequestError(
                f"the environment variable {settings.api_key_env} holds spaces or other letters that no key has; set "
                "it to the key alone",
                hopeless=True,
            )
        loopback = _is_loopback(settings.base_url)
        if self._key and not loopback and urlsplit(settings.base_url).scheme != "https":
            raise RejectedRequestError(
                f"the key in {settings.api_key_env} would be sent in plain text to {settings.base_url}; use https, an "
                "address of this machine, or api_key_env='' to send no key",
                hopeless=True,
            )
        seconds = settings.timeout_seconds
        self._current = threading.local()
        self._client = self._openai.OpenAI(
            api_key=self._key or "none",
            base_url=settings.base_url,
            max_retries=0,
            timeout=self._openai.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS)),
            http_client=self._openai.DefaultHttpxClient(
                event_hooks={"request": [self._prepare], "response": [self._refuse_unread]},
                follow_redirects=False,
                trust_env=not loopback,  # no proxy between this machine and itself
            ),
        )
        self._transport_errors = _transport_errors(self._openai)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, request: Request) -> Reply:
        """Send a request once.

        Raises:
            AttemptError: If it came to nothing, and may not next time.
            RejectedRequestError: If it would not next time either.
        """
        outcome = self._try(request)
        if isinstance(outcome, Reply):
            if len(self._key) >= _SECRET and self._key in outcome.text + outcome.refusal:
                return replace(
                    outcome, text=redacted(outcome.text, self._key), refusal=redacted(outcome.refusal, self._key)
                )
            return outcome
        raise outcome  # outside of any except block, so that no request with a key in its header hangs on to it

    def _try(self, request: Request) -> Reply | AttemptError | LanguageModelError:
        with Deadline(self.settings.timeout_seconds) as deadline:
            self._current.deadline = deadline
            outcome = self._exchange(self._body(request))
        if deadline.passed and isinstance(outcome, AttemptError) and outcome.billed:
            return AttemptError(self._late(), billed=True)
        return outcome

    def _exchange(self, body: dict[str, Any]) -> Reply | AttemptError | LanguageModelError:
        try:
            with self._client.chat.completions.with_streaming_response.create(**body) as response:
                parts = self._bounded(response.iter_bytes())
                if "event-stream" in response.headers.get("content-type", ""):
                    return read_stream(parts, self._clean)
                return read_body(b"".join(parts), self._clean)
        except AttemptError as failed:
            return failed
        except _NoReplyError as answer:
            return self._refused(answer, body)
        except (self._openai.APIConnectionError, *self._transport_errors) as error:
            cause = error.__cause__ or error
            if isinstance(cause, _NoReplyError):  # some versions of the package wrap whatever is raised
                return self._refused(cause, body)
            sent = type(cause).__name__ not in _NEVER_SENT
            if "Timeout" in type(cause).__name__:
                return AttemptError(self._late(), billed=sent, unreachable=not sent)
            what = "the connection broke" if sent else "there is no connection"
            return AttemptError(f"{what} ({self._clean(str(cause))})", billed=sent, unreachable=not sent)

    def _body(self, request: Request) -> dict[str, Any]:
        settings, dropped = self.settings, self.dialect.dropped
        body: dict[str, Any] = {
            "model": settings.model,
            "messages": [message_entry(message) for message in request.messages],
            "max_tokens": settings.max_tokens,
            "seed": request.seed(settings),
        }
        if settings.temperature is not None:
            body["temperature"] = settings.temperature
        if request.schema is not None:
            schema = {"name": "answer", "schema": request.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if settings.stream:
            body["stream_options"] = {"include_usage": True}
        if "max_tokens" in dropped:
            body["max_completion_tokens"] = settings.max_tokens
        body = {name: value for name, value in body.items() if name not in dropped}
        return {**body, "stream": True} if settings.stream else body

    def _prepare(self, request: Any) -> None:
        """Have the request's deadline told of its connection, and send what is meant for the endpoint alone.

        The package adds what other variables of the environment hold: organization, project and headers of any name.
        """
        request.extensions["trace"] = self._current.deadline.trace
        for name in list(request.headers):
            if name not in _HEADERS and not name.startswith("x-stainless-"):
                del request.headers[name]
        request.headers["authorization"] = f"Bearer {self._key or 'none'}"
        request.headers["accept-encoding"] = "identity"
        request.headers["connection"] = "close"  # the deadline can shut down a connection that it saw made

    def _refuse_unread(self, response: Any) -> None:
        """Keep the package from what it would read without bounds: whatever is no reply, and what is compressed."""
        if not response.is_success or _encoding(response.headers):
            body = b""
            with suppress(*self._transport_errors):  # the status says enough
                for part in response.iter_raw():
                    body += part
                    if len(body) > _MOST_ERROR_BYTES:
                        break
            raise _NoReplyError(response.status_code, dict(response.headers), body[:_MOST_ERROR_BYTES])

    def _bounded(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Pass parts of a reply on, as long as it is not longer than any reply."""
        most = _MOST_BYTES + _MOST_BYTES_A_TOKEN * self.settings.max_tokens
        for part in parts:
            most -= len(part)
            if most < 0:
                raise AttemptError("the reply is far longer than max_tokens allows", billed=True)
            yield part

    def _refused(self, answer: _NoReplyError, body: dict[str, Any]) -> AttemptError | RejectedRequestError:
        settings, status = self.settings, answer.status
        if encoding := _encoding(answer.headers):
            what = f"the reply is compressed ({self._clean(encoding)}), which it was asked not to be"
            return AttemptError(what, billed=status < 300)
        said = _said(answer.body)
        words = self._clean(_words(said))
        told = f"{status}: {words}"
        if status in _BUSY or status >= 500:
            if "insufficient_quota" in _kinds(said):
                return RejectedRequestError(
                    f"the account at {settings.base_url} has no credit left ({told}); add some, or choose another "
                    "endpoint",
                    hopeless=True,
                )
            return AttemptError(f"the endpoint is busy or broken ({told})", wait=retry_after(answer.headers))
        if status in (400, 422) and self.dialect.adapt(body, words):
            return AttemptError(f"the endpoint does not know all of the request ({told})", adapted=True)
        if status in (401, 403):
            name = settings.api_key_env or "that api_key_env names"
            fix = f"set the environment variable {name}{', which is empty now,' * (not self._key)} to one that may"
            return RejectedRequestError(
                f"{settings.base_url} does not let model {settings.model!r} be asked with this key ({told}); {fix}",
                hopeless=True,
            )
        if status == 404:
            return RejectedRequestError(
                f"{settings.base_url} has no model {settings.model!r}, or is no endpoint of this kind ({told}); check "
                "model and base_url, which ends in the version, mostly /v1",
                hopeless=True,
            )
        return RejectedRequestError(
            f"{settings.base_url} takes no such request to model {settings.model!r} ({told}); check temperature, "
            "max_tokens, and whether the model's context is long enough and it takes images, if there are any"
        )

    def _late(self) -> str:
        return f"no whole reply within {self.settings.timeout_seconds:g} s"

    def _clean(self, words: str) -> str:
        """An endpoint's words, fit to be shown and kept: without the key, should they repeat it."""
        return redacted(words, self._key)[:_MOST_WORDS]


def _is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _encoding(headers: Mapping[str, str]) -> str:
    """How a body is compressed; empty where it isn't."""
    found = headers.get("content-encoding", "").strip().lower()
    return "" if found == "identity" else found


def _said(body: bytes) -> Any:
    """What an answer holds: JSON, or else text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _words(said: Any) -> str:
    """What the endpoint says is wrong, wherever in its answer it says so."""
    for name in ("error", "message", "detail"):
        if isinstance(said, dict) and name in said:
            said = said[name]
    return str(said or "it says nothing")


def _kinds(said: Any) -> tuple[str, str]:
    """The code and the type of an error, where the endpoint gives them."""
    found = said.get("error", said) if isinstance(said, dict) else None
    return (str(found.get("code")), str(found.get("type"))) if isinstance(found, dict) else ("", "")


def redacted(words: str, key: str) -> str:
    """Text without a key, and in valid Unicode."""
    words = words.replace(key, "<key>") if key else words
    return words.encode("utf-8", "replace").decode()


def retry_after(headers: Any) -> float | None:
    """Seconds that a response asks to wait, by ``Retry-After`` in seconds or as a date, or ``retry-after-ms``."""
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            wait = float(value) * unit
        except ValueError:
            try:
                wait = parsedate_to_datetime(value).timestamp() - time.time()
            except ValueError:
                continue
        if wait == wait and wait != float("inf"):
            return max(wait, 0.0)
    return None


def _transport_errors(openai: Any) -> tuple[type[Exception], ...]:
    """What the HTTP library under the package raises in the middle of a reply; which one that is depends on its age."""
    bases = [base.__module__.partition(".")[0] for base in openai.DefaultHttpxClient.__mro__]
    library = next(name for name in bases if name.startswith("httpx"))
    return (importlib.import_module(library).HTTPError, importlib.import_module(library).StreamError)
