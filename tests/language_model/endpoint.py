"""An OpenAI-compatible endpoint on this machine that answers by a function, and misbehaves on demand."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

import pytest

from teachgym.language_model import ModelSettings

KEY = "sk-a-secret-that-nobody-may-see"


@dataclass
class Says:
    """What the endpoint does with one request; by default, it replies."""

    text: str | None = "hello"
    status: int = 200
    error: str = "told off"
    headers: dict[str, str] = field(default_factory=dict)
    refusal: str | None = None
    finish: str | None = "stop"
    usage: tuple[int, int] | None = (10, 5)
    wait: float = 0.0
    """Seconds before it does anything."""
    raw: bytes | None = None
    """Sent in place of the reply."""
    cut: int | None = None
    """Bytes of the reply after which the connection is dropped; 0 sends not even a header."""
    drip: float = 0.0
    """Seconds between any two bytes, or pieces of a stream."""
    drips_headers: bool = False
    """Whether the headers drip, too."""
    stall: float = 0.0
    """Seconds of silence in the middle."""
    code: str | None = None
    streams: bool = True
    """Whether it streams where it is asked to."""


Behaviour = Callable[[dict[str, Any], int], Says | str]
"""What to do with a request, from its body and its number."""


class FakeEndpoint:
    """What the server was asked, and what it is to do."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.headers: list[dict[str, str]] = []
        self.sent = 0
        """Replies that were sent to their end."""
        self.active = self.most_active = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.base_url = ""

    def settings(self, **changes: Any) -> ModelSettings:
        """Settings to ask it with, and to wait little."""
        quick: dict[str, Any] = {"model": "toy", "backoff_seconds": 1e-3, "timeout_seconds": 5.0, "attempts": 3}
        return ModelSettings(base_url=self.base_url, **{**quick, **changes})

    def prompt(self, number: int = -1) -> str:
        """The last words of a request."""
        return last_words(self.bodies[number])


def last_words(body: dict[str, Any]) -> str:
    """The text of a request's last message."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else str(content[0]["text"])


@contextmanager
def endpoint(behave: Behaviour | Says | str, monkeypatch: pytest.MonkeyPatch | None = None) -> Iterator[FakeEndpoint]:
    """Serve until the block ends.

    Args:
        behave: What to do with each request; a reply, or words, is given every time.
        monkeypatch: To set the key, if one is to be sent.
    """
    fake = FakeEndpoint(behave if callable(behave) else lambda body, number: behave)
    if monkeypatch is not None:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with fake.lock:
                number = len(fake.bodies)
                fake.bodies.append(body)
                fake.keys.append(self.headers["authorization"])
                fake.headers.append({name.lower(): value for name, value in self.headers.items()})
                fake.active += 1
                fake.most_active = max(fake.most_active, fake.active)
            says = fake.behave(body, number)
            said = Says(says) if isinstance(says, str) else says
            try:
                fake.closing.wait(said.wait)
                if said.cut == 0:
                    self.close_connection = True
                    return
                self.reply(said, stream=bool(body.get("stream")) and said.streams and said.status == 200)
            except OSError:
                self.close_connection = True  # the client has hung up, as it should after a time-out
            finally:
                with fake.lock:
                    fake.active -= 1

        def reply(self, said: Says, *, stream: bool) -> None:
            pieces = _stream(said) if stream else [_body(said)]
            whole = b"".join(pieces)
            if said.drips_headers:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
                for _ in range(200):
                    self.wfile.write(b"a")
                    self.wfile.flush()
                    if fake.closing.wait(said.drip):
                        return
                self.wfile.write(b"\r\nx-rest: ")
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "text/event-stream" if stream else "application/json")
            self.send_header("content-length", str(len(whole)))
            self.end_headers()
            if said.cut is not None:
                self.wfile.write(whole[: said.cut])
                self.wfile.flush()
                self.close_connection = True
                return
            parts = [bytes([byte]) for byte in whole] if said.drip and not stream else pieces
            for place, part in enumerate(parts):
                if said.stall and place == len(parts) // 2:
                    fake.closing.wait(said.stall)
                self.wfile.write(part)
                self.wfile.flush()
                if said.drip and fake.closing.wait(said.drip):
                    return
            fake.sent += 1

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that none outlives the test with a socket in its hands
    fake.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with patch.dict(os.environ, {"NO_PROXY": "127.0.0.1"}):
            yield fake
    finally:
        fake.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _usage(said: Says) -> dict[str, int]:
    if said.usage is None:
        return {}
    return {"prompt_tokens": said.usage[0], "completion_tokens": said.usage[1], "total_tokens": sum(said.usage)}


def _body(said: Says) -> bytes:
    if said.raw is not None:
        return said.raw
    if said.status != 200:
        return json.dumps({"error": {"message": said.error, "code": said.code, "type": "toy"}}).encode()
    message = {"role": "assistant", "content": said.text, "refusal": said.refusal}
    choices = [{"index": 0, "message": message, "finish_reason": said.finish}]
    reply: dict[str, Any] = {"id": "1", "object": "chat.completion", "model": "toy", "created": int(time.time())}
    reply["choices"] = choices
    if said.usage is not None:
        reply["usage"] = _usage(said)
    return json.dumps(reply).encode()


def _stream(said: Says) -> list[bytes]:
    """Server-sent events: a piece for every word, the end, the usage, and the mark that all is said."""
    if said.raw is not None:
        return [said.raw]
    words = [word + " " for word in (said.text or "").split(" ")]
    words[-1] = words[-1][:-1]
    deltas: list[dict[str, Any]] = [{"role": "assistant"}, *({"content": word} for word in words)]
    if said.refusal is not None:
        deltas = [{"refusal": said.refusal}]
    pieces: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    pieces.append({"choices": [{"index": 0, "delta": {}, "finish_reason": said.finish}]})
    if said.usage is not None:
        pieces.append({"choices": [], "usage": _usage(said)})
    return [f"data: {json.dumps(piece)}\n\n".encode() for piece in pieces] + [b"data: [DONE]\n\n"]
