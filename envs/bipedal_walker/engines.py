"""The engines that can simulate the walker, by name."""

from collections.abc import Mapping
from types import MappingProxyType

ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "reference": "readable Python on the box2d binding, one walker at a time; defines what is right",
    }
)
"""Name of each engine and one line on what it is."""
