"""What has been spent on a language model, and limits that hold whatever is on its way."""

import math
from dataclasses import dataclass, fields, replace
from threading import Condition
from typing import Self

from teachgym.base.state import Stateful
from teachgym.language_model.errors import SpendingLimitError

_PICO = 10**12
"""Money is summed in whole trillionths of a dollar, so that sums don't depend on who was faster."""


@dataclass(frozen=True)
class Spent:
    """What counts towards the limits, and goes on counting when a run is resumed."""

    input_tokens: int = 0
    output_tokens: int = 0
    picodollars: int = 0

    @property
    def tokens(self) -> int:
        """Of input and output."""
        return self.input_tokens + self.output_tokens

    @property
    def cost(self) -> float:
        """US dollars.

        A reply from the cache counts as it did when it was made, so that a run replays as it was, limits and all; an
        attempt that was lost counts as the most that it may have cost.
        """
        return self.picodollars / _PICO

    def plus(self, other: "Spent") -> Self:
        """The sum, of what this counts."""
        return type(self)(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})


@dataclass(frozen=True)
class Usage(Spent):
    """What has been used; beside what counts towards the limits, what this process has paid and sent."""

    paid_picodollars: int = 0
    requests: int = 0
    """Sent, each attempt for itself."""
    retries: int = 0
    """Those among them that an attempt had gone before."""
    cache_hits: int = 0
    """Replies that came from the cache."""
    estimated: int = 0
    """Replies whose tokens the endpoint did not tell, or told impossibly; they count as their most."""

    @property
    def paid(self) -> float:
        """US dollars of it that this process has spent; the rest came from the cache."""
        return self.paid_picodollars / _PICO


def picodollars(dollars: float) -> int:
    """Dollars in whole trillionths."""
    return round(dollars * _PICO)


class Ledger(Stateful):
    """Counts what is used, and lets no request begin that could exceed a limit.

    What a request can cost at most is reserved before it is sent, and exchanged for what it did cost after. One that
    does not fit beside what others have reserved waits for them; so whether it fits in the end depends on what was
    spent before it, and not on who was faster.

    Args:
        name: What the limits are called, for the error.
        dollars: Most US dollars.
        tokens: Most tokens.
        parent: A ledger that all is counted in as well.
    """

    keeps = ("_spent",)

    def __init__(
        self, name: str, *, dollars: float = math.inf, tokens: float = math.inf, parent: "Ledger | None" = None
    ) -> None:
        self.name, self.dollars, self.tokens = name, dollars, tokens
        self._most = picodollars(dollars) if math.isfinite(dollars) else math.inf
        self._chain: list[Ledger] = [self, *(parent._chain if parent is not None else ())]
        self._changed: Condition = parent._changed if parent is not None else Condition()
        self._spent, self._process = Spent(), Usage()
        self._reserved_money, self._reserved_tokens, self._reservations = 0, 0, 0

    def _forget_derived(self) -> None:
        self._process = Usage()  # what was paid and sent belongs to the process that did

    @property
    def usage(self) -> Usage:
        """What has been used so far."""
        with self._changed:
            return replace(self._process, **vars(self._spent))

    def reserve(self, dollars: float, tokens: int) -> "Reservation":
        """Set aside what a request may cost at most; wait while others have set aside too much.

        Raises:
            SpendingLimitError: If it does not fit, though nothing else is on its way.
        """
        reservation = Reservation(self, dollars, tokens)
        reservation.renew()
        return reservation

    def _fits(self, money: int, tokens: int) -> bool:
        spent_money = self._spent.picodollars + self._reserved_money
        spent_tokens = self._spent.tokens + self._reserved_tokens
        return spent_money + money <= self._most and spent_tokens + tokens <= self.tokens

    def _explained(self, money: int, tokens: int) -> str:
        if self._spent.picodollars + money > self._most:
            wanted, spent, limit = f"{money / _PICO:.6g} US dollars", f"{self._spent.cost:.6g}", f"{self.dollars:.6g}"
        else:
            wanted, spent, limit = f"{tokens} tokens", f"{self._spent.tokens}", f"{self.tokens:.0f}"
        return (
            f"the next request may cost up to {wanted}, and {spent} of {limit} ({self.name}) are spent; it was not "
            "sent. Raise the limit, or lower max_tokens, which a reply is taken to reach until it is there"
        )


class Reservation:
    """What is set aside for one request; made by ``Ledger.reserve``.

    Args:
        ledger: Where it is counted.
        dollars: US dollars that the request may cost at most.
        tokens: Tokens that it may use at most.
    """

    def __init__(self, ledger: Ledger, dollars: float, tokens: int) -> None:
        self.money, self.tokens = picodollars(dollars), tokens
        self._ledger, self._held = ledger, False

    def renew(self) -> None:
        """Set the same aside again after it was settled, as for another attempt; waits and raises as ``reserve``."""
        changed, chain = self._ledger._changed, self._ledger._chain
        with changed:
            while (full := next((one for one in chain if not one._fits(self.money, self.tokens)), None)) is not None:
                if not full._reservations:
                    raise SpendingLimitError(full._explained(self.money, self.tokens))
                changed.wait()
            for one in chain:
                one._reserved_money += self.money
                one._reserved_tokens += self.tokens
                one._reservations += 1
            self._held = True

    def settle(self, used: Usage) -> None:
        """Count what was used, and free what is set aside, if it still is."""
        changed = self._ledger._changed
        with changed:
            for one in self._ledger._chain:
                one._spent, one._process = one._spent.plus(used), one._process.plus(used)
                if self._held:
                    one._reservations -= 1
                    one._reserved_tokens -= self.tokens
                    one._reserved_money -= self.money
            self._held = False
            changed.notify_all()
