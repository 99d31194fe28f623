from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.shaping.adr import Adr, AdrSettings
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.testing import check_teacher
from tests.agents.specs import answer, spec, teach


def easy_problem(space: spaces.Box | None = None, mean: tuple[float, ...] = (0.0, 6.0)) -> TeachingSpec:
    base = spec() if space is None else spec(space)
    return replace(base, offers=Needs.SUCCESS | Needs.EASY_TASKS, easy_tasks=EasyTasks(mean, (0.1,) * len(mean)))


def box(adr: Adr) -> list[list[float]]:
    window = adr.sampling()
    return [window.low.round(9).tolist(), window.high.round(9).tolist()]


def test_the_box_starts_as_the_centre_of_the_easy_tasks() -> None:
    adr = Adr(easy_problem(), seed=0)
    assert box(adr) == [[0, 6], [0, 6]]
    assert adr.act(None).tolist() == [0, 6]


def test_without_easy_tasks_it_starts_at_a_random_point_and_at_a_given_one_in_any_case() -> None:
    starts = np.array([box(Adr(spec(), seed=seed)) for seed in range(200)])
    assert (starts[:, 0] == starts[:, 1]).all()
    np.testing.assert_allclose(starts[:, 0].mean(axis=0), [1.5, 3], rtol=0.1)
    unused = Adr(easy_problem(), AdrSettings(use_easy_tasks=False), seed=0)
    assert box(unused) == box(Adr(spec(), seed=0))
    assert box(Adr(easy_problem(), AdrSettings(start=(1.0, 2.0)), seed=0)) == [[1, 2], [1, 2]]


def test_ten_mastered_answers_move_the_edges_by_a_thirtieth_of_each_range() -> None:
    adr = Adr(spec(), AdrSettings(start=(1.0, 3.0)), seed=0)
    for _ in range(9):
        adr.update(answer([1, 3], 180))
    assert box(adr) == [[1, 3], [1, 3]]
    before = adr.sampling()
    assert adr.sampling() is before
    adr.update(answer([1, 3], 180))  # the mean is the threshold: that is enough
    assert box(adr) == [[0.9, 2.8], [1.1, 3.2]]


def test_with_the_sources_step_every_edge_moves_by_the_same_number() -> None:
    adr = Adr(spec(), AdrSettings(start=(1.0, 3.0), step=0.1, queue_length=1), seed=0)
    adr.update(answer([1, 3], 200))
    assert box(adr) == [[0.9, 2.9], [1.1, 3.1]]


def test_each_edge_moves_by_its_own_answers() -> None:
    adr = Adr(spec(), AdrSettings(start=(1.0, 3.0), step=0.5, queue_length=1), seed=0)
    adr.update(answer([1, 3], 200))
    adr.update(answer([0.5, 3], 200))
    assert box(adr) == [[0, 2.5], [1.5, 3.5]]
    adr.update(answer([1, 3.5], 0))  # the mean is the lower threshold: that is too bad
    assert box(adr) == [[0, 2.5], [1.5, 3]]
    adr.update(answer([1, 2.5], 1))  # neither good nor bad
    adr.update(answer([0.7, 2.7], 1000))  # on no edge
    adr.update(answer([0, 2.7], 1000))  # at the bound already
    assert box(adr) == [[0, 2.5], [1.5, 3]]


def test_an_edge_is_hit_up_to_the_rounding_of_float32() -> None:
    adr = Adr(spec(), AdrSettings(start=(0.1, 1 / 3), step=0.1, queue_length=1), seed=0)
    adr.update(answer(np.array([0.1, 1 / 3], dtype=np.float32), 200))
    assert box(adr) == [[0, 0.233333333], [0.2, 0.433333333]]


def test_edges_never_pass_each_other() -> None:
    adr = Adr(spec(), AdrSettings(start=(1.0, 3.0), queue_length=1), seed=0)
    teach(adr, 50, lambda task: 300)
    teach(adr, 2000, lambda task: -100)
    low, high = np.array(box(adr))
    assert (low <= high).all()
    assert (high - low < 0.21).all()
    assert (low >= [0, 0]).all()


