"""A table of the ways to discover skills, by name."""

from typing import Any

from teachgym.base.entry import Entry, named_class
from teachgym.base.registry import unknown_name
from teachgym.base.settings import make_settings
from teachgym.data.discovery import SkillDiscovery

DISCOVERIES: dict[str, Entry] = {
    "clustering": Entry("teachgym.envs.data.discovery.clustering:Clustering"),
    "language-model": Entry(
        "teachgym.envs.data.discovery.language_model_discovery:LanguageModelDiscovery", requires="endpoint"
    ),
}
"""Discoveries by name. ``"given"`` is none of these: it discovers nothing."""


def make_discovery(name: str, **settings: Any) -> SkillDiscovery:
    """Make one, by its name in the table or its path ``"package.module:Class"``.

    Raises:
        ValueError: If the name or a setting is unknown, or a value is not allowed.
    """
    if name not in DISCOVERIES and ":" not in name:
        raise unknown_name("discovery", name, [*DISCOVERIES, "given"])
    found = named_class("discovery", name, DISCOVERIES, SkillDiscovery)
    return found(make_settings(f"discovery {name!r}", found.Settings, settings))
