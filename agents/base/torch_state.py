"""What teachers with torch networks share: private randomness, one thread, and state as arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from teachgym.base.state import foreign
from teachgym.core.task_space import FloatArray
from teachgym.students.lifetimes.global_state import one_thread, seeded

ModuleWeights = dict[str, NDArray[Any]]


@contextmanager
def deciding() -> Iterator[None]:
    """For forward passes that nothing is learnt from. They draw no random numbers."""
    with one_thread(), torch.no_grad():
        yield


@contextmanager
def learning(rng: np.random.Generator) -> Iterator[None]:
    """For making and training networks: global generators are seeded from ``rng``, and afterwards as before."""
    with one_thread(), seeded(int(rng.integers(2**32))):
        yield


def tensor(values: Any, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """A tensor of its own on the CPU, whatever device is torch's default."""
    return torch.tensor(np.asarray(values), dtype=dtype, device="cpu")


def numbers(values: torch.Tensor) -> FloatArray:
    """A tensor's values as an array of its own, in float64."""
    return np.array(values.detach().numpy(), dtype=np.float64)


def descend(loss: torch.Tensor, module: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """One step of the module's optimiser; gradients of no other parameter are touched."""
    parameters = list(module.parameters())
    for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = slope
    optimiser.step()


def weights_of(module: nn.Module) -> ModuleWeights:
    """A module's parameters and buffers, copied."""
    return {name: value.detach().numpy().copy() for name, value in module.state_dict().items()}


def load_weights(module: nn.Module, arrays: ModuleWeights) -> None:
    """Take over what ``weights_of`` gave."""
    module.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})


def optimiser_state(optimiser: torch.optim.Optimizer) -> list[ModuleWeights]:
    """What an optimiser remembers of each parameter, in order, copied; empty dicts before its first step."""
    return [
        {name: value.detach().numpy().copy() for name, value in optimiser.state[parameter].items()}
        if parameter in optimiser.state
        else {}
        for group in optimiser.param_groups
        for parameter in group["params"]
    ]


def load_optimiser(optimiser: torch.optim.Optimizer, state: list[ModuleWeights]) -> None:
    """Take over what ``optimiser_state`` gave; step sizes and the like stay as they are."""
    remembered = {
        index: {name: torch.tensor(array) for name, array in arrays.items()}
        for index, arrays in enumerate(state)
        if arrays
    }
    optimiser.load_state_dict({"state": remembered, "param_groups": optimiser.state_dict()["param_groups"]})


def _restored_module(module: nn.Module, arrays: ModuleWeights) -> nn.Module:
    load_weights(module, arrays)
    return module


def _restored_optimiser(optimiser: torch.optim.Optimizer, state: list[ModuleWeights]) -> torch.optim.Optimizer:
    load_optimiser(optimiser, state)
    return optimiser


foreign(nn.Module, weights_of, _restored_module)
foreign(torch.optim.Optimizer, optimiser_state, _restored_optimiser)
