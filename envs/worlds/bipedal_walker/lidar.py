"""Ten rays from the hull's centre that measure how far the ground is."""

import math

from teachgym.envs.worlds.bipedal_walker.box2d import b2Fixture, b2RayCastCallback, b2Vec2, b2World

RANGE = 160 / 30.0
"""Length of a ray, in world units."""
RAYS = 10
OFFSETS = tuple((math.sin(1.5 * i / RAYS) * RANGE, -math.cos(1.5 * i / RAYS) * RANGE) for i in range(RAYS))
"""End of each ray from its start: the first points straight down, the others ever more forward."""

GROUND = "ground"
"""What the fixtures that rays can hit carry as user data."""


class _NearestRay(b2RayCastCallback):  # type: ignore[misc]  # the binding has no types
    """Keeps the nearest hit: returning a fraction clips the ray there, -1 passes through the fixture."""

    fraction: float = 1.0

    def ReportFixture(self, fixture: b2Fixture, point: b2Vec2, normal: b2Vec2, fraction: float) -> float:  # noqa: N802
        if fixture.userData != GROUND:
            return -1.0
        self.fraction = fraction
        return fraction


class _FirstReportedRay(b2RayCastCallback):  # type: ignore[misc]  # the binding has no types
    """Keeps the first hit that Box2D reports, which need not be the nearest: returning 0 ends the search."""

    fraction: float = 1.0

    def ReportFixture(self, fixture: b2Fixture, point: b2Vec2, normal: b2Vec2, fraction: float) -> float:  # noqa: N802
        if fixture.userData != GROUND:
            return -1.0
        self.fraction = fraction
        return 0.0


class Lidar:
    """The range finder.

    Args:
        world: What the rays are cast in.
        first_reported: Measure the first fixture reported instead of the nearest.
    """

    def __init__(self, world: b2World, *, first_reported: bool) -> None:
        self._cast = world.RayCast
        self._ray = _FirstReportedRay() if first_reported else _NearestRay()

    def scan(self, x: float, y: float) -> list[float]:
        """Distance that each ray gets from ``(x, y)``, as a fraction of its length; 1 where it hits nothing."""
        cast, ray, start = self._cast, self._ray, (x, y)
        fractions = []
        for right, up in OFFSETS:
            ray.fraction = 1.0
            cast(ray, start, (x + right, y + up))
            fractions.append(ray.fraction)
        return fractions
