"""The tracks that a walker can be put on, each a function of a task.

The three obstacle tracks are those of Portelas et al. (2019, arXiv:1910.07224). They differ from the authors'
code in their noise: it comes from the environment's generator, as one scalar draw after the other, where the
authors draw that of hexagons from NumPy's global one, and they consume draws that have no effect.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.worlds.bipedal_walker.bodies import Point
from teachgym.envs.worlds.bipedal_walker.obstacle_course import Grass, Hardcore, ObstacleCourse
from teachgym.envs.worlds.bipedal_walker.track import (
    FINISH,
    GROUND_HEIGHT,
    START_PAD_STEPS,
    STEP,
    STEPS,
    Polygon,
    Terrain,
    Track,
)

__all__ = [
    "CLOUD_DRAWS",
    "FINISH",
    "GROUND_HEIGHT",
    "START_PAD_STEPS",
    "STEP",
    "STEPS",
    "TERRAINS",
    "Grass",
    "Hardcore",
    "HexagonTracks",
    "ObstacleCourse",
    "Polygon",
    "StumpSequence",
    "StumpTracks",
    "Terrain",
    "Track",
    "draw_clouds",
]

LENGTH = STEPS * STEP
"""Of a track, in world units."""
WIDEST_SPACING = 6.0
"""Greatest ground between two stumps of ``StumpTracks``, in world units."""
_CLOSEST = 0.01
"""Least ground between two obstacles, in world units; a smaller spacing counts as this."""
_NOISE = 0.1
_THINNEST = 0.05
_CLOUDS, _CLOUD_CORNERS = STEPS // 20, 5
CLOUD_DRAWS = _CLOUDS * (1 + 2 * _CLOUD_CORNERS)
"""Numbers that ``draw_clouds`` draws."""


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
        spacing = max(_CLOSEST, self._spacing(values))
        x, end = START_PAD_STEPS * STEP, LENGTH
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
            check=False,
        )


@checked_dataclass
class StumpTracks(_ObstacleTrack):
    """Evenly spaced stumps, one terrain step wide.

    Draws one normal number per stump, its height.

    Raises:
        ValueError: If a bound is out of its range.
    """

    max_height: Annotated[float, Gt(0), Le(STEPS)] = 3.0
    """Greatest mean height, in terrain steps: above 0, at most 200. The paper's variants are 3, 4 and 5."""
    min_spacing: Annotated[float, Ge(0), Lt(WIDEST_SPACING)] = 0.0
    """Least ground between two stumps, in world units: non-negative, below 6."""

    @cached_property
    def task_space(self) -> TaskSpace:
        """Mean height of the stumps and the ground between two."""
        return TaskSpace(
            [
                Parameter("stump_height", 0.0, self.max_height, "terrain steps", harder=0.1),
                Parameter("stump_spacing", self.min_spacing, WIDEST_SPACING, "world units", harder=-0.2),
            ]
        )

    def _spacing(self, task: list[float]) -> float:
        return task[1]

    def _place(self, x: float, task: list[float], rng: np.random.Generator) -> tuple[list[Polygon], float]:
        height = max(_THINNEST, rng.normal(task[0], _NOISE))
        return [_block(x, STEP, height)], x + STEP


@checked_dataclass
class HexagonTracks(_ObstacleTrack):
    """Hexagons whose corners the task moves; an obstacle is the convex hull of its six.

    Draws twelve normal numbers per hexagon: the offsets, in their order.

    Raises:
        ValueError: If the spacing is negative, or longer than a track.
    """

    spacing: Annotated[float, Ge(0), Le(LENGTH)] = 8.0
    """World units of ground after each obstacle: non-negative, at most 93.3."""

    @cached_property
    def task_space(self) -> TaskSpace:
        """Mean offset of each corner, x then y. ``offset_1`` and ``offset_11`` have no effect."""
        return TaskSpace([Parameter(f"offset_{i}", 0.0, 4.0, "terrain steps", harder=0.1) for i in range(12)])

    def _spacing(self, task: list[float]) -> float:
        return self.spacing

    def _place(self, x: float, task: list[float], rng: np.random.Generator) -> tuple[list[Polygon], float]:
        offsets = iter([rng.normal(value, _NOISE) for value in task])
        return [tuple(_hexagon(x, offsets))], x + 1.0


@checked_dataclass
class StumpSequence(_ObstacleTrack):
    """Groups of five stumps that touch, each stump with its own height and width.

    Draws two normal numbers per stump: height, then width.

    Raises:
        ValueError: If the spacing is negative, or longer than a track.
    """

    spacing: Annotated[float, Ge(0), Le(LENGTH)] = 8.0
    """World units of ground after each group: non-negative, at most 93.3."""

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


def draw_clouds(rng: np.random.Generator) -> tuple[Polygon, ...]:
    """Ten clouds of five corners. They are only scenery, but what follows them depends on their draws.

    Draws, as Gymnasium does, 11 uniform numbers per cloud: its place, then right and up of each corner.
    """
    clouds = []
    for _ in range(_CLOUDS):
        x = rng.uniform(0, STEPS) * STEP
        corners = []
        for i in range(_CLOUD_CORNERS):
            angle = 3.14 * 2 * i / _CLOUD_CORNERS
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
        "hardcore": Hardcore,
        "obstacle-course": ObstacleCourse,
    }
)
"""The families of tracks, by name."""
