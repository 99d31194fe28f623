"""Every registered environment, with settings that make an episode a matter of a few steps."""

import itertools
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

import teachgym  # noqa: F401  # registers the environments, also in a process that only imports this

PPO = {"slots": 1, "rollout_steps": 16, "batch_size": 8, "epochs": 1, "hidden": (8,)}
STUDENT = {"student": "ppo", "student_settings": PPO, "budget": 200}
SIMULATED = {"subject": "digits", "student": "simulated", "budget": 60, "rounds": 3}
CHEAP: dict[str, dict[str, Any]] = {
    "ParametricBipedalWalker": {"max_episode_steps": 3},
    "TaskTeaching": {
        **STUDENT,
        "world": "teachgym/ParametricBipedalWalker-v0",
        "outcome_range": (-150.0, 350.0),
        "mastered_above": 230.0,
    },
    "StumpTracks": STUDENT,
    "HexagonTracks": STUDENT,
    "StumpSequence": STUDENT,
    "ObstacleCourse": STUDENT,
    "Hypercubes": {"budget": 3},
    "SimulatedSkills": {"budget": 3},
    "SimulatedTasks": {"budget": 3},
    "Challenge": {"budget": 3},
    "OpenEnded": SIMULATED,
    "SkillList": SIMULATED,
    "SkillTree": SIMULATED,
    "SelfDistillation": {"budget": 3},
    "Intervention": {"budget": 3},
    "Distillation": {"budget": 3, "problem": "noisy"},
    "ProxyDistillation": {"budget": 3},
    "PseudoLabel": {"budget": 3, "updates": 2},
    "StreamAdaptation": {"budget": 3, "batches": 1},
    "TeacherForcing": {"budget": 3, "updates": 2},
}
WITH_RL_STUDENT = tuple(name for name, settings in CHEAP.items() if settings.get("student") == "ppo")


def make(name: str, **settings: Any) -> gymnasium.Env[Any, Any]:
    return gymnasium.make(f"teachgym/{name}-v0", disable_env_checker=True, **{**CHEAP[name], **settings})


class InTurn(gymnasium.Env[Any, Any]):
    """One environment after the other, a step of theirs for each step, with what they tell in its own ``info``."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self) -> None:
        self._names = itertools.cycle(CHEAP)

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
