from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from teachgym.agents.base.torch_state import (
    deciding,
    learning,
    load_optimiser,
    load_weights,
    numbers,
    optimiser_state,
    tensor,
    weights_of,
)
from teachgym.students.lifetimes.global_state import one_thread
from teachgym.testing.equality import difference, not_plain


def network(seed: int) -> nn.Linear:
    with learning(np.random.default_rng(seed)):
        return nn.Linear(3, 2)


def step(module: nn.Module, optimiser: torch.optim.Optimizer, target: float) -> None:
    optimiser.zero_grad()
    torch.mean((module(torch.ones(1, 3)) - target) ** 2).backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def test_learning_is_seeded_from_the_generator_and_leaves_global_ones_as_they_were() -> None:
    before = torch.get_rng_state().clone(), np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    draws = []
    for _ in range(2):
        with learning(np.random.default_rng(5)):
            draws.append([float(torch.rand(())), float(np.random.rand())])  # noqa: NPY002
    assert draws[0] == draws[1]
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002


def test_learning_turns_gradients_on_and_deciding_off_for_the_time_being() -> None:
    with torch.no_grad():
        with learning(np.random.default_rng(0)):
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()
    with deciding():
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_the_number_of_threads_is_restored_even_after_an_error() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        with pytest.raises(IndexError), one_thread():
            [][0]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.RMSprop])
@pytest.mark.parametrize("steps", [0, 3])
def test_a_network_restored_from_arrays_trains_on_as_if_never_stopped(kind: Any, steps: int) -> None:
    module, other = network(0), network(1)
    optimiser, other_optimiser = (kind(m.parameters(), lr=0.1) for m in (module, other))
    for _ in range(steps):
        step(module, optimiser, 2.0)
    state = {"weights": weights_of(module), "optimiser": optimiser_state(optimiser)}
    assert not_plain(state) is None
    step(other, other_optimiser, -9.0)
    load_weights(other, state["weights"])  # type: ignore[arg-type]
    load_optimiser(other_optimiser, state["optimiser"])  # type: ignore[arg-type]
    for _ in range(3):
        step(module, optimiser, 1.0)
        step(other, other_optimiser, 1.0)
    assert difference(weights_of(module), weights_of(other)) is None
    assert difference(optimiser_state(optimiser), optimiser_state(other_optimiser)) is None


def test_states_and_tensors_are_copies() -> None:
    module = network(0)
    weights = weights_of(module)
    kept = weights["weight"].copy()
    nn.init.zeros_(module.weight)
    np.testing.assert_array_equal(weights["weight"], kept)
    array = np.ones(2, dtype=np.float32)
    made = tensor(array)
    array[:] = 7
    assert made.tolist() == [1, 1]
    shown = numbers(made)
    made[:] = 7
    assert shown.tolist() == [1, 1]
