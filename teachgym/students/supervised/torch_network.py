"""What students with small networks of their own share: state as arrays."""

from typing import Any

import numpy as np
import torch
from torch import nn

from teachgym.base.state import State
from teachgym.core.seeding import generator_from_state, generator_state


def network_state(network: nn.Module, optimiser: torch.optim.Optimizer, rng: np.random.Generator) -> State:
    """Weights, the optimiser's moments and the generator, as arrays and plain values."""
    moments = optimiser.state_dict()["state"]
    return {
        "weights": {name: _array(value) for name, value in network.state_dict().items()},
        "moments": {
            str(place): {name: _array(value) for name, value in entries.items()} for place, entries in moments.items()
        },
        "rng": generator_state(rng),
    }


def load_network_state(state: State, network: nn.Module, optimiser: torch.optim.Optimizer) -> np.random.Generator:
    """Take over what ``network_state`` gave.

    Returns:
        The generator.

    Raises:
        ValueError: If the weights do not fit the network.
    """
    try:
        network.load_state_dict({name: torch.tensor(np.array(value)) for name, value in state["weights"].items()})
    except (RuntimeError, KeyError) as error:
        raise ValueError(f"the state is that of another network ({error})") from error
    moments: dict[int, dict[str, Any]] = {
        int(place): {name: torch.tensor(np.array(value)) for name, value in entries.items()}
        for place, entries in state["moments"].items()
    }
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    return generator_from_state(state["rng"])


def _array(value: torch.Tensor) -> Any:
    return value.detach().cpu().numpy().copy()
