import numpy as np
import pytest

from teachgym.agents.shaping import particle_moves
from teachgym.agents.shaping.particle_moves import ball_candidates, kernel_regression


def test_predictions_are_nadarayas_and_watsons(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    points, tasks, outcomes = rng.normal(size=(40, 3)), rng.normal(size=(25, 3)) + 1, rng.normal(size=25) * 100
    weights = np.exp(-0.5 * np.sum((points[:, None] - tasks) ** 2, axis=2) / 0.7**2)
    expected = weights @ outcomes / weights.sum(axis=1)
    np.testing.assert_allclose(kernel_regression(points, tasks, outcomes, 0.7), expected, atol=1e-3)
    monkeypatch.setattr(particle_moves, "CHUNK", 60)
    np.testing.assert_allclose(kernel_regression(points, tasks, outcomes, 0.7), expected, atol=1e-3)


def test_far_from_all_tasks_the_nearest_decides() -> None:
    tasks, outcomes = np.array([[0.0], [1.0]]), np.array([-7.0, 1e9])
    np.testing.assert_allclose(kernel_regression(np.array([[1e6], [-1e6]]), tasks, outcomes, 0.01), [1e9, -7])


def test_equal_outcomes_are_predicted_exactly() -> None:
    assert kernel_regression(np.ones((2, 1)), np.zeros((3, 1)), np.full(3, 180.0), 0.1).tolist() == [180, 180]


@pytest.mark.parametrize("dimensions", [1, 2, 30])
def test_candidates_lie_in_the_ball_and_on_the_side_that_faces_the_way(dimensions: int) -> None:
    rng = np.random.default_rng(0)
    particles, directions = rng.normal(size=(4, dimensions)), rng.normal(size=(4, dimensions)) * 100
    reach, halved = np.array([1.0, 2.0, 3.0, 1.0]), np.array([True, True, False, True])
    tries = ball_candidates(particles, directions, reach, halved, rng, count=400, on_line=10)
    assert tries.shape == (4, 410, dimensions)
    offsets = tries - particles[:, None]
    lengths = np.linalg.norm(offsets, axis=2)
    assert (lengths <= reach[:, None] * (1 + 1e-9)).all()
    ahead = np.einsum("mkn,mn->mk", offsets, directions)[:, :400] >= -1e-9
    assert ahead[[0, 1, 3]].all()
    assert 0.4 < ahead[2].mean() < 0.6
    # A uniform ball has half its points within 2^(-1/n) of the radius.
    within = lengths[:, :400] < reach[:, None] * 0.5 ** (1 / dimensions)
    np.testing.assert_allclose(within.mean(axis=1), 0.5, atol=0.1)
    unit = directions[1] / np.linalg.norm(directions[1])
    np.testing.assert_allclose(offsets[1, 400:], np.arange(1, 11)[:, None] * 0.2 * unit)


def test_without_a_way_all_sides_are_tried() -> None:
    tries = ball_candidates(
        np.zeros((1, 1)), np.zeros((1, 1)), np.ones(1), np.ones(1, bool), np.random.default_rng(0), count=200, on_line=1
    )
    assert 0.4 < np.mean(tries[0, :200] > 0) < 0.6
    assert tries[0, 200] == 0
