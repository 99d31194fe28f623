import numpy as np
import pytest
import torch

from teachgym.agents.base.torch_networks import deciding, learning, numbers, tensor
from teachgym.students.lifetimes.global_state import one_thread


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


def test_tensors_and_numbers_are_copies() -> None:
    array = np.ones(2, dtype=np.float32)
    made = tensor(array)
    array[:] = 7
    assert made.tolist() == [1, 1]
    shown = numbers(made)
    made[:] = 7
    assert shown.tolist() == [1, 1]
