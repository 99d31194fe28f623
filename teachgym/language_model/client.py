"""Ask a language model many things at once: again where that helps, within limits, and from a cache."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import BoundedSemaphore, Event, Lock
from typing import final

import numpy as np

from teachgym.base.state import Stateful
from teachgym.language_model.accounting import Ledger, Reservation, Usage, picodollars
from teachgym.language_model.cache import ReplyCache, Stored
from teachgym.language_model.endpoint import Dialect, Endpoint
from teachgym.language_model.errors import (
    AttemptError,
    EndpointError,
    LanguageModelError,
    NotInCacheError,
    RejectedRequestError,
    SpendingLimitError,
)
from teachgym.language_model.request import Reply, Request
from teachgym.language_model.settings import ModelSettings

_ABSURD = 10
"""What an endpoint adds of its own may be more than what was foreseen, but not this many times as much."""

Send = Callable[[Request], Reply]
"""Sends a request once, and raises ``AttemptError`` or ``RejectedRequestError`` where that came to nothing."""


@final
class LanguageModelClient(Stateful):
    """Asks one model, in parallel, and keeps account.

    Connections are open only while requests are on their way, so there is nothing to close. The key is read from the
    environment when a connection is opened, and kept no longer.

    Args:
        settings: Which model, how, and for how much at most.
        send: Sends a request, in place of the endpoint in the settings; for tests.

    Raises:
        ValueError: If no model is named.
    """

    keeps = ("ledger",)

    def __init__(self, settings: ModelSettings, *, send: Send | None = None) -> None:
        if not settings.model and send is None:
            raise ValueError(f"model is ''; name the model that {settings.base_url} is to be asked for: model='...'")
        self.settings = settings
        self._send, self._dialect = send, Dialect()
        self._cache = None if settings.cache is None else ReplyCache(Path(settings.cache))
        self.ledger = Ledger(
            "spending_limit and token_limit",
            dollars=math.inf if settings.spending_limit is None else settings.spending_limit,
            tokens=math.inf if settings.token_limit is None else settings.token_limit,
        )

    @property
    def usage(self) -> Usage:
        """What this client has used so far."""
        return self.ledger.usage

    def limited(self, name: str, dollars: float) -> "LanguageModelClient":
        """A client of the same endpoint and limits that may spend only so much, and counts from 0."""
        part = LanguageModelClient(self.settings, send=self._send)
        part._dialect = self._dialect
        part.ledger = Ledger(name, dollars=dollars, parent=self.ledger)
        return part

    def complete(self, request: Request) -> Reply:
        """Have a conversation gone on with.

        Raises:
            LanguageModelError: If there is no reply; the class says why.
        """
        (outcome,) = self.complete_many([request])
        if isinstance(outcome, LanguageModelError):
            raise outcome
        return outcome

    def complete_many(self, requests: Sequence[Request]) -> list[Reply | LanguageModelError]:
        """Have many conversations gone on with at once.

        Returns:
            In the order of the requests, whichever was answered first: a reply, or why there is none. Requests with
            the same key are sent once.

        Raises:
            ValueError: If a reply could not be stored in the cache; its request is not sent then.
        """
        return _Round(self, self._send, self._dialect, self._cache).carry_out(requests)


class _Round:
    """The requests of one call of ``complete_many``."""

    def __init__(
        self, client: LanguageModelClient, send: Send | None, dialect: Dialect, cache: ReplyCache | None
    ) -> None:
        self._settings, self._ledger = client.settings, client.ledger
        self._send, self._dialect, self._cache = send, dialect, cache
        self._endpoint: Endpoint | None = None
        self._opening = Lock()
        self._stop = Event()
        self._hopeless: LanguageModelError | None = None

    def carry_out(self, requests: Sequence[Request]) -> list[Reply | LanguageModelError]:
        settings = self._settings
        found: dict[str, Future[Reply | LanguageModelError]] = {}
        keys = [request.key(settings) for request in requests]
        # What is reserved must have a thread to be spent by, or else those that wait for it would wait for ever.
        free = BoundedSemaphore(settings.concurrency)
        pool = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="language-model")
        try:
            for key, request in zip(keys, requests, strict=True):
                if key in found:
                    continue
                free.acquire()
                tokens = request.most_input_tokens(settings)
                most = settings.price(tokens, settings.max_tokens)
                try:
                    reservation = self._ledger.reserve(most, tokens + settings.max_tokens)
                except SpendingLimitError as reached:
                    found[key] = Future()
                    found[key].set_result(reached)
                    free.release()
                    continue
                found[key] = pool.submit(self._one, request, key, reservation)
                found[key].add_done_callback(lambda _: free.release())
            return [found[key].result() for key in keys]
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)
            if self._endpoint is not None:
                self._endpoint.__exit__(None, None, None)

    def _one(self, request: Request, key: str, reservation: Reservation) -> Reply | LanguageModelError:
        """What came of one request, whose first attempt is reserved."""
        try:
            stored = None if self._cache is None else self._cache.find(key)
            if stored is not None and (isinstance(stored.outcome, Reply) or self._settings.offline):
                used = self._used(stored.input_tokens, stored.output_tokens)
                reservation.settle(replace(used, paid_picodollars=0, cache_hits=1))
            elif self._settings.offline and self._cache is not None:
                return NotInCacheError(
                    f"offline, and {self._cache.path(key)} is not there, or damaged; the run differs from the one "
                    "whose replies the folder has (settings, seed, version): make it the same, or set offline to false"
                )
            else:
                if self._cache is not None:
                    self._cache.check_room(key)
                stored = self._ask(request, reservation)
                if self._cache is not None and (isinstance(stored.outcome, Reply) or not self._stop.is_set()):
                    stored = self._cache.put(key, request.described(self._settings), stored)
            return stored.outcome
        finally:
            reservation.settle(Usage())

    def _ask(self, request: Request, reservation: Reservation) -> Stored:
        """Send a request until there is a reply, or no hope of one."""
        most_input = request.most_input_tokens(self._settings)
        jitter = np.random.default_rng(request.seed(self._settings))
        total, tries = Usage(), 0
        outcome: Reply | LanguageModelError | None = self._hopeless
        while outcome is None:
            came = self._attempt(request)
            used = Usage(requests=1, retries=int(tries > 0))
            if isinstance(came, AttemptError):
                tries += not came.adapted
                if came.billed:
                    most = self._used(most_input, self._settings.max_tokens)
                    used = used.plus(replace(most, estimated=1))
            else:
                outcome = came
                if isinstance(came, Reply):
                    used = used.plus(self._used_for(came, most_input))
            total = total.plus(used)
            reservation.settle(used)
            if isinstance(came, AttemptError):
                outcome = self._wait(came, tries, jitter) or self._hopeless
                if outcome is None:
                    outcome = _renewed(reservation)
        if isinstance(outcome, LanguageModelError) and outcome.hopeless:
            self._hopeless = outcome
        return Stored(total.input_tokens, total.output_tokens, outcome)

    def _attempt(self, request: Request) -> Reply | AttemptError | RejectedRequestError:
        try:
            return self._sender()(request)
        except (AttemptError, RejectedRequestError) as error:
            return error

    def _sender(self) -> Send:
        if self._send is not None:
            return self._send
        with self._opening:
            if self._endpoint is None:
                self._endpoint = Endpoint(self._settings, self._dialect)
            return self._endpoint.send

    def _wait(self, failed: AttemptError, tries: int, jitter: np.random.Generator) -> EndpointError | None:
        """Wait before another attempt; or say why there is none."""
        settings = self._settings
        asked = f"{settings.base_url}, asked for model {settings.model!r}, gave no reply"
        if tries >= settings.attempts:
            return EndpointError(
                f"{asked} in {tries} attempt{'s' * (tries > 1)}; the last: {failed}. Check that the endpoint runs and "
                "base_url is right; where it is only slow or busy, raise timeout_seconds or attempts, or lower "
                "concurrency",
                hopeless=failed.unreachable,
            )
        if failed.adapted:
            return None
        longest = settings.longest_wait_seconds
        wait = min(settings.backoff_seconds * 2.0 ** min(tries - 1, 30), longest) * jitter.uniform(0.5, 1.0)
        if failed.wait is not None and failed.wait > longest:
            return EndpointError(
                f"{asked}, and asks to be left alone for {failed.wait:.0f} s: {failed}. Come back later, or raise "
                f"longest_wait_seconds, which is {longest:g}"
            )
        stopped = self._stop.wait(max(wait, failed.wait or 0.0))
        return EndpointError(f"{asked} before it was stopped: {failed}") if stopped else None

    def _used(self, input_tokens: int, output_tokens: int) -> Usage:
        money = picodollars(self._settings.price(input_tokens, output_tokens))
        return Usage(input_tokens, output_tokens, money, money)

    def _used_for(self, reply: Reply, most_input: int) -> Usage:
        """What a reply is charged at; where the endpoint tells nothing, or what can't be, what it can be at most."""
        words, max_tokens = len((reply.text + reply.refusal).encode()), self._settings.max_tokens
        told_input = _believed(reply.input_tokens, 1, most_input)
        told_output = _believed(reply.output_tokens, min(words, 1), max_tokens)
        used = self._used(
            most_input if told_input is None else told_input,
            min(words + 1, max_tokens) if told_output is None else told_output,
        )
        return replace(used, estimated=int(told_input is None or told_output is None))


def _believed(told: int | None, least: int, most: int) -> int | None:
    """A number of tokens as an endpoint tells it, or None where it can't be: none of something, or far too many."""
    return told if told is not None and least <= told <= _ABSURD * most else None


def _renewed(reservation: Reservation) -> SpendingLimitError | None:
    """Reserve another attempt; or say why there is no money for it."""
    try:
        reservation.renew()
    except SpendingLimitError as reached:
        return reached
    return None
