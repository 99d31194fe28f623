"""The walkers' bodies: sizes, where the legs are, and what their motors can do.

Lengths are in world units, of which 30 pixels of the picture make one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SCALE = 30.0
"""Pixels per world unit."""

Point = tuple[float, float]
"""World coordinates, x to the right and y upwards."""


@dataclass(frozen=True)
class LegPair:
    """Two legs that hang from one point of the hull."""

    hip_x: float
    """Where the hips are, in world units to the right of the hull's origin."""
    start_x: float
    """Where the legs are created. Where it differs from ``hip_x``, the first simulation step pulls them in."""


@dataclass(frozen=True)
class Body:
    """One walker."""

    hull: tuple[Point, ...]
    """Corners of the hull around its origin."""
    leg_length: float
    """Length of a thigh, and of a shin."""
    leg_width: float
    """Width of a thigh; a shin has 0.8 of it."""
    torque: float
    """Greatest motor torque of every joint."""
    effort_price: float
    """Reward lost per unit of torque and step, at full action."""
    leg_pairs: tuple[LegPair, ...]
    """Back to front."""
    original_price_divisor: float = 1.0
    """What the authors' code divides ``effort_price`` by, each time that it sets up this body."""

    @property
    def joints(self) -> int:
        """Number of motors, which is the number of actions: a hip and a knee per leg."""
        return 4 * len(self.leg_pairs)

    def price_of_full_action(self, *, divisions: int) -> float:
        """Reward lost per step by a motor at full action, if the authors' code has divided the price so often."""
        return self.effort_price / self.original_price_divisor**divisions * self.torque

    @property
    def legs(self) -> int:
        """Number of legs."""
        return 2 * len(self.leg_pairs)


def _from_pixels(*corners: Point) -> tuple[Point, ...]:
    return tuple((x / SCALE, y / SCALE) for x, y in corners)


_SMALL_HULL = _from_pixels((-30, 9), (6, 9), (34, 1), (34, -8), (-30, -8))
_LARGE_HULL = _from_pixels((-46, 13), (6, 13), (50, 5), (50, -12), (-46, -12))
_HIPS_IN_THE_MIDDLE = (LegPair(hip_x=0.0, start_x=0.0),)

BODIES: Mapping[str, Body] = MappingProxyType(
    {
        "default": Body(
            hull=_SMALL_HULL,
            leg_length=34 / SCALE,
            leg_width=8 / SCALE,
            torque=80.0,
            effort_price=0.00035,
            leg_pairs=_HIPS_IN_THE_MIDDLE,
        ),
        "short": Body(
            hull=_SMALL_HULL,
            leg_length=17 / SCALE,
            leg_width=8 / SCALE,
            torque=80.0,
            effort_price=0.00035,
            leg_pairs=_HIPS_IN_THE_MIDDLE,
        ),
        "quadruped": Body(
            hull=_LARGE_HULL,
            leg_length=51 / SCALE,
            leg_width=10 / SCALE,
            torque=300.0,
            effort_price=0.00035,
            leg_pairs=(LegPair(hip_x=-1.2, start_x=-1.6), LegPair(hip_x=0.85, start_x=1.36)),
            original_price_divisor=8.0,
        ),
    }
)
"""The walkers of Portelas et al. (2019), by name."""
