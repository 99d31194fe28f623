"""A batch of worlds as a Stable-Baselines3 vector environment."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from teachgym.base.registry import reset_options
from teachgym.worlds.vector_env import BatchVectorEnv


class SB3VecEnv(VecEnv):
    """What Stable-Baselines3 trains in: ``PPO("MlpPolicy", SB3VecEnv(env))``.

    Gives what its ``DummyVecEnv`` gives over the same worlds, except that ``infos`` are empty where no episode
    has ended.

    Args:
        env: A ``BatchVectorEnv`` in mode ``AutoresetMode.SAME_STEP``.

    Raises:
        TypeError: If it is something else.
        ValueError: If it has another mode.
    """

    def __init__(self, env: gymnasium.vector.VectorEnv[Any, Any, Any]) -> None:
        if not isinstance(env, BatchVectorEnv):
            raise TypeError(f"env is {env}; expected a teachgym.worlds.vector_env.BatchVectorEnv")
        if env.autoreset_mode is not AutoresetMode.SAME_STEP:
            raise ValueError(f"{env} resets in {env.autoreset_mode}; make it with AutoresetMode.SAME_STEP")
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self.metadata = {**env.metadata, "render_modes": env.metadata.get("render_modes", [])}

    def reset(self) -> NDArray[Any]:
        """Begin an episode in all slots, with the seeds and options that were set for it."""
        for options in self._options:
            reset_options(options, ["task"])
        tasks = [options.get("task") for options in self._options]
        given = None if all(task is None for task in tasks) else {"task": _one_a_slot(tasks)}
        observations, info = self.env.reset(seed=self._seeds, options=given)
        self.reset_infos = [{"task": task} for task in info["task"]]
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Play one step in all slots."""
        observations, rewards, terminated, truncated, info = self.env.step(self._actions)
        dones = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if "final_obs" in info:
            for slot in np.flatnonzero(dones).tolist():
                infos[slot] = {
                    "terminal_observation": info["final_obs"][slot],
                    "TimeLimit.truncated": bool(truncated[slot] and not terminated[slot]),
                }
                self.reset_infos[slot] = {"task": info["task"][slot]}
        return observations, rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Close the worlds."""
        self.env.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """A picture of every slot, in render mode ``"rgb_array"``."""
        return cast(Sequence[NDArray[np.uint8] | None], self.env.render())

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """``"task"``, ``"task_space"`` and ``"np_random"`` of the slots, or what the batch has for all of them."""
        batch = self.env.batch
        slots = self._get_indices(indices)
        if attr_name == "task":
            return [batch.task(slot).copy() for slot in slots]
        if attr_name == "task_space":
            return [batch.task_spaces[slot] for slot in slots]
        if attr_name == "np_random":
            return [batch.generators[slot] for slot in slots]
        return [getattr(batch, attr_name) for _ in slots]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Raise ``AttributeError``: the slots of a batch have no attributes of their own."""
        raise AttributeError(f"{attr_name!r} can't be set: the slots of a batch have no attributes of their own")

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> Any:
        """Draw the slots, by the method ``"render"``; a batch has no other that concerns one slot.

        Raises:
            AttributeError: If it is another method.
        """
        if method_name != "render":
            raise AttributeError(f"a batch has no method {method_name!r} for one slot; known: render")
        return [self.env.batch.render(slot) for slot in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for every slot: a batch is not made of wrappers."""
        return [False for _ in self._get_indices(indices)]


def _one_a_slot(tasks: list[Any]) -> list[Any]:
    """So that bare numbers are not taken for one task of several parameters."""
    return [task if task is None or isinstance(task, Mapping) else np.atleast_1d(task) for task in tasks]
