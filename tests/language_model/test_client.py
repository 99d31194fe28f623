"""A client against an endpoint that misbehaves: what is asked again, what is not, and what the user is told."""

import gzip
import json
import time
from email.utils import formatdate
from typing import Any

import pytest

from teachgym.language_model import (
    EndpointError,
    LanguageModelClient,
    LanguageModelError,
    Message,
    ModelSettings,
    RejectedRequestError,
    Reply,
    Request,
)
from teachgym.language_model.endpoint import retry_after
from teachgym.language_model.replies import read_stream
from tests.language_model.endpoint import Says, endpoint, last_words


def request(words: str = "hi", serial: int = 0) -> Request:
    return Request((Message("user", words),), (serial,))


def first_then(*said: Says | str) -> Any:
    """One reply after the other, and the last for ever."""
    return lambda body, number: said[min(number, len(said) - 1)]


BROKEN = {
    "busy": Says(status=429),
    "overloaded": Says(status=503),
    "an error inside": Says(status=500),
    "late": Says(wait=30.0),
    "dropped before the reply": Says(cut=0),
    "dropped in the middle": Says(cut=30),
    "not JSON": Says(raw=b'{"choices": [{"mess'),
    "something else": Says(raw=b'{"choices": []}'),
    "a list": Says(raw=b"[1, 2]"),
    "an error sent as if all were well": Says(raw=b'{"error": {"message": "upstream is down"}}'),
    "silent in the middle": Says(stall=30.0),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", BROKEN)
def test_what_may_pass_is_tried_again(kind: str, stream: bool) -> None:
    with endpoint(first_then(BROKEN[kind], "well done")) as fake:
        client = LanguageModelClient(fake.settings(timeout_seconds=1.0, stream=stream))
        assert client.complete(request()) == Reply("well done", 10, 5)
        assert (client.usage.requests, client.usage.retries, len(fake.bodies)) == (2, 1, 2)
        assert fake.bodies[0] == fake.bodies[1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", BROKEN)
def test_what_does_not_pass_is_given_up_after_so_many_attempts(kind: str, stream: bool) -> None:
    with endpoint(BROKEN[kind]) as fake:
        client = LanguageModelClient(fake.settings(timeout_seconds=0.1, attempts=2, stream=stream))
        with pytest.raises(EndpointError, match="in 2 attempts") as caught:
            client.complete(request())
    assert client.usage.requests == 2
    assert fake.base_url in str(caught.value)
    assert "'toy'" in str(caught.value)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("headers", [False, True])
def test_a_reply_that_drips_is_cut_off_in_time_though_it_is_never_silent(headers: bool, stream: bool) -> None:
    with endpoint(Says(" ".join("word" for _ in range(200)), drip=0.02, drips_headers=headers)) as fake:
        client = LanguageModelClient(fake.settings(timeout_seconds=0.2, attempts=1, stream=stream))
        with pytest.raises(EndpointError, match=r"no whole reply within 0\.2 s"):
            client.complete(request())
        assert (fake.sent, client.usage.requests, client.usage.estimated) == (0, 1, 1)


def test_an_error_that_drips_is_cut_off_in_time() -> None:
    with endpoint(Says(status=400, error="word " * 100, drip=0.02)) as fake:
        with pytest.raises(LanguageModelError):
            LanguageModelClient(fake.settings(timeout_seconds=0.2, attempts=1)).complete(request())
        assert fake.sent == 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_has_a_bound_in_bytes_by_its_bound_in_tokens(stream: bool) -> None:
    with endpoint(Says(raw=b" " * 2_000_000)) as fake:
        client = LanguageModelClient(fake.settings(attempts=1, max_tokens=100, stream=stream))
        with pytest.raises(EndpointError, match="far longer than max_tokens allows"):
            client.complete(request())
    with endpoint(Says(raw=b" " * 2_000_000 + b'{"choices": [{"message": {"content": "late"}}]}')) as fake:
        client = LanguageModelClient(fake.settings(max_tokens=2_000))
        assert client.complete(request()).text == "late"


@pytest.mark.parametrize("status", [200, 500])
def test_a_compressed_reply_is_refused_before_it_grows(status: int) -> None:
    packed = gzip.compress(b" " * 10_000_000)
    with endpoint(Says(raw=packed, status=status, headers={"Content-Encoding": "gzip"})) as fake:
        client = LanguageModelClient(fake.settings(attempts=1))
        with pytest.raises(EndpointError, match=r"the reply is compressed \(gzip\)"):
            client.complete(request())
        assert fake.headers[0]["accept-encoding"] == "identity"


def test_a_long_error_is_told_in_short() -> None:
    long = Says(status=400, error="word " * 200_000)
    with endpoint(long) as fake, pytest.raises(RejectedRequestError, match="400") as caught:
        LanguageModelClient(fake.settings()).complete(request())
    assert len(str(caught.value)) < 1_000


def test_a_redirect_is_not_followed() -> None:
    with endpoint("hello") as other:
        moved = Says(status=307, headers={"Location": f"{other.base_url}/chat/completions"})
        with endpoint(moved) as fake, pytest.raises(RejectedRequestError, match="307"):
            LanguageModelClient(fake.settings()).complete(request())
        assert other.bodies == []


def test_a_stream_gives_the_same_reply_as_a_whole() -> None:
    with endpoint(Says("one two  three\nfour", usage=(7, 3))) as fake:
        whole, stream = (LanguageModelClient(fake.settings(stream=s)).complete(request()) for s in (False, True))
    assert whole == stream == Reply("one two  three\nfour", 7, 3)
    assert [body.get("stream", False) for body in fake.bodies] == [False, True]


def test_a_stream_may_be_cut_anywhere_and_hold_any_letter() -> None:
    text = "one\u2028two\x85three\x0cfour \U0001f600"
    pieces = [{"choices": [{"delta": {"content": letter}}]} for letter in text]
    events = [json.dumps(piece, ensure_ascii=False) for piece in (*pieces, {"choices": [{"finish_reason": "stop"}]})]
    whole = ": a comment\r\n\r\n" + "".join(f"data: {event}\r\n\r\n" for event in events) + "data: [DONE]"
    data = whole.encode()
    for size in (1, 7, len(data)):
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        assert read_stream(parts, str).text == text


def test_an_endpoint_that_does_not_stream_is_read_all_the_same() -> None:
    with endpoint(Says("hello", streams=False)) as fake:
        assert LanguageModelClient(fake.settings(stream=True)).complete(request()) == Reply("hello", 10, 5)
        assert fake.bodies[0]["stream"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (400, "takes no such request"),
        (401, "set the environment variable OPENAI_API_KEY, which is empty now,"),
        (403, "does not let model 'toy' be asked"),
        (404, "has no model 'toy'"),
        (422, "takes no such request"),
    ],
)
def test_what_is_wrong_for_good_is_sent_once_and_the_error_says_what_to_change(
    status: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with endpoint(Says(status=status, error="because of something")) as fake:
        client = LanguageModelClient(fake.settings())
        with pytest.raises(RejectedRequestError, match=told) as caught:
            client.complete(request())
        assert len(fake.bodies) == 1
    for part in (fake.base_url, "'toy'", f"({status}: because of something)"):
        assert part in str(caught.value)


def test_an_account_without_credit_is_not_asked_again() -> None:
    with endpoint(Says(status=429, code="insufficient_quota")) as fake:
        with pytest.raises(RejectedRequestError, match="no credit left"):
            LanguageModelClient(fake.settings()).complete(request())
        assert len(fake.bodies) == 1


def test_an_endpoint_that_is_not_there_is_told_at_once_for_all_that_wait() -> None:
    with endpoint("hello") as fake:
        gone = fake.settings(attempts=2, concurrency=1)
    client = LanguageModelClient(gone)
    outcomes = client.complete_many([request(serial=k) for k in range(5)])
    assert all(isinstance(outcome, EndpointError) for outcome in outcomes)
    assert "there is no connection" in str(outcomes[0])
    assert client.usage.requests == 2  # the first has tried twice, and the others not at all
    assert (client.usage.tokens, client.usage.estimated) == (0, 0)


@pytest.mark.parametrize("header", ["Retry-After", "retry-after-ms"])
def test_the_wait_that_an_endpoint_asks_for_is_kept(header: str) -> None:
    busy = Says(status=429, headers={header: "0.3" if header == "Retry-After" else "300"})
    with endpoint(first_then(busy, "hello")) as fake:
        begun = time.monotonic()
        LanguageModelClient(fake.settings()).complete(request())
        assert time.monotonic() - begun >= 0.3


def test_an_endpoint_that_asks_for_too_long_a_wait_is_given_up() -> None:
    with endpoint(Says(status=429, headers={"Retry-After": "3600"})) as fake:
        with pytest.raises(EndpointError, match="be left alone for 3600 s"):
            LanguageModelClient(fake.settings()).complete(request())
        assert len(fake.bodies) == 1


def test_retry_after_is_read_in_seconds_milliseconds_and_as_a_date() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "250", "retry-after": "7"}) == 0.25
    soon = retry_after({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert soon is not None
    assert 28 <= soon <= 31
    assert retry_after({"retry-after": formatdate(0, usegmt=True)}) == 0
    assert [retry_after({"retry-after": odd}) for odd in ("", "soon", "nan", "inf")] == [None] * 4
    assert retry_after({}) is None


def test_waits_double_and_are_random_by_the_request_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Event

    waits: list[float] = []

    class Noting(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            return False

    with endpoint(Says(status=500)) as fake:
        settings = fake.settings(attempts=6, backoff_seconds=2.0, longest_wait_seconds=10.0)
        runs = []
        for serial in (0, 0, 1):
            waits.clear()
            with monkeypatch.context() as patched:
                patched.setattr("teachgym.language_model.client.Event", Noting)
                with pytest.raises(EndpointError):
                    LanguageModelClient(settings).complete(request(serial=serial))
            runs.append([wait for wait in waits if wait >= 1.0])
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[0]) == 5
    for wait, most in zip(runs[0], (2, 4, 8, 10, 10), strict=True):
        assert most / 2 <= wait <= most


def test_replies_come_in_the_order_of_the_requests_whatever_takes_longest() -> None:
    def slowest_first(body: dict[str, Any], number: int) -> Says:
        words = last_words(body)
        return Says(words.upper(), wait=0.02 * (8 - int(words[-1])))

    with endpoint(slowest_first) as fake:
        client = LanguageModelClient(fake.settings(concurrency=8))
        replies = client.complete_many([request(f"word {k}") for k in range(8)])
        assert [reply.text for reply in replies if isinstance(reply, Reply)] == [f"WORD {k}" for k in range(8)]
        assert 1 < fake.most_active <= 8


def test_no_more_requests_are_on_their_way_than_allowed() -> None:
    with endpoint(Says(wait=0.02)) as fake:
        LanguageModelClient(fake.settings(concurrency=3)).complete_many([request(serial=k) for k in range(12)])
        assert 1 < fake.most_active <= 3
        assert len(fake.bodies) == 12


def test_one_failure_leaves_the_others_alone() -> None:
    def third_fails(body: dict[str, Any], number: int) -> Says | str:
        return Says(status=400) if last_words(body) == "2" else last_words(body)

    with endpoint(third_fails) as fake:
        outcomes = LanguageModelClient(fake.settings()).complete_many([request(str(k)) for k in range(5)])
    assert [isinstance(outcome, LanguageModelError) for outcome in outcomes] == [False, False, True, False, False]


def test_equal_requests_are_sent_once_and_those_with_another_serial_again() -> None:
    with endpoint(lambda body, number: str(number)) as fake:
        client = LanguageModelClient(fake.settings(concurrency=1))
        replies = client.complete_many([request(), request(), request(serial=1)])
        assert [reply.text for reply in replies if isinstance(reply, Reply)] == ["0", "0", "1"]
        assert len({body["seed"] for body in fake.bodies}) == 2


class Picky:
    """Rejects a part of the request that it does not know, in the words of some endpoint."""

    def __init__(self, name: str, words: str) -> None:
        self.name, self.words = name, words

    def __call__(self, body: dict[str, Any], number: int) -> Says | str:
        return Says(status=400, error=self.words) if self.name in body else "hello"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        ("temperature", "Unsupported value: 'temperature' does not support 0.5 with this model."),
        ("seed", "body.seed: Extra inputs are not permitted"),
        ("response_format", "response_format.type must be text"),
        ("stream_options", "Unknown parameter: stream_options"),
    ],
)
def test_what_an_endpoint_does_not_know_is_left_out_from_then_on(name: str, words: str) -> None:
    with endpoint(Picky(name, words)) as fake:
        client = LanguageModelClient(fake.settings(attempts=1, temperature=0.5, stream=name == "stream_options"))
        schema = {"type": "object"}
        for serial in range(2):
            assert client.complete(Request((Message("user", "hi"),), (serial,), schema)).text == "hello"
    assert [name in body for body in fake.bodies] == [True, False, False]
    limits = [body.get("max_tokens", body.get("max_completion_tokens")) for body in fake.bodies]
    assert limits == [client.settings.max_tokens] * 3


