import numpy as np
import pytest

from teachgym.agents.replay.editors import edit, edit_sizes
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.envs.worlds.bipedal_walker.obstacle_course import ObstacleCourse
from tests.agents.specs import WALKER

MIXED = TaskSpace(
    [Parameter("a", 0.0, 10.0, harder=-0.6), Parameter("b", 1.0, 9.0), Parameter("c", 0.0, 1.0, harder=0.0)]
)


def test_sizes_are_steps_towards_harder_where_known_and_a_share_of_the_range_elsewhere() -> None:
    np.testing.assert_allclose(edit_sizes(MIXED), [0.6, 0.4, 0.05])
    np.testing.assert_allclose(edit_sizes(MIXED, steps=2.0, share=0.5), [1.2, 4, 0.5])
    np.testing.assert_allclose(edit_sizes(MIXED, steps=None), [0.5, 0.4, 0.05])
    np.testing.assert_allclose(edit_sizes(MIXED, sizes=(1, 0, 3)), [1, 0, 3])


def test_wrong_sizes_are_named() -> None:
    with pytest.raises(ValueError, match="expected 3 finite numbers"):
        edit_sizes(MIXED, sizes=(1, 2))
    with pytest.raises(ValueError, match="expected non-negative numbers"):
        edit_sizes(MIXED, sizes=(1, 2, -3))


def test_an_edit_moves_one_parameter_by_its_size_in_three_directions_alike() -> None:
    rng, sizes = np.random.default_rng(0), edit_sizes(WALKER)
    task = np.array([1.5, 3.0])
    moves = np.array([edit(task, WALKER, sizes, count=1, rng=rng) for _ in range(6000)]) - task
    assert task.tolist() == [1.5, 3.0]
    assert (np.count_nonzero(moves, axis=1) <= 1).all()
    for i in range(2):
        np.testing.assert_allclose([np.mean(moves[:, i] > 0), np.mean(moves[:, i] < 0)], [1 / 6, 1 / 6], atol=0.02)
        np.testing.assert_allclose(np.abs(moves[moves[:, i] != 0, i]), sizes[i])


def test_on_the_obstacle_course_seven_steps_are_the_authors_and_that_of_the_roughness_is_drawn() -> None:
    space = ObstacleCourse().task_space
    rng, sizes, task = np.random.default_rng(0), edit_sizes(space), (space.low + space.high) / 2
    moves = np.abs([edit(task, space, sizes, count=1, rng=rng) - task for _ in range(6000)])
    means = [moves[moves[:, i] > 0, i].mean() for i in range(8)]
    np.testing.assert_allclose(means[1:], [0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 1.0])
    roughness = moves[moves[:, 0] > 0, 0] / 0.6
    np.testing.assert_allclose(np.quantile(roughness, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.07)


def test_children_lie_within_all_edits_of_their_parent_and_inside_the_box() -> None:
    rng, sizes = np.random.default_rng(0), edit_sizes(WALKER, sizes=(0.5, 4.0))
    furthest = np.zeros(2)
    for _ in range(3000):
        parent = WALKER.uniform(rng)
        child = edit(parent, WALKER, sizes, count=3, rng=rng)
        assert child in WALKER
        assert (np.abs(child - parent) <= 3 * sizes + 1e-12).all()
        furthest = np.maximum(furthest, np.abs(child - parent))
    assert furthest[0] > 0.5  # more than one edit may take a parameter further
    corner = edit(np.zeros(2), WALKER, sizes, count=3, rng=rng)
    assert corner in WALKER
