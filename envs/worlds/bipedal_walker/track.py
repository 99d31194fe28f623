"""What a walker walks on, and what makes it: the base of every terrain."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import InitVar, dataclass
from itertools import pairwise

import numpy as np

from teachgym.core.task_space import FloatArray, TaskSpace
from teachgym.envs.worlds.bipedal_walker.bodies import SCALE, Point
from teachgym.envs.worlds.bipedal_walker.box2d import b2PolygonShape

STEP = 14 / SCALE
"""One terrain step, in world units."""
STEPS = 200
"""Length of a track, in terrain steps."""
FINISH = (STEPS - 10) * STEP
"""A walker whose hull is further to the right has finished."""
GROUND_HEIGHT = 400 / SCALE / 4
"""Height of the start pad, in world units."""
START_PAD_STEPS = 20
"""Length of the flat start, in terrain steps."""

_MOST_CORNERS = 16

Polygon = tuple[Point, ...]


@dataclass(frozen=True)
class Track:
    """What a walker walks on. The engine builds the obstacles first, then the ground, each from left to right.

    Raises:
        ValueError: If the ground has less than two points, a polygon is none, or a number is not finite.
    """

    ground: tuple[Point, ...]
    """Line of the ground from left to right. A point given twice is where the authors' simulator has an edge
    of length zero, which only the faithful ``ground_seam`` builds."""
    obstacles: tuple[Polygon, ...] = ()
    """Convex polygons of 3 to 16 corners that differ. Box2D takes the convex hull of others."""
    original_points: int | None = None
    """How many points of the ground the authors' simulator builds; None for all."""
    check: InitVar[bool] = True
    """Whether to check it, which takes several times as long as making it."""

    def __post_init__(self, check: bool) -> None:
        if not check:
            return
        _check_points("ground", self.ground, range(2, len(self.ground) + 1))
        for number, corners in enumerate(self.obstacles):
            _check_points(f"polygon {number}", corners, range(3, _MOST_CORNERS + 1))
            if len({(float(np.float32(x)), float(np.float32(y))) for x, y in corners}) < len(corners):
                raise ValueError(f"polygon {number} is {corners}; expected corners that differ, also in float32")
            if not can_be_built(corners):
                raise ValueError(f"polygon {number} is {corners}; expected an area that Box2D can tell from none")

    def edges(self, *, original_end: bool = False, seam: bool = False) -> Iterator[tuple[Point, Point]]:
        """Edges of the ground from left to right.

        Args:
            original_end: End where the authors' simulator ends.
            seam: Keep edges of length zero.
        """
        points = self.ground[: self.original_points] if original_end else self.ground
        for left, right in pairwise(points):
            if seam or left != right:
                yield left, right


class Terrain(ABC):
    """A family of tracks. To add one, write a subclass and pass an instance as ``terrain``."""

    @property
    @abstractmethod
    def task_space(self) -> TaskSpace:
        """The parameters of a track."""

    @abstractmethod
    def generate(self, task: FloatArray, rng: np.random.Generator) -> Track:
        """Make a track.

        Args:
            task: ``(n,)``, valid in the task space.
            rng: The only source of randomness. The start pad should be flat, at ``GROUND_HEIGHT``, and the
                ground reach beyond ``FINISH``.
        """


def can_be_built(corners: Polygon) -> bool:
    """Whether Box2D makes a shape of a polygon: its area must not vanish in float32, given where it lies."""
    try:
        b2PolygonShape(vertices=corners)
    except AssertionError:
        return False
    return True


def _check_points(what: str, points: tuple[Point, ...], counts: range) -> None:
    if len(points) not in counts:
        raise ValueError(f"{what} has {len(points)} points; expected from {counts.start} to {counts.stop - 1}")
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
        raise ValueError(f"{what} is {points}; expected finite numbers")
