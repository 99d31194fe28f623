"""The tracks that a walker can be put on, each a function of a task.

The three obstacle tracks are those of Portelas et al. (2019, arXiv:1910.07224). They differ from the authors'
code in their noise: it comes from the environment's generator, as one scalar draw after the other, where the
authors draw that of hexagons from NumPy's global one, and they consume draws that have no effect.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from teachgym.envs.bipedal_walker.bodies import SCALE, Point
from teachgym.task_space import FloatArray, Parameter, TaskSpace

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

_NOISE = 0.1
_THINNEST = 0.05
_MOST_CORNERS = 16
_LEAST_AREA = 1e-6
"""In square world units; below it Box2D's rounding decides."""

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

    def __post_init__(self) -> None:
        _check_points("ground", self.ground, range(2, len(self.ground) + 1))
        for number, corners in enumerate(self.obstacles):
            _check_points(f"polygon {number}", corners, range(3, _MOST_CORNERS + 1))
            if len({(float(np.float32(x)), float(np.float32(y))) for x, y in corners}) < len(corners):
                raise ValueError(f"polygon {number} is {corners}; expected corners that differ, also in float32")
            (x, y), *others = corners
            if max(abs((a - x) * (d - y) - (b - y) * (c - x)) for (a, b), (c, d) in pairwise(others)) < _LEAST_AREA:
                raise ValueError(f"polygon {number} is {corners}; expected a polygon with an area")

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


class _ObstacleTrack(Terrain):
    """Obstacles, each followed by one edge of flat ground, from the start pad to the end."""

    @abstractmethod
    def _spacing(self, task: list[float]) -> float:
        """World units of ground between two obstacles."""

    @abstractmethod
    def _place(self, x: float, task: list[float], rng: np.random.Generator) -> tuple[list[Polygon], float]:
        """Polygons of the obstacle at ``x``, and where the ground after it begins."""

    def generate(self, task: FloatArray, rng: np.random.Generator) -> Track:
        """Make a track."""
        values = [float(value) for value in task]
        spacing = max(0.01, self._spacing(values))
        x, end = START_PAD_STEPS * STEP, STEPS * STEP
        corners = [0.0, x, x]
        obstacles: list[Polygon] = []
        while True:
            placed, x = self._place(x, values, rng)
            obstacles += placed
            corners.append(x)
            if x >= end:
                break
            x += spacing
            corners.append(x)
            if x >= end:
                break
        return Track(
            ground=tuple((corner, GROUND_HEIGHT) for corner in corners),
            obstacles=tuple(obstacles),
            original_points=len(corners) - 1,
        )


@dataclass(frozen=True)
class StumpTracks(_ObstacleTrack):
    """Evenly spaced stumps, one terrain step wide.

    Draws one normal number per stump, its height.
    """

    max_height: float = 3.0
    """Greatest mean height, in terrain steps. The paper's variants are 3, 4 and 5."""
    min_spacing: float = 0.0
    """Least ground between two stumps, in world units."""

    @cached_property
    def task_space(self) -> TaskSpace:
        """Mean height of the stumps and the ground between two."""
        return TaskSpace(
            [
                Parameter("stump_height", 0.0, self.max_height, "terrain steps", harder=0.1),
                Parameter("stump_spacing", self.min_spacing, 6.0, "world units", harder=-0.2),
            ]
        )

    def _spacing(self, task: list[float]) -> float:
        return task[1]

    def _place(self, x: float, task: list[float], rng: np.random.Generator) -> tuple[list[Polygon], float]:
        height = max(_THINNEST, rng.normal(task[0], _NOISE))
        return [_block(x, STEP, height)], x + STEP


@dataclass(frozen=True)
class HexagonTracks(_ObstacleTrack):
    """Hexagons whose corners the task moves; an obstacle is the convex hull of its six.

    Draws twelve normal numbers per hexagon: the offsets, in their order.
    """

    spacing: float = 8.0
    """World units of ground after each obstacle."""

    @cached_property
    def task_space(self) -> TaskSpace:
        """Mean offset of each corner, x then y. ``offset_1`` and ``offset_11`` have no effect."""
        return TaskSpace([Parameter(f"offset_{i}", 0.0, 4.0, "terrain steps", harder=0.1) for i in range(12)])

    def _spacing(self, task: list[float]) -> float:
        return self.spacing

    def _place(self, x: float, task: list[float], rng: np.random.Generator) -> tuple[list[Polygon], float]:
        offsets = iter([rng.normal(value, _NOISE) for value in task])
        return [tuple(_hexagon(x, offsets))], x + 1.0


