"""What is spent is counted to the token, and never exceeds a limit, whatever is on its way."""

import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.language_model import (
    AttemptError,
    LanguageModelClient,
    Message,
    ModelSettings,
    Reply,
    Request,
    SpendingLimitError,
    Usage,
)
from teachgym.language_model.accounting import Ledger
from tests.language_model.endpoint import Says, endpoint

PRICES: dict[str, Any] = {"price_input": 2.0, "price_output": 10.0}


def requests(count: int) -> list[Request]:
    return [Request((Message("user", "hi"),), (k,)) for k in range(count)]


def most(settings: ModelSettings) -> float:
    """What a request may cost, in US dollars."""
    return settings.price(requests(1)[0].most_input_tokens(settings), settings.max_tokens)


def test_tokens_and_dollars_are_those_that_the_endpoint_tells() -> None:
    with endpoint(lambda body, number: Says(usage=(100 + number, 50))) as fake:
        client = LanguageModelClient(fake.settings(concurrency=1, **PRICES))
        client.complete_many(requests(4))
    tokens = (100 + 101 + 102 + 103, 200)
    cost = (tokens[0] * 2.0 + tokens[1] * 10.0) / 1e6
    usage = client.usage
    assert (usage.input_tokens, usage.output_tokens, usage.requests, usage.retries) == (*tokens, 4, 0)
    assert usage.cost == pytest.approx(cost)
    assert usage.paid == usage.cost


def test_where_it_does_not_tell_them_they_count_as_their_most() -> None:
    with endpoint(Says("four letters", usage=None)) as fake:
        settings = fake.settings(**PRICES)
        client = LanguageModelClient(settings)
        client.complete(requests(1)[0])
    assert client.usage.estimated == 1
    assert client.usage.input_tokens == requests(1)[0].most_input_tokens(settings)
    assert 12 <= client.usage.output_tokens <= 13  # no tokenizer makes more tokens than bytes


@pytest.mark.parametrize("usage", [(0, 0), (0, 5), (10, 0), (10**30, 5), (10, 10**30)])
def test_where_it_tells_what_can_not_be_they_count_as_their_most(usage: tuple[int, int]) -> None:
    with endpoint(Says("four letters", usage=usage)) as fake:
        settings = fake.settings(**PRICES)
        client = LanguageModelClient(settings)
        client.complete(requests(1)[0])
    assert client.usage.estimated == 1
    assert client.usage.input_tokens in (10, requests(1)[0].most_input_tokens(settings))
    assert client.usage.output_tokens in (5, 13)


def test_no_byte_level_tokenizer_makes_more_of_a_request_than_is_reserved() -> None:
    settings = ModelSettings(model="toy")
    words = "Σ of ½ and 数学, twice 😀" * 7
    plain = Request((Message("user", words),)).most_input_tokens(settings)
    assert plain > len(words.encode())  # a token stands for one byte or more
    image = np.zeros((4, 4, 3), dtype=np.uint8)
    seen = Request((Message("user", words, (image, image)),)).most_input_tokens(settings)
    assert seen == plain + 2 * settings.image_tokens


@pytest.mark.parametrize("usage", [(50, 300), (1, 1000)])
@pytest.mark.parametrize("concurrency", [1, 4, 16])
def test_the_spending_limit_holds_whatever_is_on_its_way(concurrency: int, usage: tuple[int, int]) -> None:
    rng = np.random.default_rng(concurrency)
    waits = rng.uniform(0, 0.01, size=100)
    with endpoint(lambda body, number: Says(usage=usage, wait=float(waits[number]))) as fake:
        settings = fake.settings(max_tokens=1000, **PRICES)
        limit = 3.7 * most(settings)
        settings = fake.settings(max_tokens=1000, concurrency=concurrency, spending_limit=limit, **PRICES)
        client = LanguageModelClient(settings)
        outcomes = client.complete_many(requests(40))
    sent = sum(isinstance(outcome, Reply) for outcome in outcomes)
    assert len(fake.bodies) == sent
    assert client.usage.cost <= limit
    # Exactly those are sent, in order, that fit after what was spent before: as if one went after the other.
    spent, expected = 0.0, 0
    while expected < 40 and spent + most(settings) <= limit:
        spent += settings.price(*usage)
        expected += 1
    assert sent == expected < 40
    assert all(isinstance(outcome, Reply) for outcome in outcomes[:sent])
    assert all(isinstance(outcome, SpendingLimitError) for outcome in outcomes[sent:])


