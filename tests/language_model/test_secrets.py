"""The key goes to the endpoint, and nowhere else."""

import logging
import pickle
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from teachgym.language_model import (
    EndpointError,
    LanguageModelClient,
    LanguageModelError,
    Message,
    ModelSettings,
    RejectedRequestError,
    Request,
)
from teachgym.language_model.endpoint import Dialect, Endpoint
from tests.language_model.endpoint import KEY, Says, endpoint

ASKED = Request((Message("user", "hi"),))
TELLTALES = {
    "an error that repeats it": Says(status=401, error=f"Incorrect API key provided: {KEY}"),
    "a bad request that repeats it": Says(status=400, error=f"header was Bearer {KEY}"),
    "a broken endpoint that repeats it": Says(status=500, error=KEY),
    "an error sent as if all were well": Says(raw=f'{{"error": "{KEY}"}}'.encode()),
    "a reply that repeats it": Says(f"your key is {KEY}"),
    "a refusal that repeats it": Says(None, refusal=f"not for {KEY}"),
    "a dropped connection": Says(cut=10),
    "no reply": Says(wait=1.0),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", TELLTALES)
def test_no_error_log_file_or_description_holds_it(
    kind: str,
    stream: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    with endpoint(TELLTALES[kind], monkeypatch) as fake:
        settings = fake.settings(cache=str(tmp_path), timeout_seconds=0.2, attempts=2, stream=stream)
        client = LanguageModelClient(settings)
        try:
            said.append(repr(client.complete(ASKED)))
        except LanguageModelError as error:
            said += [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
            said += [repr(error.__context__), repr(error.__cause__), pickle.dumps(error).decode("latin-1")]
        assert fake.keys == [f"Bearer {KEY}"] * len(fake.keys)
        assert fake.keys
    said += [repr(settings), repr(client), repr(vars(client)), repr(client.usage), caplog.text, *capfd.readouterr()]
    said += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.is_file() for path in tmp_path.rglob("*"))  # a reply, or the failure
    assert not [text for text in said if KEY in text]


def test_the_key_comes_from_the_variable_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint("hello", monkeypatch) as fake:
        monkeypatch.setenv("MY_KEY", " another \n")
        for name in ("MY_KEY", "OPENAI_API_KEY", ""):
            LanguageModelClient(fake.settings(api_key_env=name)).complete(ASKED)
        monkeypatch.delenv("OPENAI_API_KEY")
        LanguageModelClient(fake.settings()).complete(ASKED)
    assert fake.keys == ["Bearer another", f"Bearer {KEY}", "Bearer none", "Bearer none"]


@pytest.mark.parametrize("key", ["two words-7431", "schlüssel-7431", "line\n7431"])
def test_a_key_that_can_be_none_is_not_sent(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint("hello") as fake:
        monkeypatch.setenv("OPENAI_API_KEY", key)
        with pytest.raises(RejectedRequestError, match="OPENAI_API_KEY holds spaces") as caught:
            LanguageModelClient(fake.settings()).complete(ASKED)
    assert "7431" not in "".join(traceback.format_exception(caught.value))
    assert not fake.bodies


def test_a_word_for_a_key_does_not_spoil_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint("the set is EMPTY") as fake:
        monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
        assert LanguageModelClient(fake.settings()).complete(ASKED).text == "the set is EMPTY"


@pytest.mark.parametrize(
    "base_url",
    ["http://192.0.2.1/v1", "http://127.0.0.1.example/v1", "http://localhost.example/v1", "http://0.0.0.0/v1"],
)
def test_a_key_does_not_travel_in_plain_text(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = ModelSettings(model="toy", base_url=base_url)
    with pytest.raises(RejectedRequestError, match="the key in OPENAI_API_KEY would be sent in plain text to"):
        LanguageModelClient(settings).complete(ASKED)
    allowed: list[dict[str, Any]] = [{"api_key_env": ""}, {"base_url": base_url.replace("http:", "https:")}]
    allowed += [{"base_url": f"http://{host}/v1"} for host in ("localhost", "127.8.9.1", "[::1]")]
    for changes in allowed:
        Endpoint(replace(settings, **changes), Dialect()).__exit__(None, None, None)


def test_of_the_environment_only_the_key_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "x-custom: a-private-name")
    with endpoint("hello", monkeypatch) as fake:
        LanguageModelClient(fake.settings()).complete(ASKED)
    assert not [name for name, value in fake.headers[0].items() if "a-private-name" in value]


def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint("hello", monkeypatch) as fake, endpoint("from a proxy") as proxy:
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        assert LanguageModelClient(fake.settings()).complete(ASKED).text == "hello"
        assert proxy.keys == []


def test_nobody_is_sent_the_key_where_there_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = ModelSettings(model="toy", base_url="http://127.0.0.1:9/v1", attempts=1)
    with pytest.raises(EndpointError) as caught:
        LanguageModelClient(settings).complete(ASKED)
    assert KEY not in "".join(traceback.format_exception(caught.value))
