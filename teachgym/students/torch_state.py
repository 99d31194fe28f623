"""How networks, their optimisers and single tensors are kept: as arrays, which are restored into what is there."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from teachgym.base.state import State, foreign

ModuleWeights = dict[str, NDArray[Any]]


def array_of(values: torch.Tensor) -> NDArray[Any]:
    """A tensor's values as an array of its own, in the tensor's type; the bits of bfloat16, which NumPy lacks."""
    values = values.detach()
    return (values.view(torch.int16) if values.dtype is torch.bfloat16 else values).cpu().numpy().copy()


def weights_of(module: nn.Module) -> ModuleWeights:
    """A module's parameters and buffers, copied."""
    return {name: array_of(value) for name, value in module.state_dict().items()}


def _tensor_of(array: NDArray[Any], like: torch.Tensor) -> torch.Tensor:
    made = torch.tensor(np.array(array))
    return made.view(like.dtype) if like.dtype is torch.bfloat16 and made.dtype is torch.int16 else made


def _restored_module(there: nn.Module | None, arrays: ModuleWeights) -> nn.Module:
    assert there is not None, "a network is restored into one of its kind"
    own, none = there.state_dict(), torch.empty(0)
    try:
        there.load_state_dict({name: _tensor_of(array, own.get(name, none)) for name, array in arrays.items()})
    except RuntimeError as error:
        raise ValueError(f"the state is that of another network ({error})") from error
    return there


def _optimiser_state(optimiser: torch.optim.Optimizer) -> State:
    """Its step sizes, and what it remembers of each parameter, in order; empty dicts before its first step."""
    moments = [
        {name: array_of(value) for name, value in optimiser.state[parameter].items()}
        if parameter in optimiser.state
        else {}
        for group in optimiser.param_groups
        for parameter in group["params"]
    ]
    return {"rates": [float(group["lr"]) for group in optimiser.param_groups], "moments": moments}


def _restored_optimiser(there: torch.optim.Optimizer | None, state: State) -> torch.optim.Optimizer:
    """All else that was set stays as it is."""
    assert there is not None, "an optimiser is restored into one of its kind"
    parameters = [parameter for group in there.param_groups for parameter in group["params"]]
    moments = {
        place: {name: _tensor_of(array, parameter) for name, array in arrays.items()}
        for place, (arrays, parameter) in enumerate(zip(state["moments"], parameters, strict=True))
        if arrays
    }
    groups = there.state_dict()["param_groups"]
    for group, rate in zip(groups, state["rates"], strict=True):
        group["lr"] = rate
    there.load_state_dict({"state": moments, "param_groups": groups})
    return there


@torch.no_grad()
def _restored_tensor(there: torch.Tensor | None, array: NDArray[Any]) -> torch.Tensor:
    if there is None:
        return _tensor_of(array, torch.empty(0))
    if tuple(there.shape) != array.shape:
        raise ValueError(f"the state holds numbers of shape {array.shape}, which do not fit {tuple(there.shape)}")
    return there.copy_(_tensor_of(array, there))


foreign(nn.Module, weights_of, _restored_module)
foreign(torch.optim.Optimizer, _optimiser_state, _restored_optimiser)
foreign(torch.Tensor, array_of, _restored_tensor)
