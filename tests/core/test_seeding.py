from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachgym.core.seeding import Seeds, check_seed, fan_out, generator_from_state, generator_state


def test_the_streams_of_a_seed_never_change() -> None:
    # Stored runs are named by their seed, so these numbers must outlive every version of the package.
    assert fan_out(0) == Seeds(seed=0, world=2968811710, student=3677149159, teacher=745650761, evaluation=2884920346)
    assert fan_out(3) == Seeds(seed=3, world=1576890651, student=2902887791, teacher=607385081, evaluation=2997055210)


@given(st.integers(0, 2**64), st.integers(0, 2**64))
def test_parts_and_seeds_do_not_share_a_stream(first: int, second: int) -> None:
    words = {*astuple(fan_out(first))[1:], *astuple(fan_out(second))[1:]}
    assert len(words) == (4 if first == second else 8)
    assert all(0 <= word < 2**32 for word in words)


def test_an_integer_of_numpy_is_the_same_seed() -> None:
    assert fan_out(int(np.int64(7))) == fan_out(7)
    check_seed(0)


@pytest.mark.parametrize("seed", [-1, True, False, 1.0, np.float64(2), "3", None])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(ValueError, match="expected a non-negative integer"):
        fan_out(seed)


def test_a_restored_generator_continues_the_stream() -> None:
    rng = np.random.default_rng(5)
    rng.normal(size=3)
    rng.integers(10, dtype=np.uint32)  # leaves half a word behind
    restored = generator_from_state(generator_state(rng))
    assert np.array_equal(rng.integers(10, size=9, dtype=np.uint32), restored.integers(10, size=9, dtype=np.uint32))
    assert np.array_equal(rng.normal(size=9), restored.normal(size=9))


def test_the_state_of_another_generator_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'MT19937'; expected 'PCG64'"):
        generator_from_state(generator_state(np.random.Generator(np.random.MT19937(0))))
