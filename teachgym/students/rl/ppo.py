"""Proximal policy optimisation, on Stable-Baselines3."""

import math
from typing import Annotated, Any

import gymnasium
import numpy as np
import torch
from annotated_types import Ge, Le
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.vec_env import VecEnv, VecNormalize
from torch import nn

from teachgym.base.ranges import NonNegativeFloat, PositiveFloat, PositiveInt, Share, ShareBelowOne
from teachgym.base.settings import checked_dataclass
from teachgym.core.needs import Needs
from teachgym.students.devices import chosen_device
from teachgym.students.rl.averaged_policy import AveragedPolicy
from teachgym.students.rl.sb3_student import SB3Student

SLOWEST, FASTEST = 1e-5, 3e-3
"""Bounds of a step size that is adapted."""
MOST_LOG_STD = 20.0
"""Beyond this, either way, the exploration noise has no finite density in float32."""


@checked_dataclass
class PPOSettings:
    """Settings of the PPO student, tuned for the parametric walker.

    Exploration noise that is large at first keeps students from standing still, since standing is then no way to avoid
    falls; noise that is small at last makes what is tested, the most likely action, what was trained. A discount that
    is small at first learns soon to go forward; one that is larger at last weighs a fall against the whole track.
    """

    slots: PositiveInt = 64
    """Number of worlds played at once."""
    rollout_steps: PositiveInt = 128
    """Steps of every slot between two updates."""
    batch_size: int = 1024
    """Minibatch size."""
    epochs: PositiveInt = 5
    """Passes over each rollout."""
    learning_rate: PositiveFloat = 1e-3
    """Step size of Adam; at first only, where ``desired_kl`` is given."""
    desired_kl: PositiveFloat | None = 0.01
    """Divergence of an update that the step size is adapted to: where the last pass over a rollout finds less than half
    of it between the policy and the rollout's, the step size is multiplied by 1.5, and where it finds more than twice
    as much, divided, within 1e-5 and 3e-3; None for a step size that stays."""
    discount: Share = 0.99
    """Discount factor gamma; at first only, where ``discount_final`` is given."""
    discount_final: float | None = 0.995
    """What it changes to, along with the noise: log(1 - gamma) goes in a line; None for a discount that stays."""
    gae_lambda: Share = 0.9
    """Lambda of generalised advantage estimation."""
    clip_range: PositiveFloat = 0.2
    """Clipping of the probability ratio."""
    target_kl: PositiveFloat | None = None
    """Divergence from the policy of the rollout at which its passes end early; None for all passes."""
    entropy_coefficient: NonNegativeFloat = 0.0
    """Weight of the entropy bonus."""
    log_std_init: Annotated[float, Ge(-MOST_LOG_STD), Le(MOST_LOG_STD)] = 0.0
    """Initial log of the exploration noise's standard deviation."""
    log_std_final: Annotated[float, Ge(-MOST_LOG_STD), Le(MOST_LOG_STD)] | None = -2.0
    """What that log changes to, in a line; None for noise that is learned."""
    schedule_share: Share = 0.75
    """Share of the budget over which noise and discount change, to stay what they are then, ..."""
    schedule_steps: PositiveInt = 1_500_000
    """... but never over fewer steps than these: students that begin with less noise stand still."""
    averaging: ShareBelowOne = 0.998
    """Share of the past in the moving average of weights that is tested, which follows each minibatch; 0 for none."""
    hidden: tuple[PositiveInt, ...] = (64, 64)
    """Widths of the hidden layers, of the policy and of the value function alike."""
    device: str = "auto"
    """``"auto"`` (CUDA where there is one), ``"cpu"`` or ``"cuda"``."""

    def __post_init__(self) -> None:
        if self.discount_final is not None and not self.discount <= self.discount_final < 1.0:
            raise ValueError(
                f"discount_final is {self.discount_final}; expected a number from discount = {self.discount} to below "
                "1, or None for a discount that stays"
            )
        if not 2 <= self.batch_size <= self.slots * self.rollout_steps:
            raise ValueError(
                f"batch_size is {self.batch_size}; expected from 2 to slots * rollout_steps = "
                f"{self.slots * self.rollout_steps}"
            )


