"""Pictures of coloured shapes, many at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teachgym.core.task_space import FloatArray

SHAPES = ("circle", "triangle", "cross")
SHAPE_COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (60, 90, 230), "yellow": (230, 210, 50)}
"""Name -> red, green and blue."""
PICTURE_SIDE = 2
"""Rows and columns of cells that a picture has; in each is one shape at most."""
_PALETTE = np.array(list(SHAPE_COLOURS.values()), dtype=np.uint8)


@dataclass(frozen=True)
class Scenes:
    """What is in n pictures: up to k shapes in each, none in the same cell as another."""

    shapes: NDArray[np.int64]
    """``(n, k)`` numbers in ``SHAPES``."""
    colours: NDArray[np.int64]
    """``(n, k)`` numbers in ``SHAPE_COLOURS``."""
    cells: NDArray[np.int64]
    """``(n, k)`` from 0 to 3, row by row."""
    counts: NDArray[np.int64]
    """``(n,)`` how many of the k there are: the first so many."""

    @property
    def columns(self) -> NDArray[np.int64]:
        """``(n, k)`` 0 for the left, 1 for the right."""
        return self.cells % PICTURE_SIDE

    @property
    def rows(self) -> NDArray[np.int64]:
        """``(n, k)`` 0 for the top, 1 for the bottom."""
        return self.cells // PICTURE_SIDE


def draw(scenes: Scenes, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """``(n, size, size, 3)`` pictures: shapes of any size and place within their cells, on some dark grey."""
    n, k = scenes.shapes.shape
    cell = size // PICTURE_SIDE
    images = np.empty((n, size, size, 3), dtype=np.uint8)
    images[:] = rng.integers(60, size=(n, 1, 1, 1))
    radii = cell * rng.uniform(0.32, 0.48, size=(n, k))
    centres = radii[..., None] + rng.uniform(size=(n, k, 2)) * (cell - 2 * radii)[..., None]
    pixels = np.arange(cell)
    for slot in range(k):
        there = np.flatnonzero(slot < scenes.counts)
        y, x = ((pixels + 0.5 - centres[there, slot, axis, None]) / radii[there, slot, None] for axis in range(2))
        filled = _filled(scenes.shapes[there, slot], y[:, :, None], x[:, None, :])
        picture, row, column = np.nonzero(filled)
        top, left = scenes.rows[there, slot] * cell, scenes.columns[there, slot] * cell
        images[there[picture], top[picture] + row, left[picture] + column] = _PALETTE[scenes.colours[there, slot]][
            picture
        ]
    return images


def _filled(shapes: NDArray[np.int64], y: FloatArray, x: FloatArray) -> NDArray[np.bool_]:
    """``(n, cell, cell)`` which pixels shapes cover that reach from -1 to 1, y downwards."""
    inside = (np.abs(y) <= 1) & (np.abs(x) <= 1)
    covers = [
        y**2 + x**2 <= 1,
        np.abs(x) <= (1 + y) / 2,
        (np.abs(x) <= 0.34) | (np.abs(y) <= 0.34),
    ]
    return inside & np.choose(shapes[:, None, None], covers)
