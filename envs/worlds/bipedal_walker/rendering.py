"""Pictures of a walker on its track, drawn with pygame."""

import math
import os
import warnings
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from teachgym.envs.worlds.bipedal_walker.bodies import SCALE, Point
from teachgym.envs.worlds.bipedal_walker.lidar import OFFSETS, RANGE
from teachgym.envs.worlds.bipedal_walker.simulation import STEPS_PER_SECOND, Part, Simulation
from teachgym.envs.worlds.bipedal_walker.terrain import FINISH, GROUND_HEIGHT, STEP, Polygon

Colour = tuple[int, int, int]
Edge = tuple[Point, Point]

WIDTH, HEIGHT = 600, 400
_FINE = 2
"""Everything is drawn this many times too large and then shrunk, which smooths every edge at once."""
_PIXELS = _FINE * SCALE
_LEAST_BELOW, _MOST_BELOW = 4.5, 9.3
"""World units between the hull and the bottom of the picture, which moves up or down only to keep to these."""

_SKY_TOP, _SKY_BOTTOM = (132, 184, 226), (233, 243, 250)
_CLOUD, _FAR_HILLS, _NEAR_HILLS = (252, 253, 255), (194, 214, 222), (172, 200, 194)
_SOIL, _DEEP_SOIL, _GRASS = (124, 96, 72), (101, 77, 58), (98, 152, 72)
_STONE, _STONE_EDGE = (122, 128, 140), (72, 77, 88)
_RAY, _HIT = (214, 72, 60, 90), (214, 72, 60, 200)
_HULL, _NEAR_LEG, _FAR_LEG = (92, 84, 184), (226, 138, 66), (146, 92, 62)
_OUTLINE, _WINDOW = (44, 40, 72), (206, 226, 244)
_POLE, _FLAG_DARK, _FLAG_LIGHT = (70, 70, 78), (38, 38, 44), (250, 250, 250)


