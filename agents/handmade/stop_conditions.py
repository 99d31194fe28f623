"""Conditions on how a stage of a curriculum goes, as a person types them: ``episodes>=50 & success>0.8``."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

QUANTITIES: Mapping[str, str] = MappingProxyType(
    {
        "steps": "student steps spent in this stage",
        "episodes": "answers in this stage",
        "total_steps": "student steps spent since the start",
        "total_episodes": "answers since the start",
        "outcome": "mean raw outcome of the stage's last answers",
        "success": "share of successes among the stage's last answers",
    }
)
"""What a condition may speak of."""
_SIGNS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
)
_COMPARISON = re.compile(r"\s*([A-Za-z_]+)\s*(>=|<=|>|<)\s*(\S+)\s*")


@dataclass(frozen=True)
class Bound:
    """One comparison, such as ``steps>20000``."""

    quantity: str
    """A name in ``QUANTITIES``."""
    sign: str
    """``">"``, ``">="``, ``"<"`` or ``"<="``."""
    number: float
    """What the quantity is compared with."""

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether it is so; false where the quantity has no value yet."""
        value = values.get(self.quantity)
        return value is not None and _SIGNS[self.sign](value, self.number)


@dataclass(frozen=True)
class Condition:
    """Comparisons joined by ``&`` (and), which binds more closely, and ``|`` (or)."""

    alternatives: tuple[tuple[Bound, ...], ...]
    """It holds where all comparisons of any alternative do."""

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Read a condition.

        Raises:
            ValueError: If it is not made of comparisons; the message says which part, and what is expected.
        """
        if not isinstance(text, str):
            raise ValueError(f"condition {text!r} is no text; expected something like 'episodes>=50 & success>0.8'")
        return cls(tuple(tuple(_comparison(part, text) for part in clause.split("&")) for clause in text.split("|")))

    @property
    def quantities(self) -> frozenset[str]:
        """What it speaks of."""
        return frozenset(one.quantity for clause in self.alternatives for one in clause)

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether it is so; a quantity without a value yet makes its comparisons false."""
        return any(all(one.holds(values) for one in clause) for clause in self.alternatives)


def _comparison(part: str, text: str) -> Bound:
    match = _COMPARISON.fullmatch(part)
    if match is None or match[1] not in QUANTITIES:
        raise ValueError(
            f"{part.strip()!r} in condition {text!r} is not a comparison; expected a quantity "
            f"({', '.join(QUANTITIES)}), one of > >= < <=, and a number, joined to others by & or |"
        )
    try:
        number = float(match[3])
    except ValueError:
        number = float("nan")
    if number != number:
        raise ValueError(f"{match[3]!r} in condition {text!r} is not a number")
    return Bound(match[1], match[2], number)