@dataclass(frozen=True)
class StumpSequence(_ObstacleTrack):
    """Groups of five stumps that touch, each stump with its own height and width.

    Draws two normal numbers per stump: height, then width.
    """

    spacing: float = 8.0
    """World units of ground after each group."""

    @cached_property
    def task_space(self) -> TaskSpace:
        """Mean height and width of the five stumps, from left to right."""
        return TaskSpace(
            [
                Parameter(f"{kind}_{i}", 0.0, 6.0, unit, harder=0.1)
                for i in range(5)
                for kind, unit in (("height", "terrain steps"), ("width", "world units"))
            ]
        )

    def _spacing(self, task: list[float]) -> float:
        return self.spacing

    def _place(self, x: float, task: list[float], rng: np.random.Generator) -> tuple[list[Polygon], float]:
        blocks: list[Polygon] = []
        for height, width in zip(task[0::2], task[1::2], strict=True):
            drawn_height = max(_THINNEST, rng.normal(height, _NOISE))
            drawn_width = max(_THINNEST, rng.normal(width, _NOISE))
            blocks.append(_block(x, drawn_width, drawn_height))
            x += drawn_width
        return blocks, x


@dataclass(frozen=True)
class Grass(Terrain):
    """Uneven ground without obstacles: at roughness 1 the track of Gymnasium's ``BipedalWalker-v3``.

    Draws what Gymnasium draws: one uniform number per sloping terrain step, and an integer at every flat one.
    """

    @cached_property
    def task_space(self) -> TaskSpace:
        """How uneven the ground is."""
        return TaskSpace([Parameter("roughness", 0.0, 2.0, "times that of BipedalWalker-v3", harder=0.1)])

    def generate(self, task: FloatArray, rng: np.random.Generator) -> Track:
        """Make a track."""
        roughness = float(task[0])
        slope, y = 0.0, GROUND_HEIGHT
        until_flat = START_PAD_STEPS
        flat = False
        ground: list[Point] = []
        for i in range(STEPS):
            if not flat:
                slope = 0.8 * slope + 0.01 * ((y < GROUND_HEIGHT) - (y > GROUND_HEIGHT))
                if i > START_PAD_STEPS:
                    slope += roughness * rng.uniform(-1, 1) / SCALE
                y += slope
            ground.append((i * STEP, y))
            until_flat -= 1
            flat = until_flat == 0
            if flat:
                until_flat = int(rng.integers(5, 10))
        return Track(ground=tuple(ground))


def _check_points(what: str, points: tuple[Point, ...], counts: range) -> None:
    if len(points) not in counts:
        raise ValueError(f"{what} has {len(points)} points; expected from {counts.start} to {counts.stop - 1}")
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
        raise ValueError(f"{what} is {points}; expected finite numbers")


def draw_clouds(rng: np.random.Generator) -> tuple[Polygon, ...]:
    """Ten clouds of five corners. They are only scenery, but what follows them depends on their draws.

    Draws, as Gymnasium does, 11 uniform numbers per cloud: its place, then right and up of each corner.
    """
    clouds = []
    for _ in range(STEPS // 20):
        x = rng.uniform(0, STEPS) * STEP
        corners = []
        for i in range(5):
            angle = 3.14 * 2 * i / 5
            right = 15 * STEP * math.sin(angle) + rng.uniform(0, 5 * STEP)
            up = 5 * STEP * math.cos(angle) + rng.uniform(0, 5 * STEP)
            corners.append((x + right, 3 * GROUND_HEIGHT + up))
        clouds.append(tuple(corners))
    return tuple(clouds)


def _block(x: float, width: float, height_steps: float) -> Polygon:
    top = GROUND_HEIGHT + height_steps * STEP
    return ((x, GROUND_HEIGHT), (x + width, GROUND_HEIGHT), (x + width, top), (x, top))


_HEXAGON = ((-0.5, 0.0), (-0.5, 0.25), (-0.25, 0.5), (0.25, 0.5), (0.5, 0.25), (0.5, 0.0))


def _hexagon(x: float, offsets: Iterator[float]) -> Iterator[Point]:
    for corner, (base_x, base_y) in enumerate(_HEXAGON):
        right, up = next(offsets), next(offsets)
        on_ground = corner in (0, len(_HEXAGON) - 1)
        yield (
            x + base_x * STEP + right * STEP,
            GROUND_HEIGHT + base_y * STEP + (0.0 if on_ground else up * STEP),
        )


TERRAINS: Mapping[str, Callable[[], Terrain]] = MappingProxyType(
    {
        "stump-tracks": StumpTracks,
        "hexagon-tracks": HexagonTracks,
        "stump-sequence": StumpSequence,
        "grass": Grass,
    }
)
"""The families of tracks, by name."""
