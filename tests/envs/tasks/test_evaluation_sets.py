import numpy as np
import pytest

from teachgym.envs.tasks.evaluation_sets import draw_test_set

LOW, HIGH = np.array([0.0, 0.0]), np.array([3.0, 6.0])


def test_the_stump_tracks_begin_where_the_papers_do() -> None:
    tasks = draw_test_set(LOW, HIGH)
    assert tasks.shape == (50, 2)
    assert tasks[0].tolist() == [0.31214771245198125, 3.8609874944904026]


@pytest.mark.parametrize(("low", "high"), [(LOW, HIGH), (np.full(10, -1.0), np.linspace(1, 6, 10))])
def test_points_are_drawn_one_by_one_and_number_by_number(low: np.ndarray, high: np.ndarray) -> None:
    generator = np.random.RandomState(4222)
    expected = [[generator.uniform(a, b) for a, b in zip(low, high, strict=True)] for _ in range(50)]
    tasks = draw_test_set(low, high)
    assert tasks.tolist() == expected
    assert np.all((low <= tasks) & (tasks <= high))


def test_drawing_does_not_touch_the_global_generator() -> None:
    before = np.random.get_state()  # noqa: NPY002
    draw_test_set(LOW, HIGH)
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_another_seed_or_count_draws_another_set() -> None:
    assert draw_test_set(LOW, HIGH, count=7).tolist() == draw_test_set(LOW, HIGH)[:7].tolist()
    assert draw_test_set(LOW, HIGH, seed=0).tolist() != draw_test_set(LOW, HIGH).tolist()
