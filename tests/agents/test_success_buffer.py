from itertools import permutations

import numpy as np
import pytest

from teachgym.agents.shaping.success_buffer import SuccessBuffer, assign
from teachgym.core.task_space import FloatArray

LOW, HIGH = np.zeros(1), np.full(1, 100.0)
TARGET = np.linspace(0, 100, 4)[:, None]


def buffer(size: int = 4, noise: float = 0.0) -> SuccessBuffer:
    return SuccessBuffer(size, 10.0, LOW, HIGH, noise=noise)


def add(store: SuccessBuffer, tasks: list[float], outcomes: list[float]) -> list[bool]:
    taken = store.add(np.array(tasks)[:, None], np.array(outcomes), TARGET)
    return [bool(each) for each in taken]


def stored(store: SuccessBuffer) -> dict[float, float]:
    return dict(zip(store.tasks[:, 0].tolist(), store.outcomes.tolist(), strict=True))


def full() -> SuccessBuffer:
    """Four successes, at 1, 2, 3 and 4."""
    store = buffer()
    add(store, [1, 2, 3, 4], [11, 12, 13, 14])
    assert store.reached
    return store


@pytest.mark.parametrize(("sources", "targets"), [(5, 5), (3, 5), (5, 3)])
def test_assignment_is_the_best_of_all_pairings(sources: int, targets: int) -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(sources, 2)), rng.normal(size=(targets, 2))
    rows, columns = assign(one, other)
    few, many = (one, other) if sources <= targets else (other, one)
    costs = [np.sum((few - many[list(chosen)]) ** 2) for chosen in permutations(range(len(many)), len(few))]
    assert len(rows) == min(sources, targets)
    assert np.sum((one[rows] - other[columns]) ** 2) == pytest.approx(min(costs))


def test_until_the_median_is_above_the_threshold_the_better_half_makes_way_for_what_is_no_worse() -> None:
    store = buffer(size=6)
    assert add(store, [1, 2, 3, 4], [1, 2, 3, 4]) == [True] * 4
    assert add(store, [5, 6], [2.9, 3]) == [False, True]  # the median, the third of four, is 3
    assert stored(store) == {2: 2, 3: 3, 6: 3, 4: 4}  # in place of the worst
    assert add(store, [7, 8, 9, 10, 11], [5, 6, 7, 8, 9]) == [True] * 5
    assert stored(store) == {4: 4, 7: 5, 8: 6, 9: 7, 10: 8, 11: 9}  # the best six
    assert not store.reached
    add(store, [12, 13, 14, 15], [20, 20, 20, 20])
    assert store.reached


def test_what_is_taken_in_is_told_even_if_the_best_leave_it_no_room() -> None:
    store = buffer(size=2)
    assert add(store, [1, 2, 3], [1, 2, 3]) == [False, True, True]
    assert stored(store) == {2: 2, 3: 3}


def test_from_then_on_successes_replace_failures_and_fill_up() -> None:
    store = buffer(size=5)
    add(store, [1, 2, 3], [1, 11, 12])
    assert store.reached
    assert add(store, [4, 5], [9.9, 10]) == [False, True]
    assert stored(store) == {5: 10, 2: 11, 3: 12}
    add(store, [6, 7], [13, 14])
    assert stored(store) == {6: 13, 7: 14, 5: 10, 2: 11, 3: 12}


def test_when_it_is_full_of_successes_those_are_kept_that_cover_the_target() -> None:
    store = full()
    assert add(store, [99, 98, 5], [10, 10, 9]) == [True, True, False]
    assert {99.0, 98.0} <= set(stored(store))  # the target is spread over 0 to 100
    assert len(stored(store)) == 4
    assert add(store, [5.5], [50]) == [True]
    assert add(store, [5.4], [50]) == [False]  # 5.5 is nearer to the target's 33 and 67


def test_it_never_shrinks_nor_outgrows_its_size() -> None:
    rng = np.random.default_rng(0)
    store, sizes = buffer(), [0]
    for _ in range(100):
        add(store, rng.uniform(0, 100, 3).tolist(), rng.uniform(-20, 20, 3).tolist())
        sizes.append(len(store.outcomes))
    assert (np.diff(sizes) >= 0).all()
    assert max(sizes) == 4


def test_draws_until_then_are_in_proportion_to_what_lifts_an_outcome_above_the_lower_half() -> None:
    store = SuccessBuffer(3000, -7.0, LOW, HIGH, noise=0.0)
    store.add(np.array([[10.0], [20], [30], [40]]), np.array([-10.0, -9, -8, -7]), TARGET)
    assert not store.reached
    # Outcomes -8 and -7 are 1 and 2 above -9; noise is 25 for -10, 25 / 3 for -8, none for -7.
    draws = store.resample(np.random.default_rng(0))
    assert np.mean(draws == 40) == pytest.approx(2 / 3, abs=0.03)
    others = draws[draws != 40]
    assert np.mean(others) == pytest.approx(30, abs=1)
    assert np.std(others) == pytest.approx(25 / 3, rel=0.1)
    assert ((draws >= 0) & (draws <= 100)).all()


def test_draws_from_then_on_have_every_success_and_little_noise() -> None:
    store = SuccessBuffer(2000, 10.0, LOW, HIGH, noise=0.1)
    store.add(np.array([[10.0], [20.0]]), np.array([12.0, 13.0]), TARGET)
    draws: FloatArray = store.resample(np.random.default_rng(0))
    near = np.where(draws < 15, 10, 20)
    assert np.mean(near == 10) == pytest.approx(0.5, abs=0.04)
    assert np.std(draws - near) == pytest.approx(0.1, rel=0.1)


def test_noise_out_of_bounds_is_drawn_again_from_the_same_task() -> None:
    store = SuccessBuffer(2000, 10.0, LOW, HIGH, noise=0.0)
    store.add(np.array([[0.0], [0.0]]), np.array([0.0, 9.9]), TARGET)
    draws = store.resample(np.random.default_rng(0))
    assert np.mean(draws == 0) < 0.01  # clipped ones would be half


def test_a_single_answer_is_enough_and_equal_ones_do_no_harm() -> None:
    for outcomes in ([-5.0], [5.0] * 3, [10.0] * 3):
        store = buffer(size=7)
        add(store, [50.0] * len(outcomes), outcomes)
        assert store.resample(np.random.default_rng(0)).shape == (7, 1)


def test_a_state_goes_on_as_the_buffer_would() -> None:
    store, other = full(), buffer()
    other.load(store.state())
    for each in (store, other):
        add(each, [99.0], [12.0])
    assert stored(store) == stored(other)
    assert other.reached
