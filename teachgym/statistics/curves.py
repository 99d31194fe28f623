"""What a learning curve comes to in one number: its area, when it reached a threshold, what it lost again."""

import numpy as np

from teachgym.base.annotations import read_numbers, read_value
from teachgym.base.setting_checks import check_positive, check_share
from teachgym.core.task_space import FloatArray
from teachgym.statistics.means import Values

WORST_SHARE = 0.2
"""Share of the test tasks that are the worst case, unless told otherwise."""


def area_under_curve(steps: Values, values: Values, budget: float) -> float:
    """Mean height of a learning curve over the whole budget, in the unit of the values.

    Between tests it is linear; before the first it counts as the first, and after the last as the last, as nothing is
    known there.

    Args:
        steps: ``(n,)`` growing student steps of the tests, from 1 test up.
        values: ``(n,)`` what they gave.
        budget: Student steps of a whole run, above 0.
    """
    check_positive("budget", budget)
    at, height = _checked(steps, values)
    at = np.clip(at, 0.0, budget)
    whole = np.concatenate([[0.0], at, [budget]])
    return float(np.trapezoid(np.concatenate([height[:1], height, height[-1:]]), whole) / budget)


def steps_to_threshold(steps: Values, values: Values, threshold: float) -> float:
    """Student steps at the first test that reached the threshold; infinity where none did."""
    read_value("threshold", threshold, float)
    at, height = _checked(steps, values)
    reached = np.flatnonzero(height >= threshold)
    return float(at[reached[0]]) if len(reached) else float("inf")


def forgetting(values: Values) -> float:
    """Best test minus last test, non-negative: what a student could do once and can't do any more."""
    height = _some(values)
    return float(height.max() - height[-1])


def worst_case(outcomes: Values, share: float) -> float:
    """Mean outcome on the worst tasks, which are this share of them: the conditional value at risk.

    Args:
        outcomes: ``(m,)`` one for each task.
        share: Above 0, up to 1; rounded up to a whole number of tasks.
    """
    check_share("share", share, above_zero=True)
    ascending = np.sort(_some(outcomes))
    return float(ascending[: int(np.ceil(share * len(ascending) - 1e-9))].mean())


def _checked(steps: Values, values: Values) -> tuple[FloatArray, FloatArray]:
    at, height = read_numbers("steps", steps), read_numbers("values", values)
    if at.shape != height.shape or at.ndim != 1 or not len(at) or np.any(np.diff(at) < 0):
        raise ValueError(f"tests are at steps {at.tolist()} with values {height.tolist()}; expected as many, ascending")
    return at, height


def _some(values: Values) -> FloatArray:
    sample = read_numbers("values", values)
    if sample.ndim != 1 or not len(sample):
        raise ValueError(f"values have shape {sample.shape}; expected a list of at least 1 number")
    return sample