def test_the_token_limit_holds_too_and_the_error_says_what_to_raise() -> None:
    with endpoint(Says(usage=(60, 40))) as fake:
        tokens = requests(1)[0].most_input_tokens(fake.settings()) + 100
        settings = fake.settings(max_tokens=100, token_limit=tokens + 250)
        client = LanguageModelClient(settings)
        outcomes = client.complete_many(requests(10))
    assert [isinstance(outcome, Reply) for outcome in outcomes] == [True] * 3 + [False] * 7
    assert client.usage.tokens == 300
    assert f"up to {tokens} tokens, and 300 of {tokens + 250}" in str(outcomes[3])
    assert "Raise the limit, or lower max_tokens" in str(outcomes[3])


def test_an_attempt_that_may_have_been_charged_counts_as_its_most(tmp_path: Path) -> None:
    odd: dict[str, Any] = {"price_input": 1 / 3, "price_output": 2 / 7}
    with endpoint(Says(cut=0)) as fake:
        settings = fake.settings(attempts=9, max_tokens=100, cache=str(tmp_path), **odd)
        settings = replace(settings, spending_limit=3.5 * most(settings))
        client = LanguageModelClient(settings)
        with pytest.raises(SpendingLimitError) as caught:
            client.complete(requests(1)[0])
    assert len(fake.bodies) == 3
    assert client.usage.cost == pytest.approx(3 * most(settings))
    offline = LanguageModelClient(replace(settings, offline=True))
    with pytest.raises(SpendingLimitError, match=re.escape(str(caught.value))):
        offline.complete(requests(1)[0])
    assert offline.usage.picodollars == client.usage.picodollars


def test_many_that_fail_at_once_near_the_limit_do_not_wait_for_each_other_for_ever() -> None:
    with endpoint(Says(cut=0)) as fake:
        settings = fake.settings(attempts=9, max_tokens=100, **PRICES)
        limit = 10.5 * most(settings)
        settings = fake.settings(attempts=9, max_tokens=100, concurrency=4, spending_limit=limit, **PRICES)
        client = LanguageModelClient(settings)
        outcomes = client.complete_many(requests(12))
    assert all(isinstance(outcome, SpendingLimitError) for outcome in outcomes)
    assert len(fake.bodies) == 10
    assert client.usage.cost <= limit


def test_an_allowance_is_a_limit_within_the_limit() -> None:
    settings = ModelSettings(model="toy", max_tokens=100, spending_limit=1.0, concurrency=1, **PRICES)
    client = LanguageModelClient(settings, send=lambda request: Reply("hi", 10, 100))
    part = client.limited("the allowance", 1.5 * most(settings))
    kinds = [type(outcome).__name__ for outcome in part.complete_many(requests(3))]
    assert kinds == ["Reply", "SpendingLimitError", "SpendingLimitError"]
    assert part.usage == client.usage == Usage(10, 100, 1_020_000_000, 1_020_000_000, 1)
    again = client.limited("the allowance", 1.5 * most(settings))
    assert isinstance(again.complete_many(requests(1))[0], Reply)
    assert client.usage.requests == 2
    assert again.usage.requests == 1
    assert "(the allowance)" in str(part.complete_many(requests(1))[0])


def test_a_ledger_goes_on_from_what_was_used_before() -> None:
    earlier, ledger = Ledger("the limit", dollars=1.0), Ledger("the limit", dollars=1.0)
    earlier.reserve(0.75, 11).settle(Usage(5, 6, 75 * 10**10, paid_picodollars=75 * 10**10, requests=1))
    ledger.load(earlier.state())
    assert ledger.usage == Usage(5, 6, 75 * 10**10), "what was paid and sent is of this process"
    with pytest.raises(SpendingLimitError, match=r"0\.75 of 1 \(the limit\)"):
        ledger.reserve(0.5, 1)
    ledger.reserve(0.25, 1).settle(Usage(picodollars=125 * 10**9))
    assert (ledger.usage.cost, ledger.usage.tokens) == (0.875, 11)


def test_who_does_not_fit_waits_until_others_have_spent_less_than_they_reserved() -> None:
    ledger = Ledger("the limit", dollars=1.0)
    first = ledger.reserve(0.75, 0)
    got: list[Any] = []
    waiting = threading.Thread(target=lambda: got.append(ledger.reserve(0.5, 0)))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    first.settle(Usage(picodollars=25 * 10**10))
    waiting.join(5)
    assert len(got) == 1
    got[0].settle(Usage())
    got[0].settle(Usage())  # what is free is not freed again
    with pytest.raises(SpendingLimitError):
        ledger.reserve(0.8, 0)


def test_a_failed_attempt_that_was_never_sent_costs_nothing() -> None:
    def fail(request: Request) -> Reply:
        raise AttemptError("busy")

    settings = ModelSettings(model="toy", attempts=3, backoff_seconds=1e-4, **PRICES)
    client = LanguageModelClient(settings, send=fail)
    client.complete_many(requests(2))
    assert client.usage == Usage(requests=6, retries=4)
