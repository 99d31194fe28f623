"""Digits that turn: images rotated by any angle, how a stream of them turns, and a network that knows them upright."""

from functools import cache
from typing import Literal

import numpy as np

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.digit_networks import batches, split_digits
from teachgym.envs.problems.mean_teacher import SIDE, MeanTeacher
from teachgym.envs.problems.objectives import cross_entropy

Shift = Literal["gradual", "abrupt", "cyclic"]
_FARTHEST: dict[Shift, float] = {"gradual": 60.0, "abrupt": 60.0, "cyclic": 50.0}
_HIDDEN, _EPOCHS = 128, 30


def angles(shift: Shift, count: int) -> FloatArray:
    """``(count,)`` degrees by which the batches of a stream are turned.

    Evenly from 0 to 60 (``"gradual"``), 0 for the first half and 60 then (``"abrupt"``), or evenly from 0 to 50, back,
    and the same again (``"cyclic"``).
    """
    along = np.linspace(0.0, 1.0, count)
    if shift == "abrupt":
        along = np.where(np.arange(count) < count / 2, 0.0, 1.0)
    if shift == "cyclic":
        along = 1 - np.abs(1 - (4 * along) % 2)
    return _FARTHEST[shift] * along


def rotation(degrees: float) -> FloatArray:
    """``(64, 64)`` a matrix that turns an image counter-clockwise about its middle, with linear interpolation.

    What comes in from outside is blank paper.
    """
    middle = (SIDE - 1) / 2
    row, column = (place.reshape(-1) - middle for place in np.mgrid[:SIDE, :SIDE].astype(np.float64))
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    from_row, from_column = cosine * row + sine * column + middle, cosine * column - sine * row + middle
    pixels = np.arange(SIDE)
    by_row = np.maximum(1 - np.abs(from_row[:, None] - pixels), 0.0)
    by_column = np.maximum(1 - np.abs(from_column[:, None] - pixels), 0.0)
    matrix: FloatArray = (by_row[:, :, None] * by_column[:, None, :]).reshape(SIDE**2, SIDE**2)
    return matrix


def rotated(images: FloatArray, degrees: float) -> FloatArray:
    """``(m, 64)`` images, turned counter-clockwise."""
    return np.asarray(images @ rotation(degrees).T)


@cache
def source_network() -> MeanTeacher:
    """A network that has learnt the training images, upright; once in a process, always with the same weights."""
    pair, rng = MeanTeacher(_HIDDEN, seed=1), np.random.default_rng(0)
    images, labels = split_digits().train
    for _ in range(_EPOCHS):
        for batch in batches(len(images), rng):
            pair.descend(cross_entropy(pair.student(images[batch]), labels[batch]))
    pair.begin()
    return pair
