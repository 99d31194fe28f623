"""What several contract checks ask: that settings are well formed, and that global generators are left alone."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from teachgym.testing.equality import difference


def check_settings(kind: type[Any]) -> None:
    """Check that ``kind.Settings`` is a frozen dataclass that can be made without arguments.

    Raises:
        AssertionError: If it is not.
    """
    settings = kind.Settings
    frozen = getattr(getattr(settings, "__dataclass_params__", None), "frozen", False)
    assert frozen, f"Settings is {settings!r}; expected a frozen dataclass"
    missing = [f.name for f in fields(settings) if f.init and f.default is MISSING and f.default_factory is MISSING]
    assert not missing, f"Settings has no default for {', '.join(missing)}"


def global_generators() -> dict[str, Any]:
    """The states of the global generators, as values that can be compared."""
    states: dict[str, Any] = {"python": random.getstate(), "numpy": np.random.get_state()}  # noqa: NPY002 - to watch it
    if "torch" in sys.modules:
        states["torch"] = sys.modules["torch"].get_rng_state().numpy()
    return states


@contextmanager
def untouched_generators(who: str) -> Iterator[None]:
    """Check that the global generators are as they were.

    Raises:
        AssertionError: If ``who`` drew from or seeded one.
    """
    before = global_generators()
    yield
    after = {name: state for name, state in global_generators().items() if name in before}
    found = difference(before, after, "their state")
    assert found is None, f"{who} drew from or seeded a global generator of Python, NumPy or PyTorch: {found}"