class _PPO(PPO):
    """PPO whose step size may follow the divergence of its updates.

    As in ``rsl_rl``, which changes it after each minibatch; here once for each rollout. It is where the optimiser keeps
    it, and stored with the optimiser.
    """

    desired_kl: PositiveFloat | None = None

    def train(self) -> None:
        super().train()
        if self.desired_kl is None:
            return
        divergence = self.logger.name_to_value["train/approx_kl"]
        (group,) = self.policy.optimizer.param_groups
        size = group["lr"]
        if divergence > 2 * self.desired_kl:
            group["lr"] = min(size, max(size / 1.5, SLOWEST))
        elif divergence < self.desired_kl / 2:
            group["lr"] = max(size, min(size * 1.5, FASTEST))

    def _update_learning_rate(self, optimizers: list[torch.optim.Optimizer] | torch.optim.Optimizer) -> None:
        """Leave the step size as it is."""


class PPOStudent(SB3Student):
    """Stable-Baselines3's PPO (Schulman et al. 2017, arXiv:1707.06347) with running normalisation.

    Observations and rewards are normalised by running statistics; the teacher still gets raw returns.
    """

    Settings = PPOSettings
    settings: PPOSettings
    offers = Needs.VALUES | Needs.ENTROPIES

    def __init__(self, settings: PPOSettings | None = None) -> None:
        super().__init__(settings)
        self.slots = self.settings.slots

    def values(self, observations: NDArray[Any]) -> NDArray[np.float64]:
        """The value function's estimates, in units of the raw reward: times the scale that rewards are divided by."""
        policy, normalise = self._policy, self._normalise
        assert isinstance(policy, ActorCriticPolicy | None)
        with torch.no_grad():
            tensor = self._tensor(observations)
            assert policy is not None
            values = policy.predict_values(tensor).cpu().numpy().astype(np.float64).ravel()
        if normalise is not None:
            values *= np.sqrt(normalise.ret_rms.var + normalise.epsilon)
        return np.asarray(values)

    def entropies(self, observations: NDArray[Any]) -> NDArray[np.float64]:
        """Entropies of the policy's distribution over actions, before clipping."""
        policy = self._policy
        assert isinstance(policy, ActorCriticPolicy | None)
        with torch.no_grad():
            tensor = self._tensor(observations)
            assert policy is not None
            entropies = policy.get_distribution(tensor).entropy()
        assert entropies is not None, "PPO's distributions have entropies"
        return np.asarray(entropies.cpu().numpy().astype(np.float64))

    def _make_algorithm(self, worlds: VecEnv, *, steps: int, seed: int) -> BaseAlgorithm:
        settings = self.settings
        algorithm = _PPO(
            AveragedPolicy if settings.averaging else "MlpPolicy",
            VecNormalize(worlds, gamma=settings.discount),
            learning_rate=settings.learning_rate,
            n_steps=settings.rollout_steps,
            batch_size=settings.batch_size,
            n_epochs=settings.epochs,
            gamma=settings.discount,
            gae_lambda=settings.gae_lambda,
            clip_range=settings.clip_range,
            target_kl=settings.target_kl,
            ent_coef=settings.entropy_coefficient,
            policy_kwargs=self._policy_arguments(),
            device=chosen_device(settings.device),
            seed=seed,
        )
        algorithm.desired_kl = settings.desired_kl
        return algorithm

    def _make_policy(self, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any]) -> BasePolicy:
        kind = AveragedPolicy if self.settings.averaging else ActorCriticPolicy
        return kind(observation_space, action_space, lambda _: 0.0, **self._policy_arguments())

    def _policy_arguments(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "net_arch": list(settings.hidden),
            "activation_fn": nn.Tanh,
            "log_std_init": settings.log_std_init,
            **({"averaging": settings.averaging} if settings.averaging else {}),
        }

    def _before_rollout(self, algorithm: BaseAlgorithm) -> None:
        """Set the exploration noise and the discount, where they follow their lines."""
        settings = self.settings
        assert isinstance(algorithm, PPO)
        length = max(settings.schedule_share * algorithm._total_timesteps, settings.schedule_steps)
        share = min(algorithm.num_timesteps / length, 1.0)
        noise = getattr(algorithm.policy, "log_std", None)  # of continuous actions only
        if settings.log_std_final is not None and isinstance(noise, nn.Parameter):
            noise.requires_grad_(False).fill_(_between(settings.log_std_init, settings.log_std_final, share))
        if settings.discount_final is not None:
            first, final = (math.log(1.0 - discount) for discount in (settings.discount, settings.discount_final))
            discount = 1.0 - math.exp(_between(first, final, share))
            assert self._normalise is not None
            algorithm.gamma = algorithm.rollout_buffer.gamma = self._normalise.gamma = discount


def _between(first: float, final: float, share: float) -> float:
    return first + share * (final - first)
