"""A policy that is tested with the moving average of its weights."""

from typing import Any

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import PyTorchObs
from torch import nn
from torch.func import functional_call

_ACTING = ("mlp_extractor.policy_net.", "action_net.")
"""Parts of the network that actions come from, by the beginnings of their names."""


class AveragedPolicy(ActorCriticPolicy):
    """Explores and learns as Stable-Baselines3's does, and takes its most likely actions with averaged weights.

    The exponential moving average follows each step of the optimiser and is part of the state. An update that spoils
    the mean action for a while hardly reaches it. In its first steps it forgets faster, so that it soon leaves the
    initial weights: step n keeps a share of at most (1 + n) / (10 + n).

    Args:
        *policy: As for Stable-Baselines3's policy.
        averaging: Share of the past in each average, in ``[0, 1)``.
        **settings: As for Stable-Baselines3's policy.
    """

    steps: torch.Tensor
    """Steps of the optimiser so far."""

    def __init__(self, *policy: Any, averaging: float, **settings: Any) -> None:
        super().__init__(*policy, **settings)
        self.averaging = averaging
        acting = {name: value for name, value in self.named_parameters() if name.startswith(_ACTING)}
        self.acting = acting  # by name, in the order of the averages
        self.averaged = nn.ParameterList([nn.Parameter(value.detach().clone(), False) for value in acting.values()])
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.optimizer.register_step_post_hook(lambda *_: self._average())

    @torch.no_grad()
    def _average(self) -> None:
        self.steps += 1
        steps = int(self.steps)
        past = min(self.averaging, (1 + steps) / (10 + steps))
        for current, average in zip(self.acting.values(), self.averaged, strict=True):
            average.lerp_(current, 1.0 - past)

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> torch.Tensor:
        if not deterministic:
            return super()._predict(observation)
        averaged = dict(zip(self.acting, self.averaged, strict=True))
        actions: torch.Tensor = functional_call(self, averaged, (observation,), {"deterministic": True})[0]
        return actions
