"""What the students of Stable-Baselines3 have in common: quiet, seeded, paused in ``learn``, stored without pickle."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from teachgym.base.state import State, restored, stored
from teachgym.students.rl.sb3_state import algorithm_state, load_algorithm
from teachgym.students.rl.student import RLStudent
from teachgym.worlds.sb3_vec_env import SB3VecEnv
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import WorldBatch


@dataclass(frozen=True)
class Normaliser:
    """What observations are normalised by."""

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    epsilon: float
    clip: float


class _Boundaries(BaseCallback):
    """Says when a rollout is about to begin: no rollout is in the making then, and no update."""

    def __init__(self, student: "SB3Student") -> None:
        super().__init__()
        self._student = student

    def _on_rollout_start(self) -> None:
        if self._student.at_boundary is not None:
            self._student.at_boundary()
        self._student._before_rollout(self.model)

    def _on_step(self) -> bool:
        return True


class SB3Student(RLStudent):
    """A Stable-Baselines3 algorithm as a student.

    It plays the batch through an ``SB3VecEnv``: same-step auto-reset, terminal observations in ``info``,
    time-outs bootstrapped rather than taken for terminal.
    """

    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)
        self._algorithm: BaseAlgorithm | None = None
        self._vector: BatchVectorEnv | None = None
        self._policy: BasePolicy | None = None
        self._normalise: VecNormalize | None = None
        self._stored_normaliser: Normaliser | None = None

    @abstractmethod
    def _make_algorithm(self, worlds: VecEnv, *, steps: int, seed: int) -> BaseAlgorithm:
        """Make the fresh algorithm; ``worlds`` may be wrapped in a ``VecNormalize``."""

    @abstractmethod
    def _make_policy(self, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any]) -> BasePolicy:
        """Make a policy of the same shape, to load stored weights into."""

    def _before_rollout(self, algorithm: BaseAlgorithm) -> None:
        """Whatever depends on how far the algorithm is. Here: nothing."""

    def learn(self, worlds: WorldBatch, *, steps: int, seed: int) -> None:
        """Train from scratch."""
        algorithm = self._made(worlds, steps=steps, seed=seed)
        algorithm.learn(steps, callback=_Boundaries(self), log_interval=steps)

    def learner_state(self) -> State:
        """The algorithm's whole state, and what the worlds showed last."""
        if self._algorithm is None or self._vector is None:
            raise RuntimeError("the student is not learning; there is nothing to store")
        return {"algorithm": algorithm_state(self._algorithm), "observations": self._vector.observations}

    def go_on(self, worlds: WorldBatch, state: State, *, steps: int) -> None:
        """Train on from a stored state."""
        algorithm = self._made(worlds, steps=steps, seed=0)
        assert self._vector is not None
        self._vector.take_up(state["observations"])
        load_algorithm(algorithm, state["algorithm"])
        left = steps - algorithm.num_timesteps
        algorithm.learn(left, callback=_Boundaries(self), log_interval=steps, reset_num_timesteps=False)

    def _made(self, worlds: WorldBatch, *, steps: int, seed: int) -> BaseAlgorithm:
        self._vector = BatchVectorEnv(worlds, autoreset_mode=AutoresetMode.SAME_STEP)
        self._algorithm = algorithm = self._make_algorithm(SB3VecEnv(self._vector), steps=steps, seed=seed)
        algorithm.set_logger(Logger(folder=None, output_formats=[]))
        self._policy, self._stored_normaliser = algorithm.policy, None
        self._normalise = algorithm.get_vec_normalize_env()
        return algorithm

    def act(self, observations: NDArray[Any]) -> NDArray[Any]:
        """The policy's mean actions, clipped to the action space, for normalised observations."""
        if self._policy is None:
            raise RuntimeError("the student has not begun to learn; reset the environment first")
        actions, _ = self._policy.predict(self._normalised(observations), deterministic=True)
        return np.asarray(actions)

    def explore(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Actions drawn from the policy, clipped to the action space, for normalised observations."""
        if self._policy is None:
            raise RuntimeError("the student has not begun to learn; reset the environment first")
        actions, _ = self._policy.predict(self._normalised(observations), deterministic=False)
        return np.asarray(actions)

    def state_dict(self) -> State | None:
        """Weights, and the statistics of the running normalisation where there is one."""
        if self._policy is None:
            raise RuntimeError("the student has not begun to learn; reset the environment first")
        return {"weights": stored(self._policy), "normaliser": stored(self._normaliser())}

    def load_state_dict(
        self, state: State, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any]
    ) -> None:
        """Make the policy and fill in the stored weights."""
        policy = self._make_policy(observation_space, action_space)
        try:
            self._policy, self._normalise = restored(policy, state["weights"]), None
        except ValueError as error:
            raise ValueError(f"the stored student does not fit these settings and spaces: {error}") from error
        self._stored_normaliser = restored(None, state["normaliser"], Normaliser)

    def _tensor(self, observations: NDArray[Any]) -> torch.Tensor:
        """Normalised observations, on the policy's device."""
        if self._policy is None:
            raise RuntimeError("the student has not begun to learn; reset the environment first")
        return self._policy.obs_to_tensor(self._normalised(observations))[0]  # type: ignore[return-value]

    def _normaliser(self) -> Normaliser | None:
        if self._normalise is None or not self._normalise.norm_obs:
            return self._stored_normaliser
        statistics: Any = self._normalise.obs_rms
        return Normaliser(statistics.mean, statistics.var, self._normalise.epsilon, self._normalise.clip_obs)

    def _normalised(self, observations: NDArray[Any]) -> NDArray[Any]:
        by = self._normaliser()
        if by is None:
            return observations
        scaled = (observations - by.mean) / np.sqrt(by.variance + by.epsilon)
        return np.clip(scaled, -by.clip, by.clip).astype(np.float32)