def test_too_large_a_limit_is_not_taken_for_an_unknown_one() -> None:
    with endpoint(Says(status=400, error="max_tokens is too large: this model supports at most 100")) as fake:
        with pytest.raises(RejectedRequestError, match="at most 100"):
            LanguageModelClient(fake.settings()).complete(request())
        assert len(fake.bodies) == 1


def test_images_are_sent_as_png_and_told_apart_in_the_key() -> None:
    import base64
    import io

    import numpy as np
    from PIL import Image

    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    with endpoint("a stripe") as fake:
        settings = fake.settings()
        asked = Request((Message("user", "what is it?", (pixels,)),))
        LanguageModelClient(settings).complete(asked)
        text, image = fake.bodies[0]["messages"][0]["content"]
    assert text == {"type": "text", "text": "what is it?"}
    kind, _, data = image["image_url"]["url"].partition(",")
    assert kind == "data:image/png;base64"
    assert np.array_equal(np.array(Image.open(io.BytesIO(base64.b64decode(data)))), pixels)
    other = Request((Message("user", "what is it?", (pixels + 1,)),))
    assert asked.key(settings) != other.key(settings)


def test_odd_texts_arrive_as_text() -> None:
    lone = b'{"choices": [{"message": {"content": "half \\ud83d"}, "finish_reason": "stop"}]}'
    parts = b'{"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"text": "b"}]}}]}'
    with endpoint(first_then(Says(raw=lone), Says(raw=parts), Says(None))) as fake:
        client = LanguageModelClient(fake.settings())
        assert [client.complete(request(serial=k)).text for k in range(3)] == ["half ?", "ab", ""]


def test_a_client_needs_a_model() -> None:
    with pytest.raises(ValueError, match="model is ''; name the model"):
        LanguageModelClient(ModelSettings())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"base_url": "localhost:8000"}, "expected http://"),
        ({"base_url": "https://me:secret@host/v1"}, "keys belong in an environment variable"),
        ({"api_key_env": "sk-abc-def"}, "no name of an environment variable"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"attempts": 0}, "attempts is 0"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"corrections": -1}, "corrections is -1"),
        ({"timeout_seconds": 0.0}, "timeout_seconds is 0.0"),
        ({"price_input": float("nan")}, "price_input is nan"),
        ({"spending_limit": 1.0}, "give the prices"),
        ({"spending_limit": 0.0, "price_input": 1.0}, "spending_limit is 0.0"),
        ({"token_limit": 0}, "token_limit is 0"),
        ({"offline": True}, "name the folder"),
        ({"stream": "yes"}, "stream is 'yes'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        ModelSettings(**changes)
    assert "secret" not in str(caught.value)
    assert "sk-abc" not in str(caught.value)
