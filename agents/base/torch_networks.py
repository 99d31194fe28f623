"""What teachers with torch networks share: private randomness, and one thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

import teachgym.students.torch_state  # noqa: F401 - by which networks are kept
from teachgym.core.task_space import FloatArray
from teachgym.students.lifetimes.global_state import one_thread, seeded


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
