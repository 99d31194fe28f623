from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.shaping.currot import Currot, CurrotSettings
from teachgym.agents.shaping.success_buffer import assign
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spec import EasyTasks
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.testing import check_teacher
from tests.agents.specs import spec, teach

SMALL = CurrotSettings(particles=100, candidates=40, line_candidates=5, update_every=25)
SQUARE = spaces.Box(0.0, 1.0, (2,), np.float64)


def within(radius: float) -> Callable[[FloatArray], float]:
    """A student that masters what is near the corner, and is the worse the further a task is beyond that."""
    return lambda task: 250 - 700 * max(float(np.linalg.norm(task)) - radius, 0.0)


def distance(teacher: Currot) -> float:
    """Root mean square distance of the particles from a uniform grid, one to one."""
    side = int(np.sqrt(len(teacher._particles)))
    places = (np.arange(side) + 0.5) / side
    grid = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    rows, columns = assign(teacher._particles, grid)
    return float(np.sqrt(np.mean(np.sum((teacher._particles[rows] - grid[columns]) ** 2, axis=1))))


def test_it_starts_uniformly_and_tasks_are_particles_up_to_a_thousandth_of_the_range() -> None:
    teacher = Currot(spec(), seed=0)
    assert teacher._particles.shape == (500, 2)
    np.testing.assert_allclose(teacher._particles.mean(axis=0), [1.5, 3], rtol=0.1)
    tasks = np.array([teacher.act(None) for _ in range(200)])
    assert teacher.origin == "particle"
    offsets = np.abs(tasks[:, None] - teacher._particles)
    assert np.any((offsets <= [0.003, 0.006]).all(axis=2), axis=1).all()
    assert np.unique(tasks, axis=0).shape == (200, 2)


def test_it_starts_from_easy_tasks_if_asked() -> None:
    known = replace(spec(), offers=Needs.SUCCESS | Needs.EASY_TASKS, easy_tasks=EasyTasks((0.0, 5.0), (0.1, 0.2)))
    easy = Currot(known, CurrotSettings(use_easy_tasks=True), seed=0)._particles
    assert easy[:, 0].max() < 0.5
    assert easy[:, 1].mean() == pytest.approx(5, abs=0.05)
    assert Currot(known, seed=0)._particles.mean(axis=0) == pytest.approx([1.5, 3], rel=0.1)


def test_before_anything_is_mastered_it_gathers_where_outcomes_are_best() -> None:
    teacher = Currot(spec(SQUARE), SMALL, seed=0)
    before = np.linalg.norm(teacher._particles, axis=1).mean()
    teach(teacher, 250, within(0.1))
    assert np.linalg.norm(teacher._particles, axis=1).mean() < before / 2


def test_as_the_student_learns_more_the_particles_approach_the_target_through_what_it_can_do() -> None:
    teacher = Currot(spec(SQUARE), SMALL, seed=0)
    teach(teacher, 500, within(0.3))
    distances = []
    for radius in (0.3, 0.6, 0.9, 1.2, 1.5):
        teach(teacher, 500, within(radius))
        distances.append(distance(teacher))
        outcomes = [within(radius)(task) for task in teacher._particles]
        assert np.mean(np.array(outcomes) > 150) > 0.9  # the threshold is 180
    assert (np.diff(distances[:3]) < 0).all()
    assert distances[0] > 0.35
    assert distances[-1] < 0.12


def test_the_defaults_are_those_of_the_adapter_in_the_code_that_it_follows() -> None:
    settings = CurrotSettings()
    assert (settings.particles, settings.update_every, settings.bandwidth) == (500, 50, 0.3)
    assert (settings.candidates, settings.line_candidates, settings.wait_for_threshold) == (100, 10, False)
    teacher = Currot(spec(SQUARE), seed=0)
    assert teacher._reach == pytest.approx(0.0707, abs=1e-4)  # a twentieth of the diagonal, not its root, 0.266
    assert teacher._threshold == pytest.approx(180)


def test_particles_that_can_go_anywhere_go_straight_to_their_targets() -> None:
    teacher = Currot(spec(SQUARE), replace(SMALL, target_mean=(0.9, 0.9), target_std=(0.0, 0.0)), seed=0)
    teach(teacher, 25, lambda task: 300)
    before = teacher._particles
    teach(teacher, 25, lambda task: 300)
    left = np.linalg.norm(before - 0.9, axis=1)
    np.testing.assert_allclose(
        np.linalg.norm(teacher._particles - 0.9, axis=1), np.maximum(left - 0.0707, 0), atol=0.01
    )


