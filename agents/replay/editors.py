"""Small random changes of a task, to make new levels from those that proved useful."""

from collections.abc import Sequence

import numpy as np

from teachgym.base.setting_checks import check_numbers
from teachgym.core.task_space import FloatArray, TaskSpace


def edit_sizes(
    space: TaskSpace, *, sizes: Sequence[float] | None = None, steps: float | None = 1.0, share: float = 0.05
) -> FloatArray:
    """How far one edit moves each parameter.

    Args:
        space: The task space.
        sizes: ``(n,)`` non-negative numbers in task units, taken as they are.
        steps: Otherwise, this many of a parameter's steps towards harder tasks (``Parameter.harder``, whatever its
            sign), where it is known and not 0; None takes ``share`` for every parameter.
        share: Otherwise, this share of the parameter's range.

    Returns:
        ``(n,)`` sizes, in task units.

    Raises:
        ValueError: If there are more or fewer sizes than parameters, or one is negative.
    """
    if sizes is not None:
        check_numbers("sizes of edits", sizes, count=space.dimensions)
        if min(sizes) < 0:
            raise ValueError(f"sizes of edits is {sizes}; expected non-negative numbers")
        return np.array(sizes, dtype=np.float64)
    harder = np.array([parameter.harder or 0.0 for parameter in space.parameters])
    known = (harder != 0) & (steps is not None)
    return np.where(known, np.abs(harder) * (steps or 0.0), space.range * share)


def edit(task: FloatArray, space: TaskSpace, sizes: FloatArray, *, count: int, rng: np.random.Generator) -> FloatArray:
    """Change a task by some random edits (as in Parker-Holder et al. 2022, arXiv:2203.01302).

    Each edit picks one parameter and one of the directions -1, 0 and +1, each as likely as the others, and moves the
    parameter that way by its size, or by a uniform draw from 0 to its size where ``Parameter.random_step`` says so; the
    bounds of the space hold after each.

    Args:
        task: ``(n,)``, in task units; left as it is.
        space: The task space.
        sizes: ``(n,)`` from ``edit_sizes``.
        count: How many edits, one after another; the same parameter may be picked again.
        rng: What to draw from.

    Returns:
        ``(n,)`` the child, within the bounds.
    """
    child = np.clip(task, space.low, space.high)
    for _ in range(count):
        i, direction = rng.integers(space.dimensions), rng.integers(-1, 2)
        step = rng.uniform(0.0, sizes[i]) if space.parameters[i].random_step else sizes[i]
        child[i] = min(max(child[i] + direction * step, space.low[i]), space.high[i])
    return child
