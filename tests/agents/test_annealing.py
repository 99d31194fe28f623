from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.handmade.annealing import Annealing, AnnealingSettings
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.needs import Needs
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.core.teacher import Teacher
from teachgym.testing.teacher import check_teacher
from tests.agents.specs import WALKER, spec

BY_EPISODES = AnnealingSettings(pace="episodes", total=10)
BY_SUCCESS = AnnealingSettings(pace="success")


def tell(teacher: Teacher, *, cost: int = 1, success: bool = False, times: int = 1) -> None:
    """Answers with nothing but a cost and a success."""
    for _ in range(times):
        teacher.update(Transition(None, None, 0.0, None, False, Feedback(np.zeros(2), 0.0, success, cost, 0)))


def corners(teacher: Annealing) -> list[list[float]]:
    window = teacher.sampling()
    return [window.low.round(9).tolist(), window.high.round(9).tolist()]


@pytest.mark.parametrize(
    ("settings", "offers"),
    [
        (AnnealingSettings(total=3000), Needs.EASY_TASKS),
        (AnnealingSettings(pace="episodes", total=20), Needs.EASY_TASKS),
        (AnnealingSettings(pace="success", threshold=0.3, window=3), Needs.EASY_TASKS | Needs.SUCCESS),
    ],
)
def test_it_keeps_the_contract(settings: AnnealingSettings, offers: Needs) -> None:
    check_teacher(Annealing, settings=settings, episodes=50, offers=offers)


def test_it_starts_with_the_easiest_sixth_of_each_range() -> None:
    assert corners(Annealing(spec(), seed=0)) == [[0, 5], [0.5, 6]]


def test_a_parameter_that_gets_no_harder_is_open_from_the_start() -> None:
    space = TaskSpace([Parameter("height", 0.0, 3.0, harder=0.1), Parameter("colour", 0.0, 1.0, harder=0.0)])
    assert corners(Annealing(spec(space), seed=0)) == [[0, 0], [0.5, 1]]


def test_easy_tasks_come_first_where_they_are_known() -> None:
    easy = EasyTasks((0.5, 5.8), (0.1, 0.2))
    known = TeachingSpec(WALKER, spaces.Box(0, 1), (-150, 350), 230, Needs.EASY_TASKS, easy)
    assert corners(Annealing(known, seed=0)) == [[0.3, 5.4], [0.7, 6]]


def test_corners_go_linearly_to_the_whole_space_and_stay() -> None:
    teacher = Annealing(spec(), BY_EPISODES, seed=0)
    for done in range(13):
        share = min(done / 10, 1)
        expected = [[0, 5 * (1 - share)], [0.5 + 2.5 * share, 6]]
        np.testing.assert_allclose(corners(teacher), expected, atol=1e-9)
        tell(teacher)


def test_steps_are_those_that_the_student_spent() -> None:
    teacher = Annealing(spec(), AnnealingSettings(total=1000), seed=0)
    tell(teacher, cost=300)
    tell(teacher, cost=200)
    np.testing.assert_allclose(corners(teacher), [[0, 2.5], [1.75, 6]])
    tell(teacher, cost=5000)
    assert corners(teacher) == [[0, 0], [3, 6]]


def test_tasks_are_uniform_in_the_box() -> None:
    teacher = Annealing(spec(), BY_EPISODES, seed=0)
    tell(teacher, times=5)
    tasks = np.array([teacher.act(None) for _ in range(2000)])
    assert (tasks >= [0, 2.5]).all()
    assert (tasks <= [1.75, 6]).all()
    np.testing.assert_allclose(tasks.mean(axis=0), [0.875, 4.25], atol=0.06)
    assert teacher.origin == "box"


def test_the_box_may_be_given_and_then_moves_instead_of_growing() -> None:
    settings = AnnealingSettings("episodes", (0, 5), (1, 6), (2, 0), (3, 1), total=4)
    teacher = Annealing(spec(), settings, seed=0)
    tell(teacher)
    assert corners(teacher) == [[0.5, 3.75], [1.5, 4.75]]


def test_by_success_it_moves_one_of_five_times_per_ten_answers_with_enough_successes() -> None:
    teacher = Annealing(spec(), BY_SUCCESS, seed=0)
    start = corners(teacher)
    tell(teacher, success=True, times=7)
    tell(teacher, times=3)
    assert corners(teacher) == start  # 0.7 is below 0.75
    tell(teacher, times=2)
    tell(teacher, success=True, times=8)
    np.testing.assert_allclose(corners(teacher), [[0, 4], [1, 6]])
    tell(teacher, success=True, times=45)
    assert corners(teacher) == [[0, 0], [3, 6]]
    tell(teacher, times=50)
    assert corners(teacher) == [[0, 0], [3, 6]]


def test_only_success_needs_success() -> None:
    assert Annealing.requirements(BY_SUCCESS).needs == Needs.SUCCESS
    assert not Annealing.requirements(BY_EPISODES).needs


def test_without_a_hint_of_what_is_easy_a_start_must_be_given() -> None:
    plain = spec(spaces.Box(0.0, 1.0, (2,)))
    with pytest.raises(ValueError, match=r"for parameter_0, parameter_1; give annealing start_low=\(...\)"):
        Annealing(plain, seed=0)
    assert corners(Annealing(plain, AnnealingSettings(start_low=(0, 0), start_high=(0, 1)), seed=0)) == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"pace": "days"}, "pace is 'days'"),
        ({"total": 0}, "total is 0"),
        ({"pace": "success", "total": 10}, "total is 10, but pace 'success' does not use it; .* 'steps', 'episodes'"),
        ({"increments": 3}, "increments is 3, but pace 'steps' does not use it"),
        ({"pace": "success", "threshold": 2}, "threshold is 2"),
        ({"pace": "success", "window": 0.5}, "window is 0.5"),
        ({"start_low": (0, 0)}, "expected both or neither"),
        ({"end_low": ("a",), "end_high": (1,)}, "end_low is"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AnnealingSettings(**setting)


def test_corners_that_are_no_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="height"):
        Annealing(spec(), AnnealingSettings(end_low=(0, 0), end_high=(4, 6)), seed=0)
    with pytest.raises(ValueError, match="expected no number of low above high's"):
        Annealing(spec(), AnnealingSettings(start_low=(1, 0), start_high=(0, 6)), seed=0)
