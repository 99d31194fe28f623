"""A table of the engines, by name."""

from typing import Any

from teachgym.base.entry import Entry, named_class
from teachgym.base.settings import make_settings
from teachgym.data.engine import DataEngine
from teachgym.data.subject import Subject

DATA_ENGINES: dict[str, Entry] = {
    "procedural": Entry("teachgym.envs.data.engines.procedural_engine:ProceduralEngine"),
    "pool": Entry("teachgym.envs.data.engines.pool_engine:PoolEngine", requires="file"),
    "weak-then-strong": Entry("teachgym.envs.data.engines.weak_then_strong_engine:WeakThenStrongEngine"),
    "language-model": Entry(
        "teachgym.envs.data.engines.language_model_engine:LanguageModelEngine", requires="endpoint"
    ),
}
"""Engines by name."""


def data_engine_class(name: str) -> type[DataEngine]:
    """Find an engine's class by its name in the table, or by its path ``"package.module:Class"``.

    Raises:
        ValueError: If there is none; suggests the nearest name.
    """
    return named_class("engine", name, DATA_ENGINES, DataEngine)


def make_data_engine(name: str, subject: Subject, **settings: Any) -> DataEngine:
    """Make an engine for a subject.

    Raises:
        ValueError: If the name or a setting is unknown, a value is not allowed, or the subject lacks what it needs.
    """
    found = data_engine_class(name)
    return found(subject, make_settings(f"engine {name!r}", found.Settings, settings))