@pytest.mark.parametrize("dimensions", [1, 30])
def test_where_everything_is_mastered_the_box_covers_the_space(dimensions: int) -> None:
    space = TaskSpace([Parameter(f"p{i}", 0.0, 1000.0) for i in range(dimensions)])
    adr = Adr(easy_problem(space, (0.0,) * dimensions), AdrSettings(step_share=0.2, queue_length=3), seed=0)
    volumes = []
    for _ in range(6):
        teach(adr, 50 * dimensions, lambda task: 300)
        low, high = np.array(box(adr))
        volumes.append(np.sum(high - low))
    assert (np.diff(volumes) >= 0).all()
    assert box(adr) == [[0] * dimensions, [1000] * dimensions]
    assert {teach(adr, 1, lambda task: 300) and adr.origin for _ in range(50)} == {"inside"}


def test_it_grows_along_what_is_easy_and_stops_where_the_student_fails() -> None:
    def outcome(task: FloatArray) -> float:
        return 300 if task[0] <= 1 else -100

    adr = Adr(easy_problem(), seed=0)
    teach(adr, 6000, outcome)
    low, high = np.array(box(adr))
    assert low.tolist() == [0, 0]  # every spacing can be done
    assert high[1] == 6
    assert 0.85 < high[0] < 1.15  # heights above 1 can't


def test_probes_have_their_share_and_lie_on_an_edge() -> None:
    adr = Adr(spec(), AdrSettings(start=(1.0, 3.0), step=0.5, queue_length=1), seed=0)
    adr.update(answer([1, 3], 200))
    edges, hits = np.array(box(adr)), np.zeros((2, 2))
    tasks = [(adr.act(None), adr.origin) for _ in range(4000)]
    probes = [task for task, origin in tasks if origin == "edge"]
    assert 0.68 < len(probes) / len(tasks) < 0.72
    for task, origin in tasks:
        assert np.any(task == edges) == (origin == "edge")
        hits += task == edges
    np.testing.assert_allclose(hits / len(probes), 0.25, atol=0.03)


def test_outcomes_are_clipped_if_asked() -> None:
    for clipped, expected in [(False, [[1, 3], [1, 3]]), (True, [[0.9, 2.8], [1.1, 3.2]])]:
        adr = Adr(spec(), AdrSettings(start=(1.0, 3.0), queue_length=10, clip_outcomes=clipped), seed=0)
        for outcome in [350] * 9 + [-1400]:  # mean 175, or 300 where the last counts -150
            adr.update(answer([1, 3], outcome))
        assert box(adr) == expected


def test_it_needs_to_know_success_unless_both_thresholds_are_set() -> None:
    unknown = replace(spec(), offers=NOTHING)
    with pytest.raises(ValueError, match="it needs success"):
        Adr(unknown, AdrSettings(grow_above=100), seed=0)
    Adr(unknown, AdrSettings(grow_above=100, shrink_below=0), seed=0)


def test_it_keeps_the_contract_with_thresholds_of_its_own() -> None:
    check_teacher(
        Adr, settings=AdrSettings(queue_length=2, grow_above=100, shrink_below=50, clip_outcomes=True), episodes=150
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"boundary_share": 1.5}, r"boundary_share is 1.5; expected a number in \[0, 1\]"),
        ({"queue_length": 0}, "queue_length is 0; expected a whole number, at least 1"),
        ({"step": 0}, "step is 0; expected a number above 0"),
        ({"step_share": 0}, r"step_share is 0; expected a number in \(0, 1\]"),
        ({"grow_above": float("nan")}, "grow_above is nan"),
        ({"start": ("here",)}, "start is"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AdrSettings(**setting)


def test_what_does_not_fit_the_problem_is_named() -> None:
    with pytest.raises(ValueError, match="shrink_below is 190; expected less than grow_above, which is 180"):
        Adr(spec(), AdrSettings(shrink_below=190), seed=0)
    with pytest.raises(ValueError, match=r"start is .*; expected 2 finite numbers"):
        Adr(spec(), AdrSettings(start=(1.0,)), seed=0)
