from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.handmade.oracle import Oracle, OracleSettings
from tests.agents.specs import answer, spec, teach


def corners(oracle: Oracle) -> list[list[float]]:
    window = oracle.sampling()
    return [window.low.round(9).tolist(), window.high.round(9).tolist()]


def test_the_window_starts_at_the_easy_corner_with_a_sixth_of_each_range() -> None:
    assert corners(Oracle(spec(), seed=0)) == [[0, 5], [0.5, 6]]


def test_tasks_are_uniform_in_the_window() -> None:
    oracle = Oracle(spec(), seed=0)
    tasks = np.array([oracle.act(None) for _ in range(1000)])
    np.testing.assert_allclose(tasks.mean(axis=0), [0.25, 5.5], atol=0.03)
    assert (tasks.min(axis=0) >= [0, 5]).all()
    assert (tasks.max(axis=0) <= [0.5, 6]).all()
    assert oracle.origin == "window"


def test_it_moves_by_one_step_after_50_answers_with_a_mean_above_230() -> None:
    oracle = Oracle(spec(), seed=0)
    teach(oracle, 49, lambda task: 231)
    assert corners(oracle) == [[0, 5], [0.5, 6]]
    teach(oracle, 1, lambda task: 231)
    assert corners(oracle) == [[0.1, 4.8], [0.6, 5.8]]


def test_it_stays_where_the_mean_is_just_at_the_threshold_and_starts_counting_anew() -> None:
    oracle = Oracle(spec(), seed=0)
    teach(oracle, 50, lambda task: 230)
    teach(oracle, 49, lambda task: 10_000)
    assert corners(oracle) == [[0, 5], [0.5, 6]]
    teach(oracle, 1, lambda task: 10_000)
    assert corners(oracle) == [[0.1, 4.8], [0.6, 5.8]]


def test_it_never_moves_back() -> None:
    oracle = Oracle(spec(), seed=0)
    teach(oracle, 50, lambda task: 300)
    teach(oracle, 500, lambda task: -150)
    assert corners(oracle) == [[0.1, 4.8], [0.6, 5.8]]


def test_it_ends_at_the_hard_corner_inside_the_bounds() -> None:
    oracle = Oracle(spec(), OracleSettings(move_every=1), seed=0)
    teach(oracle, 100, lambda task: 300)
    assert corners(oracle) == [[2.5, 0], [3, 1]]


def test_settings_take_the_place_of_the_problems_facts() -> None:
    settings = OracleSettings(window_share=0.5, move_every=2, threshold=0.0, steps=(-0.5, 0.0))
    oracle = Oracle(spec(), settings, seed=0)
    assert corners(oracle) == [[1.5, 0], [3, 6]]
    teach(oracle, 2, lambda task: 1)
    assert corners(oracle) == [[1, 0], [2.5, 6]]


def test_missing_feedback_does_not_count() -> None:
    oracle = Oracle(spec(), OracleSettings(move_every=2), seed=0)
    nothing = answer([0, 5], 300)
    object.__setattr__(nothing, "feedback", None)
    oracle.update(nothing)
    oracle.update(answer([0, 5], 300))
    assert corners(oracle) == [[0, 5], [0.5, 6]]


def test_a_space_without_a_known_direction_needs_steps() -> None:
    box = spec(spaces.Box(0.0, 1.0, (2,)))
    with pytest.raises(ValueError, match=r"parameter_0, parameter_1; set Parameter.harder .* or give .* steps"):
        Oracle(box, seed=0)
    with pytest.raises(ValueError, match="expected 2 finite numbers"):
        Oracle(box, OracleSettings(steps=(0.1,)), seed=0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"window_share": 0}, r"window_share is 0; expected a number in \(0, 1\]"),
        ({"window_share": 1.5}, "window_share is 1.5"),
        ({"move_every": 0}, "move_every is 0; expected a whole number, at least 1"),
        ({"move_every": 2.0}, "move_every is 2.0"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"steps": ("up",)}, "steps is"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OracleSettings(**setting)
