"""A run with a cache plays again without an endpoint, bit for bit; a damaged file is noticed."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from teachgym.language_model import (
    EndpointError,
    LanguageModelClient,
    LanguageModelError,
    Message,
    ModelSettings,
    NotInCacheError,
    Reply,
    Request,
)
from teachgym.language_model.cache import ReplyCache, Stored
from tests.language_model.endpoint import Says, endpoint


def requests(count: int = 6) -> list[Request]:
    return [Request((Message("user", f"say {k}"),), (k,)) for k in range(count)]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def outcomes(found: Sequence[Reply | LanguageModelError]) -> list[str]:
    return [f"{type(one).__name__} {one}" for one in found]


def test_a_run_plays_again_when_the_endpoint_is_gone(tmp_path: Path) -> None:
    def behave(body: object, number: int) -> Says | str:
        if number in (1, 3):
            return Says(cut=0)  # lost, and charged
        return Says(status=400) if "say 5" in json.dumps(body) else f"reply {number}"

    with endpoint(behave) as fake:
        settings = fake.settings(cache=str(tmp_path), concurrency=2, price_input=1.0, price_output=2.0)
        first = LanguageModelClient(settings)
        live = first.complete_many(requests())
        again = LanguageModelClient(settings)
        asked = len(fake.bodies)
        assert outcomes(again.complete_many(requests())[:5]) == outcomes(live[:5])
        assert len(fake.bodies) == asked + 1  # what was rejected is asked for again, while there is somebody to ask
    offline = LanguageModelClient(replace(settings, offline=True))
    assert outcomes(offline.complete_many(requests())) == outcomes(live)
    assert isinstance(live[5], LanguageModelError)
    used, replayed = first.usage, offline.usage
    assert (used.input_tokens, used.output_tokens) == (replayed.input_tokens, replayed.output_tokens)
    assert used.cost == replayed.cost == used.paid
    assert used.estimated == 2
    assert used.cost > 2 * settings.price(0, settings.max_tokens)
    assert (replayed.requests, replayed.paid, replayed.cache_hits) == (0, 0.0, 6)


@pytest.mark.parametrize(
    "changes", [{"model": "other"}, {"temperature": 0.0}, {"max_tokens": 7}], ids=lambda changes: next(iter(changes))
)
def test_what_changes_the_answer_is_part_of_the_key(changes: dict[str, object], tmp_path: Path) -> None:
    with endpoint("hello") as fake:
        settings = fake.settings(cache=str(tmp_path))
        LanguageModelClient(settings).complete_many(requests(1))
    offline = replace(settings, offline=True)
    LanguageModelClient(replace(offline, base_url="http://127.0.0.1:9/v1", attempts=9)).complete(requests(1)[0])
    with pytest.raises(NotInCacheError, match="set offline to false"):
        LanguageModelClient(replace(offline, **changes)).complete(requests(1)[0])  # type: ignore[arg-type]
    (asked,) = requests(1)
    for other in (
        Request(asked.messages, (1,)),
        Request(asked.messages, (0,), {"type": "object"}),
        Request((Message("system", "say 0"),), (0,)),
        Request((Message("user", "say  0"),), (0,)),
    ):
        assert isinstance(LanguageModelClient(offline).complete_many([other])[0], NotInCacheError)


@pytest.mark.parametrize("damage", ["cut off", "changed", "empty", "another's", "other JSON"])
def test_a_damaged_file_is_asked_for_again_and_replaced(damage: str, tmp_path: Path) -> None:
    with endpoint(lambda body, number: f"reply {number}") as fake:
        settings = fake.settings(cache=str(tmp_path), concurrency=1)
        LanguageModelClient(settings).complete_many(requests(2))
        first, second = (ReplyCache(tmp_path).path(one.key(settings)) for one in requests(2))
        whole = first.read_text()
        first.write_text(
            {
                "cut off": whole[:-30],
                "changed": whole.replace("reply 0", "reply 9"),
                "empty": "",
                "another's": second.read_text(),
                "other JSON": "[1]",
            }[damage]
        )
        offline = LanguageModelClient(replace(settings, offline=True))
        with pytest.raises(NotInCacheError, match="or damaged"):
            offline.complete(requests(1)[0])
        assert LanguageModelClient(settings).complete(requests(1)[0]).text == "reply 2"
        assert offline.complete(requests(1)[0]).text == "reply 2"
        assert len(files(tmp_path)) == 2  # and nothing beside them


def test_a_reply_that_could_not_be_stored_is_not_asked_for(tmp_path: Path) -> None:
    (asked,) = requests(1)
    with endpoint("hello") as fake:
        settings = fake.settings(cache=str(tmp_path / "cache"))
        ReplyCache(tmp_path / "cache").path(asked.key(settings)).mkdir(parents=True)
        with pytest.raises(ValueError, match="is a folder, where a reply is to be stored"):
            LanguageModelClient(settings).complete(asked)
        (tmp_path / "file").write_text("")
        with pytest.raises(ValueError, match=r"replies can't be stored in .*file: "):
            LanguageModelClient(fake.settings(cache=str(tmp_path / "file"))).complete(asked)
        assert fake.bodies == []


def test_who_comes_second_goes_on_with_the_reply_that_is_there(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path)
    stored = [Stored(1, 1, Reply(f"from {k}", 1, 1)) for k in range(20)]
    barrier = threading.Barrier(20)
    taken: list[Stored] = []

    def put(one: Stored) -> None:
        barrier.wait()
        taken.append(cache.put("ab" * 32, {}, one))

    threads = [threading.Thread(target=put, args=(one,)) for one in stored]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = cache.find("ab" * 32)
    assert all(one == winner for one in taken)
    assert len(files(tmp_path)) == 1


def test_a_failure_gives_way_to_a_reply_and_not_the_other_way_round(tmp_path: Path) -> None:
    cache, key = ReplyCache(tmp_path), "cd" * 32
    failed, replied = Stored(5, 6, EndpointError("gone", hopeless=True)), Stored(1, 2, Reply("here", 1, 2))
    cache.put(key, {}, failed)
    found = cache.find(key)
    assert found is not None
    assert isinstance(found.outcome, EndpointError)
    assert (str(found.outcome), found.outcome.hopeless, found.input_tokens) == ("gone", True, 5)
    assert cache.put(key, {}, replied) == replied
    assert cache.put(key, {}, failed) == replied
    assert cache.find(key) == replied


def test_offline_needs_neither_the_endpoint_nor_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ModelSettings(model="toy", cache=str(tmp_path))
    LanguageModelClient(settings, send=lambda request: Reply("hello", 1, 1)).complete(requests(1)[0])

    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("teachgym.language_model.endpoint.importlib.import_module", refuse)
    assert LanguageModelClient(replace(settings, offline=True)).complete(requests(1)[0]).text == "hello"
    with pytest.raises(ImportError, match=r"pip install 'teachgym\[llm\]'"):
        LanguageModelClient(settings).complete(requests(2)[1])
