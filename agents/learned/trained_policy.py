"""Trained policies as files: what network, for which spaces, and its weights, without pickle."""

import importlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from gymnasium import Space, spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from torch import nn

from teachgym.base.checksums import MANIFEST, check_file
from teachgym.base.files import read_state, write_state
from teachgym.base.registry import unknown_name
from teachgym.students.lifetimes.global_state import preserved

POLICY = "policy.npz"
"""The file in a trained teacher's folder."""
ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {
        "a2c": "stable_baselines3:A2C",
        "ddpg": "stable_baselines3:DDPG",
        "dqn": "stable_baselines3:DQN",
        "ppo": "stable_baselines3:PPO",
        "sac": "stable_baselines3:SAC",
        "td3": "stable_baselines3:TD3",
        "crossq": "sb3_contrib:CrossQ",
        "qrdqn": "sb3_contrib:QRDQN",
        "recurrent-ppo": "sb3_contrib:RecurrentPPO",
        "tqc": "sb3_contrib:TQC",
        "trpo": "sb3_contrib:TRPO",
    }
)
"""Algorithms by name: where each class lives. A class is imported when it is asked for, not before."""
ACTIVATIONS: Mapping[str, type[nn.Module]] = MappingProxyType(
    {"elu": nn.ELU, "gelu": nn.GELU, "relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh}
)
_GIVEN = {"self", "observation_space", "action_space", "lr_schedule", "use_sde", "args", "kwargs"}
_NOT_PLAIN = {"features_extractor_class", "features_extractor_kwargs", "optimizer_class", "optimizer_kwargs"}


def algorithm_class(name: str) -> type[BaseAlgorithm]:
    """Find an algorithm's class.

    Raises:
        ValueError: If the name is unknown; suggests the nearest.
        ImportError: If it needs sb3-contrib, which is not installed.
    """
    if name not in ALGORITHMS:
        raise unknown_name("algorithm", name, ALGORITHMS)
    module, _, attribute = ALGORITHMS[name].partition(":")
    try:
        found: type[BaseAlgorithm] = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise ImportError(f"algorithm {name!r} needs sb3-contrib; pip install 'teachgym[contrib]'") from error
    return found


def policy_name(algorithm: type[BaseAlgorithm]) -> str:
    """The algorithm's policy for observations that are vectors, with a memory where the algorithm is for such."""
    return "MlpLstmPolicy" if "MlpLstmPolicy" in algorithm.policy_aliases else "MlpPolicy"


def policy_setting_names(algorithm: type[BaseAlgorithm]) -> set[str]:
    """What can be set of its policy, by plain values."""
    return set(inspect.signature(algorithm.policy_aliases[policy_name(algorithm)]).parameters) - _GIVEN - _NOT_PLAIN


def policy_arguments(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a policy as its constructor takes them: an activation is named in the settings.

    Raises:
        ValueError: If the activation is unknown.
    """
    arguments = dict(settings)
    if "activation_fn" in arguments:
        name = arguments["activation_fn"]
        if name not in ACTIVATIONS:
            raise unknown_name("activation", str(name), ACTIVATIONS)
        arguments["activation_fn"] = ACTIVATIONS[name]
    return arguments


def network_action_space(space: Space[Any]) -> Space[Any]:
    """What a policy chooses from, whatever the units: numbers from -1 to 1, or one of n.

    Raises:
        ValueError: If the space is neither a box of numbers with finite bounds, nor discrete.
    """
    if isinstance(space, spaces.Discrete):
        return spaces.Discrete(int(space.n))
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating) and space.is_bounded():
        return spaces.Box(-1.0, 1.0, space.shape, dtype=np.float32)
    raise ValueError(
        f"the action space is {space}; a trained policy chooses from a discrete space, or from a box of numbers with "
        "finite bounds (turn probes off where the environment has it)"
    )


def to_action(chosen: NDArray[Any], space: Space[Any]) -> NDArray[Any]:
    """Members of ``network_action_space(space)``, one or a batch, in the units of ``space``."""
    if isinstance(space, spaces.Discrete):
        return np.asarray(np.asarray(chosen, dtype=np.int64) + space.start)
    assert isinstance(space, spaces.Box)
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    scaled = low + (np.asarray(chosen, dtype=np.float64) + 1) / 2 * (high - low)
    return np.clip(scaled, low, high).astype(space.dtype)


def check_observation_space(space: Space[Any]) -> None:
    """Raise ``ValueError`` unless the space is a box of numbers."""
    if not isinstance(space, spaces.Box):
        raise ValueError(f"the observation space is {space}; a trained policy observes a box of numbers")


@dataclass(frozen=True, eq=False)
class TrainedPolicy:
    """A policy as it is stored."""

    env: str
    """The teacher environment that it was trained in, with settings."""
    algorithm: str
    """A name in ``ALGORITHMS``."""
    settings: dict[str, Any]
    """Plain settings of the network."""
    observation_shape: tuple[int, ...]
    """Of one observation."""
    action_space: Space[Any]
    """What the network chooses from: ``network_action_space``."""
    weights: dict[str, NDArray[Any]]
    """By name, as in the network's ``state_dict``."""

    @classmethod
    def of(cls, model: BaseAlgorithm, *, env: str, algorithm: str) -> "TrainedPolicy":
        """The policy of a model as it is now."""
        activations = {activation: name for name, activation in ACTIVATIONS.items()}
        settings = {name: value for name, value in (model.policy_kwargs or {}).items() if name not in _NOT_PLAIN}
        settings.pop("use_sde", None)
        if "activation_fn" in settings:
            settings["activation_fn"] = activations[settings["activation_fn"]]
        weights = {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.policy.state_dict().items()}
        shape = model.observation_space.shape or ()
        return cls(env, algorithm, settings, tuple(shape), model.action_space, weights)

    def save(self, folder: Path) -> None:
        """Write it into a folder; the file appears whole or not at all."""
        state = {
            "env": self.env,
            "algorithm": self.algorithm,
            "settings": self.settings,
            "observation_shape": list(self.observation_shape),
            "actions": _count_or_shape(self.action_space),
            "weights": self.weights,
        }
        write_state(folder / POLICY, state)

    @classmethod
    def load(cls, folder: Path) -> "TrainedPolicy":
        """Read one.

        Raises:
            ValueError: If the folder holds none, or the file is damaged or foreign.
        """
        path = folder / POLICY
        if not path.is_file():
            raise ValueError(
                f"{folder} has no {POLICY}; give the folder of a teacher that `teachgym train` has trained"
            )
        if (folder / MANIFEST).exists():  # without, it was copied by itself, and has checksums of its own
            check_file(folder, POLICY)
        state = read_state(path)
        try:
            actions = state["actions"]
            space: Space[Any] = (
                spaces.Discrete(actions)
                if isinstance(actions, int)
                else spaces.Box(-1.0, 1.0, tuple(actions), dtype=np.float32)
            )
            shape = tuple(state["observation_shape"])
            return cls(state["env"], state["algorithm"], state["settings"], shape, space, state["weights"])
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} holds no trained policy of this version ({error!r})") from error

    def network(self) -> BasePolicy:
        """Make the network, on the CPU.

        Raises:
            ValueError: If a setting is not one of the network's plain ones, or the weights do not fit the settings.
            ImportError: If the algorithm needs a package that is not installed.
        """
        algorithm = algorithm_class(self.algorithm)
        known = policy_setting_names(algorithm)
        for name in self.settings:
            if name not in known:
                raise unknown_name(f"setting in the stored policy of {self.algorithm!r}:", name, known)
        observation_space = spaces.Box(-np.inf, np.inf, self.observation_shape, dtype=np.float32)
        make: Any = algorithm.policy_aliases[policy_name(algorithm)]
        weights = {name: torch.as_tensor(array) for name, array in self.weights.items()}
        with preserved():  # initial weights are drawn, and then replaced
            network: BasePolicy = make(
                observation_space, self.action_space, lambda _: 0.0, **policy_arguments(self.settings)
            )
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"the stored policy does not fit its own settings: {error}") from error
        network.set_training_mode(False)
        return network


def described(space: Space[Any]) -> str:
    """A network's action space in words."""
    counted = _count_or_shape(space)
    return f"one of {counted}" if isinstance(counted, int) else f"a box of shape {tuple(counted)}"


def _count_or_shape(space: Space[Any]) -> int | list[int]:
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    shape: Iterable[int] = space.shape or ()
    return [int(side) for side in shape]
