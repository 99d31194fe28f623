"""Networks, optimisers and tensors that a class keeps come back from a file, and train on as if never stopped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import teachgym.students.torch_state  # noqa: F401 - by which networks are kept
from teachgym.base.files import read_state, write_state
from teachgym.base.state import Stateful
from teachgym.students.lifetimes.global_state import seeded
from teachgym.testing.equality import difference, not_plain


class Learner(Stateful):
    keeps = ("network", "optimiser", "weights")

    def __init__(self, seed: int, kind: Any = torch.optim.Adam, outputs: int = 2) -> None:
        with seeded(seed):
            self.network = nn.Sequential(nn.Linear(3, outputs), nn.BatchNorm1d(outputs))
        self.optimiser = kind(self.network.parameters(), lr=0.1)
        self.weights = {"first": torch.full((2,), float(seed), requires_grad=True)}

    def step(self, target: float) -> None:
        self.optimiser.zero_grad()
        torch.mean((self.network(torch.arange(6.0).reshape(2, 3)) - target) ** 2).backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.optimiser.param_groups[0]["lr"] *= 0.9


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.RMSprop])
@pytest.mark.parametrize("steps", [0, 3])
def test_a_learner_restored_from_a_file_trains_on_as_if_never_stopped(kind: Any, steps: int, tmp_path: Path) -> None:
    first, second = Learner(0, kind), Learner(1, kind)
    for _ in range(steps):
        first.step(2.0)
    assert not_plain(first.state()) is None
    write_state(tmp_path / "state.npz", first.state())
    second.step(-9.0)
    kept = second.weights["first"]
    second.load(read_state(tmp_path / "state.npz"))
    for _ in range(3):
        first.step(1.0)
        second.step(1.0)
    assert difference(first.state(), second.state()) is None
    assert second.weights["first"] is kept, "whoever holds a tensor sees what is restored into it"
    assert kept.requires_grad


def test_half_precision_comes_back(tmp_path: Path) -> None:
    first, second = Learner(0), Learner(1)
    for learner in (first, second):
        learner.network.to(torch.bfloat16)
        learner.weights = {"first": torch.full((2,), 0.1, dtype=torch.bfloat16)}
        learner.optimiser = torch.optim.Adam(learner.network.parameters())
        learner.network(torch.ones(2, 3, dtype=torch.bfloat16)).sum().backward()
        learner.optimiser.step()
    write_state(tmp_path / "state.npz", first.state())
    second.load(read_state(tmp_path / "state.npz"))
    assert difference(first.state(), second.state()) is None
    assert second.network[0].weight.dtype is torch.bfloat16


def test_a_state_is_a_copy() -> None:
    learner = Learner(0)
    state, again = learner.state(), learner.state()
    learner.step(1.0)
    assert difference(state, again) is None
    assert difference(learner.state(), state) is not None


def test_a_state_of_another_network_is_refused() -> None:
    with pytest.raises(ValueError, match="the state is that of another network"):
        Learner(0).load(Learner(0, outputs=4).state())
    longer = Learner(0)
    longer.weights = {"first": torch.zeros(5)}
    with pytest.raises(ValueError, match=r"numbers of shape \(5,\), which do not fit \(2,\)"):
        Learner(0).load(longer.state())
    longer.weights = {"second": torch.zeros(2)}
    with pytest.raises(ValueError, match="1 entries, which do not fit the 1 that are here"):
        Learner(0).load(longer.state())


def test_arrays_of_weights_are_copies() -> None:
    learner = Learner(0)
    weights: Any = learner.state()["network"]
    kept = weights["0.weight"].copy()
    nn.init.zeros_(learner.network[0].weight)  # type: ignore[arg-type]
    np.testing.assert_array_equal(weights["0.weight"], kept)
