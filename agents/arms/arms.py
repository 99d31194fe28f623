"""A view of an environment's tasks as a finite set of arms, for bandits."""

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from teachgym.agents.base.task_actions import TaskActions
from teachgym.base.ranges import PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray

MOST_CELLS = 100_000
"""Cells of a grid that are allowed at all."""


@checked_dataclass
class ArmSettings:
    """How a box of tasks is cut into arms; where tasks are arms already, both must be left as they are.

    Raises:
        ValueError: If a value is not allowed.
    """

    _: KW_ONLY
    most_arms: PositiveInt = 100
    """Most arms that a box is cut into. Every parameter gets the same number of cells, as many as fit; if that is 1,
    the first parameters are halved, as many of them as fit."""
    cells: tuple[PositiveInt, ...] | None = None
    """Cells along each parameter, in order, instead of ``most_arms``."""


class Arms:
    """The arms of an environment: those of a ``Discrete`` space, or the cells of a grid over a box.

    Cells are counted from 0 like the elements of an array whose axes are the parameters: along the last first.

    Args:
        spec: The environment's fixed facts, as ``TaskActions`` takes them.
        settings: How a box is cut.

    Raises:
        ValueError: If the action space is neither box nor ``Discrete``, or ``cells`` does not fit it.
    """

    def __init__(self, spec: TeachingSpec, settings: ArmSettings | None = None) -> None:
        settings = ArmSettings() if settings is None else settings
        self.actions = TaskActions(spec)
        low, high = self.actions.low, self.actions.high
        if self.actions.numbered:
            if settings.cells is not None:
                raise ValueError(f"cells is {settings.cells}; the tasks are arms already, so leave it None")
            self.cells: tuple[int, ...] = (int(high[0] - low[0]) + 1,)
        else:
            self.cells = _grid(self.actions.dimensions, settings)
        self._edges = [np.linspace(a, b, k + 1) for a, b, k in zip(low, high, self.cells, strict=True)]

    def __len__(self) -> int:
        return int(np.prod(self.cells))

    def bounds(self, arm: int) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner, ``(n,)`` each, of what the arm draws tasks from; equal for a numbered arm."""
        if self.actions.numbered:
            task = self.actions.low + arm
            return task, task.copy()
        places = np.unravel_index(arm, self.cells)
        low = np.array([edges[place] for edges, place in zip(self._edges, places, strict=True)])
        high = np.array([edges[place + 1] for edges, place in zip(self._edges, places, strict=True)])
        return low, high

    def draw(self, arm: int, rng: np.random.Generator) -> Any:
        """An action that hands out a task of the arm: uniform in its cell; a numbered arm draws nothing."""
        low, high = self.bounds(arm)
        return self.actions.action(low if self.actions.numbered else rng.uniform(low, high))

    def arm_of(self, task: ArrayLike) -> int:
        """The arm that a task belongs to; the nearest where it lies out of bounds.

        Raises:
            ValueError: If the task has the wrong number of numbers.
        """
        vector = self.actions.vector(task)
        low, high = self.actions.low, self.actions.high
        if self.actions.numbered:
            return int(np.clip(np.rint(vector - low), 0, high - low)[0])
        cells = np.array(self.cells)
        places = np.clip(np.floor((vector - low) / (high - low) * cells), 0, cells - 1).astype(np.int64)
        return int(np.ravel_multi_index(tuple(places), self.cells))


def _grid(dimensions: int, settings: ArmSettings) -> tuple[int, ...]:
    """Cells along each dimension."""
    if settings.cells is not None:
        cells: Sequence[int] = settings.cells
        if len(cells) != dimensions or np.prod(np.array(cells, dtype=np.float64)) > MOST_CELLS:
            raise ValueError(
                f"cells is {tuple(cells)}; expected {dimensions} numbers, one for each task parameter, whose product "
                f"is at most {MOST_CELLS}"
            )
        return tuple(int(count) for count in cells)
    most = min(settings.most_arms, MOST_CELLS)
    side = 1
    while (side + 1) ** dimensions <= most:
        side += 1
    if side > 1:
        return (side,) * dimensions
    halved = most.bit_length() - 1
    return (2,) * halved + (1,) * (dimensions - halved)
