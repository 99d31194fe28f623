"""Checks that settings share: each raises an error that names the value, what is allowed, and so the fix."""

import math

import numpy as np

from teachgym.base.annotations import REAL, read_numbers, shown


def check_whole(name: str, value: object, least: int, *, most: int | None = None) -> None:
    """Raise ``ValueError`` unless the value is a whole number from ``least`` to ``most``, if that is given."""
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):  # type: ignore[operator]
        limits = f"at least {least}" + ("" if most is None else f" and at most {most:,}")
        raise ValueError(f"{name} is {shown(value)}; expected a whole number, {limits}")


def check_share(name: str, value: object, *, above_zero: bool = False) -> None:
    """Raise ``ValueError`` unless the value is a number in ``[0, 1]``, or in ``(0, 1]``."""
    number = _number(value)
    if not 0 <= number <= 1 or (above_zero and number == 0):
        raise ValueError(f"{name} is {shown(value)}; expected a number in {'(' if above_zero else '['}0, 1]")


def check_positive(name: str, value: object) -> None:
    """Raise ``ValueError`` unless the value is a finite number above 0."""
    number = _number(value)
    if not np.isfinite(number) or number <= 0:
        raise ValueError(f"{name} is {shown(value)}; expected a number above 0")


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise ``ValueError`` unless the value is one of a few words."""
    if value not in allowed:
        raise ValueError(f"{name} is {shown(value)}; expected one of {', '.join(map(repr, allowed))}")


def check_numbers(name: str, values: object, *, count: int | None = None) -> None:
    """Raise ``ValueError`` unless the values are a sequence of finite numbers, ``count`` of them if that is given."""
    vector = read_numbers(name, values)
    if vector.ndim != 1 or not np.isfinite(vector).all() or (count is not None and vector.size != count):
        wanted = "finite numbers, one for each" if count is None else f"{count} finite numbers, one for each"
        raise ValueError(f"{name} is {shown(values)}; expected {wanted} dimension of the task space")


def check_from_zero(name: str, value: object) -> None:
    """Raise ``ValueError`` unless the value is a non-negative finite number."""
    number = _number(value)
    if not np.isfinite(number) or number < 0:
        raise ValueError(f"{name} is {shown(value)}; expected a non-negative finite number")


def _number(value: object) -> float:
    """The value where it is a number, and else NaN."""
    try:
        return float(value) if isinstance(value, REAL) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return math.inf