def test_particles_move_no_further_than_their_reach() -> None:
    teacher = Currot(spec(SQUARE), replace(SMALL, reach=0.04, line_candidates=10), seed=0)
    teacher._particles = teacher._particles * 0.2
    for _ in range(10):
        before = teacher._particles
        teach(teacher, 25, lambda task: 300)
        moves = np.linalg.norm(before[:, None] - teacher._particles, axis=2)
        assert moves.min(axis=0).max() <= 0.04 + 1e-9
    assert distance(teacher) < 0.5


@pytest.mark.parametrize("line_candidates", [0, 10])
def test_a_gaussian_target_is_reached(line_candidates: int) -> None:
    settings = replace(SMALL, line_candidates=line_candidates, target_mean=(2.0, 5.0), target_std=(0.2, 0.1))
    teacher = Currot(spec(), settings, seed=0)
    teach(teacher, 1000, lambda task: 300)
    np.testing.assert_allclose(teacher._particles.mean(axis=0), [2, 5], atol=0.1)
    assert teacher._particles.std(axis=0).max() < 0.4


def test_the_line_helps_in_many_dimensions() -> None:
    box = spec(spaces.Box(0.0, 1.0, (20,), np.float64))
    left = []
    for line_candidates in (0, 10):
        settings = replace(SMALL, line_candidates=line_candidates, target_mean=(0.9,) * 20, target_std=(0.01,) * 20)
        teacher = Currot(box, settings, seed=0)
        teach(teacher, 250, lambda task: 300)
        left.append(np.linalg.norm(teacher._particles - 0.9, axis=1).mean())
    assert left[1] < 0.8 * left[0]


def test_waiting_particles_stay_until_the_threshold_is_reached() -> None:
    teacher = Currot(spec(SQUARE), replace(SMALL, wait_for_threshold=True), seed=0)
    before = teacher._particles
    teach(teacher, 100, lambda task: 0)
    assert teacher._particles is before
    teach(teacher, 200, lambda task: 300)
    assert teacher._particles is not before


def test_normalising_makes_units_irrelevant() -> None:
    wide = TaskSpace([Parameter("height", 0.0, 3e4), Parameter("spacing", 0.0, 6e-4)])
    settings = replace(SMALL, normalise=True)
    plain = teach(Currot(spec(), settings, seed=0), 120, lambda task: 300 - 100 * task[0])
    other = teach(Currot(spec(wide), settings, seed=0), 120, lambda task: 300 - 100 * task[0] / 1e4)
    np.testing.assert_allclose(np.array(other) / [1e4, 1e-4], plain, rtol=1e-6)


def test_it_needs_to_know_success_unless_a_threshold_is_set() -> None:
    unknown = replace(spec(), offers=NOTHING)
    with pytest.raises(ValueError, match="it needs success"):
        Currot(unknown, seed=0)
    Currot(unknown, CurrotSettings(threshold=100.0), seed=0)


def test_it_keeps_the_contract_where_particles_move() -> None:
    settings = CurrotSettings(particles=15, update_every=20, candidates=10, threshold=0.0, line_candidates=3)
    check_teacher(Currot, settings=settings, episodes=200)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"particles": 1}, "particles is 1; expected a whole number, at least 2"),
        ({"update_every": 0}, "update_every is 0"),
        ({"threshold": float("nan")}, "threshold is nan; expected a finite number, or None"),
        ({"reach": 0.0}, "reach is 0.0; expected a number above 0"),
        ({"bandwidth": 0}, "bandwidth is 0"),
        ({"candidates": 0}, "candidates is 0"),
        ({"line_candidates": -1}, "line_candidates is -1"),
        ({"target_mean": (0.0,)}, "expected both or neither"),
        ({"target_mean": (0.0,), "target_std": (-1.0,)}, "target_std is"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CurrotSettings(**setting)


def test_a_target_of_other_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"target_mean is .*; expected 2 finite numbers"):
        Currot(spec(), CurrotSettings(target_mean=(0.0,), target_std=(1.0,)), seed=0)
