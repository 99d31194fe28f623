"""Grass, and grass with stumps, stairs and pits.

The obstacle course's eight parameters are those of Parker-Holder et al. (2022, ACCEL, arXiv:2203.01302), who took the
first five from POET (Wang et al. 2019, arXiv:1901.01753). With the same random numbers the tracks are the authors', to
the last bit. One thing differs: a stump that is too low for Box2D to build (one in ten thousand on easy courses) is
drawn again from the same generator, where the authors reseed theirs.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np

from teachgym.base.registry import unknown_name
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.worlds.bipedal_walker.bodies import SCALE, Point
from teachgym.envs.worlds.bipedal_walker.track import (
    GROUND_HEIGHT,
    START_PAD_STEPS,
    STEP,
    STEPS,
    Polygon,
    Terrain,
    Track,
    can_be_built,
)

Ranges = Literal["full", "easy"]

RANGES: Mapping[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "full": ((0, 10), (0, 10), (0, 10), (0, 5), (0, 5), (0, 5), (0, 5), (1, 9)),
        "easy": ((0, 0.6), (0, 0.8), (0, 0.8), (0, 0.4), (0, 0.4), (0, 0.4), (0, 0.4), (1, 1.4)),
    }
)
"""Bounds of the eight parameters. The authors' easy ranges leave only the roughness free: every low is 0, every high
the upper bound here, and ``stair_steps`` is 1 (to which all of [1, 1.4] rounds)."""

LOWEST_STUMP, LOWEST_STAIR, NARROWEST_PIT = 0.2, 0.2, 0.8
"""A kind of obstacle whose high is below this is left out, in terrain steps."""

_PIT_DEPTH = 4
_LOWEST_STEP = 0.01
"""A staircase whose steps are no higher, in terrain steps, has none."""
_STAIR_WIDTH = 4
_SHORTEST, _LONGEST = 5, 9
"""Of a stretch of grass, in terrain steps."""

Obstacle = Callable[["_Course", int, np.random.Generator], bool]
"""Adds itself to the course and says whether there is room for more. The number is the length drawn for a stretch
after grass, which an obstacle takes for its own or not."""


class _GrassTrack(Terrain):
    """Stretches of grass, with an obstacle between each two if there are any.

    Draws one uniform number per sloping step of grass; after each stretch the length of the next (an integer), and
    after one of grass also which kind of obstacle follows (an integer, if there is a choice).
    """

    def _course(self, task: list[float]) -> "_Course":
        """The track before anything is on it."""
        return _Course(roughness=task[0])

    @abstractmethod
    def _obstacles(self, task: list[float]) -> list[Obstacle]:
        """The kinds that there are."""

    def generate(self, task: FloatArray, rng: np.random.Generator) -> Track:
        """Make a track."""
        values = [float(value) for value in task]
        kinds = self._obstacles(values)
        course = self._course(values)
        length, level = START_PAD_STEPS, False
        while course.add_grass(length, rng, first_is_level=level):
            length, level = _stretch(rng), True
            if kinds:
                obstacle = kinds[int(rng.integers(len(kinds)))]
                if course.complete or not obstacle(course, length, rng):
                    break
                length = _stretch(rng)
        return Track(ground=tuple(course.ground), obstacles=tuple(course.obstacles), check=False)


@dataclass(frozen=True)
class Grass(_GrassTrack):
    """Uneven ground without obstacles: at roughness 1 the track of Gymnasium's ``BipedalWalker-v3``.

    Draws what Gymnasium draws. The roughness multiplies the noise of the slope, not what draws it back to level.
    """

    @cached_property
    def task_space(self) -> TaskSpace:
        """How uneven the ground is."""
        return TaskSpace([Parameter("roughness", 0.0, 2.0, "times that of BipedalWalker-v3", harder=0.1)])

    def _course(self, task: list[float]) -> "_Course":
        return _Course(noise=task[0])

    def _obstacles(self, task: list[float]) -> list[Obstacle]:
        return []


@dataclass(frozen=True)
class ObstacleCourse(_GrassTrack):
    """Grass with stumps, stairs and pits of drawn sizes.

    The roughness multiplies every change of height of the grass; at 1, without obstacles, the track is that of
    Gymnasium's ``BipedalWalker-v3``. The sizes of the obstacles are uniform between a low and a high, which count in
    either order. Stumps are one terrain step wide. A pit is four deep. A staircase goes up or down by steps that are
    four wide, and has **from 0 to** ``stair_steps`` **- 1** of them, ``stair_steps`` being rounded: so it is in the
    authors' code, whose results are for such tracks. At 1 no staircase has a step. Steps no higher than 0.01 terrain
    steps are not built either; there the ground bends by as little, for as long as the next stretch of grass was to be.

    Draws, beside what grass draws, per stump its height; per staircase the height of its steps, its direction
    and the number of steps; per pit its width.

    Raises:
        ValueError: If the ranges are unknown.
    """

    ranges: Ranges = "full"
    """``"full"``, or ``"easy"`` with bounds so low that there are hardly any obstacles: pits only at a
    ``pit_gap_high`` of exactly 0.8, stumps below 0.4 and no stairs."""

    def __post_init__(self) -> None:
        if self.ranges not in RANGES:
            raise unknown_name("ranges of the obstacle course", str(self.ranges), RANGES)

    @cached_property
    def task_space(self) -> TaskSpace:
        """Roughness of the grass, and sizes of the obstacles; steps towards harder are those of ACCEL's editor."""
        named = [
            ("ground_roughness", "times that of BipedalWalker-v3", 0.6),
            *((f"pit_gap_{end}", "terrain steps", 0.4) for end in ("low", "high")),
            *((f"stump_height_{end}", "terrain steps", 0.2) for end in ("low", "high")),
            *((f"stair_height_{end}", "terrain steps", 0.2) for end in ("low", "high")),
            ("stair_steps", "steps, of which a staircase has fewer", 1.0),
        ]
        return TaskSpace(
            [
                Parameter(name, low, high, unit, harder=harder, random_step=name == "ground_roughness")
                for (name, unit, harder), (low, high) in zip(named, RANGES[self.ranges], strict=True)
            ]
        )

    def _obstacles(self, task: list[float]) -> list[Obstacle]:
        (narrowest, widest), (lowest_stump, highest_stump), (lowest_stair, highest_stair) = (
            sorted(task[i : i + 2]) for i in (1, 3, 5)
        )
        most_steps = round(task[7])

        def stump(course: _Course, length: int, rng: np.random.Generator) -> bool:
            while not course.put_block(0, 1, top=rng.uniform(lowest_stump, highest_stump), bottom=0.0):
                pass  # too low for Box2D
            return course.add_heights([course.height] * length)

        def staircase(course: _Course, length: int, rng: np.random.Generator) -> bool:
            rise = rng.uniform(lowest_stair, highest_stair)
            direction = 1 if rng.random() > 0.5 else -1
            steps = int(rng.integers(most_steps))
            width = steps * _STAIR_WIDTH
            if rise > _LOWEST_STEP:
                course.put_stairs(steps, rise, direction)
                length = width + 1
            y, below = course.height, rise * STEP if direction < 0 else 0.0
            levels = ((width - left) // _STAIR_WIDTH for left in range(length - 1, 0, -1))
            return course.add_heights([y, *(y + level * rise * direction * STEP - below for level in levels)])

        def pit(course: _Course, length: int, rng: np.random.Generator) -> bool:
            return course.add_pit(rng.uniform(narrowest, widest))

        kinds: list[Obstacle] = []
        if highest_stump >= LOWEST_STUMP:
            kinds.append(stump)
        if highest_stair >= LOWEST_STAIR:
            kinds.append(staircase)
        if widest >= NARROWEST_PIT:
            kinds.append(pit)
        return kinds


@dataclass(frozen=True)
class Hardcore(_GrassTrack):
    """Gymnasium's obstacles: at roughness 1 the track of its ``BipedalWalkerHardcore-v3``.

    Not a point of the obstacle course's task space: its stumps are as wide as high (one or two terrain steps), its
    pits two or three wide, and a slope runs under its stairs, which have three or four steps of height 1.

    Draws, beside what grass draws, an integer per stump and per pit, and per staircase its direction and an integer.
    """

    @cached_property
    def task_space(self) -> TaskSpace:
        """How uneven the grass is."""
        return TaskSpace([Parameter("roughness", 0.0, 2.0, "times that of BipedalWalkerHardcore-v3", harder=0.1)])

    def _obstacles(self, task: list[float]) -> list[Obstacle]:
        def stump(course: _Course, length: int, rng: np.random.Generator) -> bool:
            size = int(rng.integers(1, 3))
            course.put_block(0, size, top=size, bottom=0.0)
            return course.add_heights([course.height] * size)

        def staircase(course: _Course, length: int, rng: np.random.Generator) -> bool:
            direction = 1 if rng.random() > 0.5 else -1
            steps = int(rng.integers(3, 5))
            y = course.height
            course.put_stairs(steps, 1.0, direction)
            slope = (y + (i - direction) / _STAIR_WIDTH * direction * STEP for i in range(1, steps * _STAIR_WIDTH))
            return course.add_heights([y, *slope])

        def pit(course: _Course, length: int, rng: np.random.Generator) -> bool:
            return course.add_pit(int(rng.integers(3, 5)) - 1)

        return [stump, staircase, pit]


class _Course:
    """A track while it is made, from left to right. Sizes are in terrain steps, heights in world units."""

    def __init__(self, *, roughness: float = 1.0, noise: float = 1.0) -> None:
        self.ground: list[Point] = []
        self.obstacles: list[Polygon] = []
        self.height = GROUND_HEIGHT
        self._roughness, self._noise, self._slope = roughness, noise, 0.0

    @property
    def complete(self) -> bool:
        """Whether the track has its full length."""
        return len(self.ground) == STEPS

    @property
    def _x(self) -> float:
        return len(self.ground) * STEP

    def add_grass(self, length: int, rng: np.random.Generator, *, first_is_level: bool) -> bool:
        """Add a stretch of grass; says whether all of it had room."""
        start, height, heights = len(self.ground), self.height, []
        fitting = min(length, STEPS - start)
        level = min(fitting, max(int(first_is_level), START_PAD_STEPS + 1 - start))
        for i, noise in enumerate([0.0] * level + rng.uniform(-1, 1, fitting - level).tolist()):
            if i > 0 or not first_is_level:
                back = (height < GROUND_HEIGHT) - (height > GROUND_HEIGHT)
                self._slope = 0.8 * self._slope + 0.01 * back + self._noise * noise / SCALE
                height += self._roughness * self._slope
            heights.append(height)
        return self.add_heights(heights) and fitting == length

    def add_heights(self, heights: Sequence[float]) -> bool:
        """Add a point of the ground per terrain step; says whether all of them had room."""
        start = len(self.ground)
        fitting = heights[: STEPS - start]
        self.ground += [((start + i) * STEP, height) for i, height in enumerate(fitting)]
        self.height = self.ground[-1][1]
        return len(fitting) == len(heights)

    def add_pit(self, gap: float) -> bool:
        """Add a pit of any width between two posts of width 1; says whether all of it had room."""
        edge, far = self.height, 1 + gap
        self.put_block(0, 1, top=0, bottom=-_PIT_DEPTH)
        self.obstacles.append(tuple((x + far * STEP, y) for x, y in self.obstacles[-1]))
        floor = math.ceil(far)
        fits = self.add_heights([edge, *[edge - _PIT_DEPTH * STEP] * floor, edge])
        if fits:  # the last point lies where the second post ends
            x, _ = self.ground.pop()
            self.ground.append((x - (floor - far) * STEP, edge))
        return fits

    def put_block(self, left: float, width: float, *, top: float, bottom: float) -> bool:
        """Put a block ``left`` to the right of the next point of the ground; says whether Box2D can build it."""
        x1, x2 = self._x + left * STEP, self._x + (left + width) * STEP
        low, high = self.height + bottom * STEP, self.height + top * STEP
        block = ((x1, low), (x2, low), (x2, high), (x1, high))
        if not can_be_built(block):
            return False
        self.obstacles.append(block)
        return True

    def put_stairs(self, steps: int, rise: float, direction: int) -> None:
        """Put blocks that are as thick as the steps are high; the first is level with the ground."""
        for step in range(steps):
            top = step * rise * direction
            self.put_block(step * _STAIR_WIDTH, _STAIR_WIDTH, top=top, bottom=top - rise)


def _stretch(rng: np.random.Generator) -> int:
    return int(rng.integers(_SHORTEST, _LONGEST + 1))