class Renderer:
    """Draws simulations as they are now.

    Args:
        window: Show the pictures in a window, at the walker's own speed, instead of returning them.

    Raises:
        DependencyNotInstalled: If pygame is missing.
    """

    def __init__(self, *, window: bool) -> None:
        self._pygame = pygame = _import_pygame()
        self._canvas = pygame.Surface((WIDTH * _FINE, HEIGHT * _FINE))
        self._sky = _gradient(pygame, _SKY_TOP, _SKY_BOTTOM)
        self._window: Any = None
        if window:
            pygame.display.init()
            self._window = pygame.display.set_mode((WIDTH, HEIGHT))
            pygame.display.set_caption("ParametricBipedalWalker")
            self._clock = pygame.time.Clock()
        self._left = self._bottom = 0.0

    def draw(self, simulation: Simulation, clouds: Iterable[Polygon]) -> NDArray[np.uint8] | None:
        """Draw one picture.

        Returns:
            ``(400, 600, 3)``, or None where the picture is shown in a window.
        """
        pygame = self._pygame
        self._left = simulation.hull_x - WIDTH / SCALE / 5
        height = simulation.hull.position.y
        self._bottom = min(0.0, height - _LEAST_BELOW) + max(0.0, height - _MOST_BELOW)
        self._canvas.blit(self._sky, (0, 0))
        self._hills(_FAR_HILLS, height=5.2, swell=0.6, length=15.0, depth=0.12)
        self._clouds(clouds)
        self._hills(_NEAR_HILLS, height=4.2, swell=0.4, length=9.0, depth=0.3)
        self._flag(1.5 * STEP, simulation.edges, (226, 92, 60))
        self._flag(FINISH, simulation.edges, None)
        for corners in simulation.obstacles:
            self._polygon(corners, _STONE, outline=_STONE_EDGE)
        self._ground(simulation.edges)
        self._rays(simulation)
        for side, colour in ((-1, _FAR_LEG), (0, _HULL), (1, _NEAR_LEG)):
            for part in simulation.parts:
                if part.side == side:
                    self._part(part, colour)
        picture = pygame.transform.smoothscale(self._canvas, (WIDTH, HEIGHT))
        if self._window is None:
            return np.ascontiguousarray(pygame.surfarray.array3d(picture).swapaxes(0, 1))
        self._window.blit(picture, (0, 0))
        pygame.event.pump()
        self._clock.tick(STEPS_PER_SECOND)
        pygame.display.flip()
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._pygame.display.quit()
            self._window = None

    def _pixel(self, point: Point) -> Point:
        return (point[0] - self._left) * _PIXELS, HEIGHT * _FINE - (point[1] - self._bottom) * _PIXELS

    def _visible(self, points: Iterable[Point]) -> bool:
        across = [x for x, _ in points]
        return max(across) >= self._left - 1 and min(across) <= self._left + WIDTH / SCALE + 1

    def _polygon(self, corners: Sequence[Point], colour: Colour, *, outline: Colour | None = None) -> None:
        if not self._visible(corners):
            return
        pixels = [self._pixel(corner) for corner in corners]
        self._pygame.draw.polygon(self._canvas, colour, pixels)
        if outline is not None:
            self._pygame.draw.polygon(self._canvas, outline, pixels, width=_FINE)

    def _hills(self, colour: Colour, *, height: float, swell: float, length: float, depth: float) -> None:
        shift = self._left * depth
        ridge = []
        for x in range(0, WIDTH * _FINE + 20, 20):
            along = (shift + x / _PIXELS) / length
            up = height + swell * (math.sin(2 * math.pi * along) + 0.5 * math.sin(4.4 * math.pi * along + 1))
            ridge.append((x, HEIGHT * _FINE - up * _PIXELS))
        bottom = HEIGHT * _FINE
        self._pygame.draw.polygon(self._canvas, colour, [(0, bottom), *ridge, (ridge[-1][0], bottom)])

    def _clouds(self, clouds: Iterable[Polygon]) -> None:
        for cloud in clouds:
            x = sum(corner[0] for corner in cloud) / len(cloud) + self._left / 2
            y = sum(corner[1] for corner in cloud) / len(cloud) + 0.8 + self._bottom
            if not self._visible([(x - 4, y), (x + 4, y)]):
                continue
            for i, corner in enumerate(cloud):
                puff = x + 0.2 * (corner[0] + self._left / 2 - x), y + 0.12 * (corner[1] + self._bottom - y)
                left, top = self._pixel((puff[0] - 1.1 + 0.1 * i, puff[1] + 0.42))
                self._pygame.draw.ellipse(self._canvas, _CLOUD, (left, top, 2.1 * _PIXELS, 0.8 * _PIXELS))

    def _flag(self, x: float, edges: Iterable[Edge], colour: Colour | None) -> None:
        """A pennant, or without a colour the chequered flag."""
        if not self._visible([(x, 0.0), (x + 1, 0.0)]):
            return
        ground = _height_at(x, edges)
        top = ground + (1.7 if colour else 3.0)
        foot, tip = self._pixel((x, ground)), self._pixel((x, top))
        self._pygame.draw.line(self._canvas, _POLE, foot, tip, width=2 * _FINE)
        if colour:
            self._polygon([(x, top), (x, top - 0.5), (x + 0.9, top - 0.25)], colour)
            return
        square = 0.22
        for row in range(4):
            for column in range(6):
                left, up = x + column * square, top - row * square
                corners = [(left, up), (left + square, up), (left + square, up - square), (left, up - square)]
                self._polygon(corners, _FLAG_LIGHT if (row + column) % 2 else _FLAG_DARK)

    def _ground(self, edges: Iterable[Edge]) -> None:
        bottom = self._bottom
        for (x1, y1), (x2, y2) in edges:
            if not self._visible([(x1, y1), (x2, y2)]):
                continue
            self._polygon([(x1, y1), (x2, y2), (x2, bottom), (x1, bottom)], _SOIL)
            self._polygon([(x1, y1 - 1.3), (x2, y2 - 1.3), (x2, bottom), (x1, bottom)], _DEEP_SOIL)
            self._polygon([(x1, y1), (x2, y2), (x2, y2 - 0.2), (x1, y1 - 0.2)], _GRASS)

    def _rays(self, simulation: Simulation) -> None:
        pygame, margin = self._pygame, 3 * _FINE
        left, top = self._pixel(tuple(simulation.hull.position))
        size = RANGE * _PIXELS + 2 * margin
        layer = pygame.Surface((size, size), pygame.SRCALPHA)
        for (right, up), share in zip(OFFSETS, simulation.rays, strict=True):
            end = margin + share * right * _PIXELS, margin - share * up * _PIXELS
            pygame.draw.line(layer, _RAY, (margin, margin), end, width=_FINE)
            if share < 1:
                pygame.draw.circle(layer, _HIT, end, 2 * _FINE)
        self._canvas.blit(layer, (left - margin, top - margin))

    def _part(self, part: Part, colour: Colour) -> None:
        (x, y), angle = part.body.position, part.body.angle
        cos, sin = math.cos(angle), math.sin(angle)

        def placed(corner: Point) -> Point:
            return x + cos * corner[0] - sin * corner[1], y + sin * corner[0] + cos * corner[1]

        self._polygon([placed(corner) for corner in part.outline], colour, outline=_OUTLINE)
        if part.side == 0:
            (nose_x, nose_y), (roof_x, roof_y) = part.outline[2], part.outline[1]
            glass = [(1.3 * roof_x, 0.75 * roof_y), (0.85 * nose_x, nose_y), (1.3 * roof_x, nose_y)]
            self._polygon([placed(corner) for corner in glass], _WINDOW)
        else:
            joint = placed((0.0, part.outline[2][1]))
            self._pygame.draw.circle(self._canvas, _OUTLINE, self._pixel(joint), 2.5 * _FINE)


def _height_at(x: float, edges: Iterable[Edge]) -> float:
    for (x1, y1), (x2, y2) in edges:
        if x1 <= x < x2:
            return y1 + (y2 - y1) * (x - x1) / (x2 - x1)
    return GROUND_HEIGHT


def _gradient(pygame: ModuleType, top: Colour, bottom: Colour) -> Any:
    shares = np.linspace(0, 1, HEIGHT * _FINE)[:, None]
    column = (1 - shares) * np.array(top) + shares * np.array(bottom)
    return pygame.surfarray.make_surface(np.repeat(column[None], WIDTH * _FINE, axis=0))


def _import_pygame() -> ModuleType:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pygame imports what setuptools deprecates
            import pygame
    except ImportError as error:
        raise gymnasium.error.DependencyNotInstalled("pictures need pygame: pip install pygame") from error
    return pygame
