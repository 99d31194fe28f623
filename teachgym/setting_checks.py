"""Checks that settings share: each raises an error that names the value, what is allowed, and so the fix."""

import numpy as np


def check_whole(name: str, value: object, least: int, unit: str) -> None:
    """Raise ``ValueError`` unless the value is a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number of {unit}, at least {least}")


def check_share(name: str, value: object, *, above_zero: bool = False) -> None:
    """Raise ``ValueError`` unless the value is a number in ``[0, 1]``, or in ``(0, 1]``."""
    number = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else float("nan")
    if isinstance(value, bool) or not 0 <= number <= 1 or (above_zero and number == 0):
        raise ValueError(f"{name} is {value!r}; expected a number in {'(' if above_zero else '['}0, 1]")


def check_positive(name: str, value: object) -> None:
    """Raise ``ValueError`` unless the value is a finite number above 0."""
    number = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else float("nan")
    if isinstance(value, bool) or not np.isfinite(number) or number <= 0:
        raise ValueError(f"{name} is {value!r}; expected a number above 0")


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise ``ValueError`` unless the value is one of a few words."""
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(repr, allowed))}")


def check_numbers(name: str, values: object, *, count: int | None = None) -> None:
    """Raise ``ValueError`` unless the values are a sequence of finite numbers, ``count`` of them if that is given."""
    try:
        vector = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {values!r}; expected a sequence of numbers") from error
    if vector.ndim != 1 or not np.isfinite(vector).all() or (count is not None and vector.size != count):
        wanted = "finite numbers, one for each" if count is None else f"{count} finite numbers, one for each"
        raise ValueError(f"{name} is {values!r}; expected {wanted} dimension of the task space")


def check_from_zero(name: str, value: object) -> None:
    """Raise ``ValueError`` unless the value is a finite number from 0 up."""
    number = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else float("nan")
    if isinstance(value, bool) or not np.isfinite(number) or number < 0:
        raise ValueError(f"{name} is {value!r}; expected a finite number from 0 up")


def check_flag(name: str, value: object) -> None:
    """Raise ``ValueError`` unless the value is true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; expected true or false")
