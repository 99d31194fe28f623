"""Soft actor-critic with the settings of the curriculum paper, on Stable-Baselines3."""

import math
from typing import Any, Literal

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.sac.policies import SACPolicy

from teachgym.base.ranges import NonNegativeInt, PositiveFloat, PositiveInt, PositiveShare, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.needs import Needs
from teachgym.students.devices import chosen_device
from teachgym.students.rl.sb3_student import SB3Student


@checked_dataclass
class SACSettings:
    """Settings of the SAC student; the defaults are those of Portelas et al. 2019 (arXiv:1910.07224)."""

    slots: PositiveInt = 1
    """Number of worlds played at once; the paper plays one."""
    hidden: tuple[PositiveInt, ...] = (400, 300)
    """Widths of the hidden layers (ReLU), of the actor and of each critic."""
    learning_rate: PositiveFloat = 1e-3
    """Step size of Adam."""
    discount: Share = 0.99
    """Discount factor gamma."""
    tau: PositiveShare = 0.005
    """Step of the target networks towards the critics; 1 - tau is the paper's polyak factor."""
    entropy_coefficient: PositiveFloat = 0.005
    """Fixed weight of the entropy bonus."""
    batch_size: PositiveInt = 1000
    """Transitions in one update."""
    buffer_size: PositiveInt = 2_000_000
    """Transitions kept for replay; never more than the budget."""
    random_steps: NonNegativeInt = 10_000
    """Steps at the start with uniformly random actions and no updates."""
    steps_per_update: PositiveInt = 10
    """World steps to one update: an episode of length L is followed by ceil(L / 10) updates."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """``"bfloat16"`` computes the products of matrices in updates in that precision. An update then takes a third of
    the time on CPUs with instructions for it (AVX-512 BF16, AMX), and longer on others. Results differ."""
    device: str = "auto"
    """``"auto"`` (CUDA where there is one), ``"cpu"`` or ``"cuda"``."""


class _SAC(SAC):
    """SAC whose updates may compute in bfloat16; weights and optimiser stay in float32."""

    precision: str = "float32"

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"):
            super().train(gradient_steps, batch_size)


class _EpisodicSAC(_SAC):
    """SAC that updates once per ``steps_per_update`` collected steps, rounded up, at the end of each episode."""

    steps_per_update: int = 10

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        super().train(math.ceil(gradient_steps / self.steps_per_update), batch_size)


class SACStudent(SB3Student):
    """Stable-Baselines3's SAC (Haarnoja et al. 2018, arXiv:1801.01290) with the paper's protocol.

    Differs from the paper's Spinning Up student: twin critics without a separate value network, and no
    updates before ``random_steps``. With one slot the updates follow each episode; with S slots there
    are S updates after every ``steps_per_update`` steps of all slots, the same ratio.
    """

    Settings = SACSettings
    settings: SACSettings
    offers = Needs.VALUES

    def __init__(self, settings: SACSettings | None = None) -> None:
        super().__init__(settings)
        self.slots = self.settings.slots

    def values(self, observations: NDArray[Any]) -> NDArray[np.float64]:
        """The lesser critic's estimate for the mean action; it includes the entropy bonus of later steps."""
        policy = self._policy
        assert isinstance(policy, SACPolicy | None)
        with torch.no_grad():
            tensor = self._tensor(observations)
            assert policy is not None
            estimates = torch.cat(policy.critic(tensor, policy.actor(tensor, deterministic=True)), dim=1)
            return np.asarray(estimates.min(dim=1).values.cpu().numpy().astype(np.float64))

    def _make_algorithm(self, worlds: VecEnv, *, steps: int, seed: int) -> BaseAlgorithm:
        settings = self.settings
        single = worlds.num_envs == 1
        algorithm = (_EpisodicSAC if single else _SAC)(
            "MlpPolicy",
            worlds,
            learning_rate=settings.learning_rate,
            buffer_size=max(min(settings.buffer_size, steps), worlds.num_envs),
            learning_starts=settings.random_steps,
            batch_size=settings.batch_size,
            tau=settings.tau,
            gamma=settings.discount,
            train_freq=(1, "episode") if single else (settings.steps_per_update, "step"),
            gradient_steps=-1 if single else worlds.num_envs,
            ent_coef=settings.entropy_coefficient,
            policy_kwargs=self._policy_arguments(),
            device=chosen_device(settings.device),
            seed=seed,
        )
        algorithm.precision = settings.precision
        if isinstance(algorithm, _EpisodicSAC):
            algorithm.steps_per_update = settings.steps_per_update
        return algorithm

    def _make_policy(self, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any]) -> BasePolicy:
        if not isinstance(action_space, gymnasium.spaces.Box):
            raise ValueError(f"SAC acts in a box; the world's action space is {action_space}")
        return SACPolicy(observation_space, action_space, lambda _: 0.0, **self._policy_arguments())

    def _policy_arguments(self) -> dict[str, Any]:
        return {"net_arch": list(self.settings.hidden)}
