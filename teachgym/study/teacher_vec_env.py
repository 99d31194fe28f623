"""Teacher environments as Stable-Baselines3 trains in them: many students at once, actions from -1 to 1."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from teachgym.agents.learned.trained_policy import network_action_space, to_action


class TeacherVecEnv(VecEnv):
    """A Gymnasium vector of teacher environments, with boxes of actions rescaled to ``[-1, 1]``.

    ``returns`` and ``finished_at`` tell, for every lifetime that is over, the sum of its rewards, and how many
    decisions had been made in all slots when it ended. ``infos`` are empty where no lifetime has ended.

    Args:
        env: The vector, in mode ``AutoresetMode.SAME_STEP``.
        seeds: One for each slot, for the first ``reset``; afterwards each slot draws its own.

    Raises:
        ValueError: If it has another mode, or a space that a policy can't have.
    """

    def __init__(self, env: gymnasium.vector.VectorEnv[Any, Any, Any], *, seeds: Sequence[int]) -> None:
        if env.metadata.get("autoreset_mode") is not AutoresetMode.SAME_STEP:
            raise ValueError(f"{env} resets in {env.metadata.get('autoreset_mode')}; expected AutoresetMode.SAME_STEP")
        self.env = env
        self.returns: list[float] = []
        self.finished_at: list[int] = []
        self._student_seeds: Sequence[int] | None = list(seeds)
        self._sums = np.zeros(env.num_envs)
        self._decisions = 0
        super().__init__(env.num_envs, env.single_observation_space, network_action_space(env.single_action_space))

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Change nothing: the students' seeds were given when it was made."""
        return [None] * self.num_envs

    def reset(self) -> NDArray[Any]:
        """Begin a lifetime in all slots."""
        seeds: Any = self._student_seeds  # Gymnasium's vectors take a list, though the base class says otherwise
        self._student_seeds = None
        observations, _ = self.env.reset(seed=seeds)
        self._sums[:] = 0.0
        self.reset_infos = [{} for _ in range(self.num_envs)]
        return np.asarray(observations)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take the actions."""
        self._actions = to_action(actions, self.env.single_action_space)

    def step_wait(self) -> VecEnvStepReturn:
        """Make one decision in all slots."""
        observations, rewards, terminated, truncated, info = self.env.step(self._actions)
        dones = terminated | truncated
        self._sums += rewards
        self._decisions += self.num_envs
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for slot in np.flatnonzero(dones).tolist():
            infos[slot] = {"terminal_observation": info["final_obs"][slot], "TimeLimit.truncated": False}
            self.returns.append(float(self._sums[slot]))
            self.finished_at.append(self._decisions)
            self._sums[slot] = 0.0
        return np.asarray(observations), rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Close the environments."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """``"render_mode"``, which is None.

        Raises:
            AttributeError: If it is another one.
        """
        if attr_name != "render_mode":
            raise AttributeError(f"a vector of teacher environments has no attribute {attr_name!r} for one slot")
        return [None for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Raise ``AttributeError``: nothing can be set."""
        raise AttributeError(f"{attr_name!r} can't be set in a vector of teacher environments")

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Raise ``AttributeError``: nothing can be called."""
        raise AttributeError(f"{method_name!r} can't be called in a vector of teacher environments")

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for every slot."""
        return [False for _ in self._get_indices(indices)]
