"""Stored states: what they are, and what one that does not fit is told by."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

State = dict[str, Any]
"""What an object needs to go on from where it was: arrays and plain values, nested in dictionaries and lists."""


@contextmanager
def loading(owner: object) -> Iterator[None]:
    """For taking a stored state over: what a state of something else breaks becomes one ``ValueError``.

    Raises:
        ValueError: If the state lacks an entry, or one is not of its kind; the owner is then to be made anew.
    """
    try:
        yield
    except (KeyError, IndexError, AttributeError, OverflowError, AssertionError) as error:
        raise ValueError(
            f"the state is not one of a {type(owner).__name__} with these settings ({type(error).__name__}: {error}); "
            "give what state_dict() of one gave"
        ) from error
