"""What the authors' simulator gets wrong: each a named choice between ``fixed`` and ``faithful``."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from teachgym.base.registry import unknown_name

DEFECTS: Mapping[str, str] = MappingProxyType(
    {
        "lidar": "faithful: a ray measures the first ground fixture that Box2D reports; fixed: the nearest one",
        "leg_contacts": "faithful: the second pair of legs never reports contact; fixed: every leg does",
        "ground_end": "faithful: the ground stops where the track's last piece begins, for stump spacings above 4.67 "
        "possibly before the finish; fixed: it reaches beyond the finish",
        "ground_seam": "faithful: an edge of length zero lies where the start pad ends and disturbs the contacts of "
        "what touches it; fixed: there is none",
        "effort_price": "faithful: the quadruped's price of torque is divided by 8 each time that an "
        "environment is set up: once, or as often as the integer given; fixed: once",
    }
)
"""Name of each defect and what its two variants do."""


@dataclass(frozen=True)
class Defects:
    """Which defects are on."""

    lidar: bool = False
    """Rays keep the first fixture reported."""
    leg_contacts: bool = False
    """Contacts of the second leg pair go unseen."""
    ground_end: bool = False
    """The ground ends where the last piece begins."""
    ground_seam: bool = False
    """A zero-length edge lies at the end of the start pad."""
    effort_price: int = 1
    """How often the price of torque is divided."""

    @classmethod
    def parse(cls, choice: str | Mapping[str, str | int]) -> "Defects":
        """Read what the constructor of the environment was given.

        Args:
            choice: ``"fixed"``, ``"faithful"``, or a mapping from names of defects to either; what the mapping
                leaves out is fixed. ``effort_price`` also takes an integer.

        Raises:
            ValueError: If a name or a variant is unknown.
        """
        if isinstance(choice, str):
            choice = {name: _variant(choice, "defects") for name in DEFECTS}
        if not isinstance(choice, Mapping):
            raise ValueError(f"defects is {choice!r}; expected 'fixed', 'faithful' or a mapping from names to these")
        settings: dict[str, Any] = {}
        for name, value in choice.items():
            if name not in DEFECTS:
                raise unknown_name("defect", str(name), DEFECTS)
            settings[name] = _divisions(value) if name == "effort_price" else _variant(value, name) == "faithful"
        return cls(**settings)


def _variant(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}; expected 'fixed' or 'faithful'")
    if value not in ("fixed", "faithful"):
        raise unknown_name(f"variant of {name}", value, ("fixed", "faithful"))
    return value


def _divisions(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise ValueError(f"effort_price is {value}; expected at least 1 division, 'fixed' or 'faithful'")
        return value
    _variant(value, "effort_price")
    return 1
