"""Every registered environment, with its quick settings."""

import itertools
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from teachgym.base.entry import Entry
from teachgym.base.named_settings import NamedSettings
from teachgym.base.registry import environment_id
from teachgym.envs import ENVIRONMENTS, PROBLEMS, WORLDS

TABLE: dict[str, Entry] = {**WORLDS, **ENVIRONMENTS, **PROBLEMS}
WITH_RL_STUDENT = tuple(name for name, entry in TABLE.items() if entry.quick_settings.get("student") == "ppo")


def make(name: str, variant: str = "", **settings: Any) -> gymnasium.Env[Any, Any]:
    chosen = NamedSettings.parse(f"{name},{variant}").settings
    given = {**TABLE[name].quick_settings, **chosen, **settings}
    return gymnasium.make(environment_id(name), disable_env_checker=True, **given)


class InTurn(gymnasium.Env[Any, Any]):
    """One environment after the other, a step of theirs for each step, with what they tell in its own ``info``."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self) -> None:
        self._names = itertools.cycle(TABLE)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._name = next(self._names)
        self._env = make(self._name)
        self._env.action_space.seed(0)
        observation, info = self._env.reset(seed=0)
        return self._seen(), {"of": self._name, "observed": observation, **info}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self._env.step(self._env.action_space.sample())
        if terminated or truncated:
            self._env.close()
        told = {"of": self._name, "observed": observation, **info}
        return self._seen(), float(reward), terminated, truncated, told

    def _seen(self) -> Any:
        return np.zeros(1, dtype=np.float32)


def in_turn() -> gymnasium.Env[Any, Any]:
    return InTurn()
