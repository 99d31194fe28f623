"""Makes the worlds of a curriculum: one, or a batch."""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

import gymnasium
from gymnasium.vector import AutoresetMode

from teachgym.base.registry import import_module
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_dataclass
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import SerialBatch, WorldBatch


@checked_dataclass
class WorldMaker:
    """One kind of world."""

    world: str | Callable[..., gymnasium.Env[Any, Any]]
    """The id of a registered world, or a function that makes one (with its time limit)."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Keywords for the id."""

    def make_world(self, **settings: Any) -> gymnasium.Env[Any, Any]:
        """Make one world; keywords come before those of ``settings``."""
        if isinstance(self.world, str):
            self._import_world(self.world)
            return gymnasium.make(self.world, **{**self.settings, **settings})
        return self.world(**settings)

    def make_batch(self, count: int) -> WorldBatch:
        """Make a batch of worlds: one whole if the world is registered as such, else one world after the other.

        Raises:
            ValueError: If the count is below 1.
        """
        check_whole("slots", count, 1)
        whole = self._make_whole(count)
        return SerialBatch([self.make_world() for _ in range(count)]) if whole is None else whole

    def _make_whole(self, count: int) -> WorldBatch | None:
        if not isinstance(self.world, str):
            return None
        if gymnasium.spec(self._import_world(self.world)).vector_entry_point is None:
            return None
        vector = gymnasium.make_vec(
            self.world,
            num_envs=count,
            vectorization_mode="vector_entry_point",
            autoreset_mode=AutoresetMode.DISABLED,
            **self.settings,
        )
        if isinstance(vector, BatchVectorEnv):
            return vector.batch
        vector.close()
        return None

    @staticmethod
    def _import_world(world: str) -> str:
        """Import the module that registers a world, where its id names one; the id without it."""
        module, _, name = world.rpartition(":")
        if module:
            import_module(module)
        return name
