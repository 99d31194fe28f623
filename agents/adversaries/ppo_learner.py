"""Proximal policy optimisation on transitions that its user collected: Stable-Baselines3's, without its own loop."""

from dataclasses import dataclass
from typing import Annotated, Any

import gymnasium
import numpy as np
import torch
from annotated_types import Ge, Le
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from teachgym.agents.base.torch_networks import deciding, learning, numbers, tensor
from teachgym.base.ranges import NonNegativeFloat, PositiveFloat, PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.base.state import Stateful
from teachgym.core.task_space import FloatArray

LOG_STD_RANGE = (-5.0, 2.0)
"""Where the policy's log standard deviation is kept, so that a long run's entropy bonus can't make it overflow."""


@checked_dataclass
class PPOLearnerSettings:
    """Settings of ``PPOLearner``, as the published walker runs of PAIRED have them (dcd, bipedal configuration).

    Raises:
        ValueError: If a value is not allowed.
    """

    epochs: PositiveInt = 8
    """Passes over the transitions of one update."""
    minibatches: PositiveInt = 4
    """Minibatches of a pass."""
    learning_rate: PositiveFloat = 3e-4
    """Step size of Adam."""
    entropy_coefficient: NonNegativeFloat = 0.01
    """Weight of the entropy bonus."""
    clip_range: PositiveFloat = 0.2
    """Clipping of the probability ratio."""
    discount: Share = 0.99
    """Discount factor gamma."""
    gae_lambda: Share = 0.9
    """Lambda of generalised advantage estimation."""
    value_coefficient: NonNegativeFloat = 0.5
    """Weight of the value function's loss."""
    max_gradient_norm: PositiveFloat = 0.5
    """Length that gradients are cut to."""
    hidden: tuple[PositiveInt, ...] = (64, 64)
    """Widths of the hidden layers, of the policy and of the value function alike."""
    log_std_init: Annotated[float, Ge(LOG_STD_RANGE[0]), Le(LOG_STD_RANGE[1])] = 0.0
    """Log of the standard deviation of actions at first."""


@dataclass(frozen=True, eq=False)
class Rollout:
    """Transitions of T steps in each of L lanes; every lane ends with the end of an episode."""

    observations: FloatArray
    """``(T, L, o)``."""
    actions: FloatArray
    """``(T, L, a)`` as ``PPOLearner.draw`` gave them."""
    rewards: FloatArray
    """``(T, L)``."""
    starts: NDArray[np.bool_]
    """``(T, L)`` whether an episode starts there."""
    values: FloatArray
    """``(T, L)`` what ``PPOLearner.evaluate`` gave."""
    log_probs: FloatArray
    """``(T, L)`` what it gave of the policy that drew the actions."""


class PPOLearner(Stateful):
    """A Gaussian policy and its value function, improved by Stable-Baselines3's PPO (Schulman et al. 2017).

    Actions are any real numbers: whoever has bounds maps them there. Random numbers come from the generators that are
    passed in; global ones are as before afterwards.

    Args:
        observations: Numbers in an observation.
        actions: Numbers in an action.
        steps: T of the rollouts that it trains on.
        lanes: L of them; ``steps * lanes`` is a multiple of the minibatches, with 2 transitions or more in each.
        settings: The settings.
        rng: Gives the initial weights.

    Raises:
        ValueError: If the transitions do not make equal minibatches.
    """

    keeps = ("policy", "_optimiser")

    def __init__(
        self,
        observations: int,
        actions: int,
        *,
        steps: int,
        lanes: int,
        settings: PPOLearnerSettings,
        rng: np.random.Generator,
    ) -> None:
        batch, left_over = divmod(steps * lanes, settings.minibatches)
        if left_over or batch < 2:
            raise ValueError(
                f"{settings.minibatches} minibatches can't share {steps * lanes} transitions equally, "
                "with 2 or more in each"
            )
        with learning(rng):
            self._model = PPO(
                "MlpPolicy",
                DummyVecEnv([lambda: _Spaces(observations, actions)] * lanes),
                learning_rate=settings.learning_rate,
                n_steps=steps,
                batch_size=batch,
                n_epochs=settings.epochs,
                gamma=settings.discount,
                gae_lambda=settings.gae_lambda,
                clip_range=settings.clip_range,
                ent_coef=settings.entropy_coefficient,
                vf_coef=settings.value_coefficient,
                max_grad_norm=settings.max_gradient_norm,
                policy_kwargs={
                    "net_arch": list(settings.hidden),
                    "activation_fn": nn.Tanh,
                    "log_std_init": settings.log_std_init,
                },
                device="cpu",
            )
        self._model.set_logger(Logger(folder=None, output_formats=[]))
        self._model.env = None  # it was needed for its spaces alone, and a teacher keeps no environment
        self.policy: ActorCriticPolicy = self._model.policy
        """The policy and value function."""
        self._optimiser = self.policy.optimizer

    def draw(self, observation: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Draw an action ``(a,)`` for an observation ``(o,)``."""
        policy = self.policy
        with deciding():
            mean = policy.action_net(policy.mlp_extractor.forward_actor(tensor(observation[None])))[0]
            std = torch.exp(policy.log_std)
        noise = rng.standard_normal(len(mean))
        return np.asarray(numbers(mean) + numbers(std) * noise, dtype=np.float64)

    def evaluate(self, observations: FloatArray, actions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values of observations ``(m, o)``, and log densities of actions ``(m, a)`` there: ``(m,)`` each."""
        with deciding():
            values, log_probs, _ = self.policy.evaluate_actions(tensor(observations), tensor(actions))
        return numbers(values)[:, 0], numbers(log_probs)

    def train(self, rollout: Rollout, rng: np.random.Generator) -> None:
        """One update, of several passes over the rollout."""
        buffer = self._model.rollout_buffer
        assert isinstance(buffer, RolloutBuffer)
        with learning(rng):
            buffer.reset()
            for step in range(buffer.buffer_size):
                buffer.add(
                    rollout.observations[step],
                    rollout.actions[step],
                    rollout.rewards[step],
                    rollout.starts[step],
                    tensor(rollout.values[step]),
                    tensor(rollout.log_probs[step]),
                )
            lanes = buffer.n_envs
            buffer.compute_returns_and_advantage(torch.zeros(lanes), np.ones(lanes, dtype=np.bool_))
            self._model.train()
            with torch.no_grad():
                self.policy.log_std.clamp_(*LOG_STD_RANGE)


class _Spaces(gymnasium.Env[Any, Any]):
    """As much of an environment as an algorithm needs to be made. It is never played."""

    def __init__(self, observations: int, actions: int) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (observations,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (actions,), np.float32)
