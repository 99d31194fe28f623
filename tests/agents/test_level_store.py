from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from teachgym.agents.replay.level_store import NOT_STORED, LevelStore, StoreSettings, in_proportion
from teachgym.testing.equality import difference
from tests.agents.specs import WALKER

NOTHING = np.zeros(0)


def store(scores: Sequence[float], *, handed_out: Sequence[int] | None = None, **settings: Any) -> LevelStore:
    """Levels numbered 0, 1, ... with these scores; their tasks are their numbers, over 10."""
    made = LevelStore(WALKER, StoreSettings(**{"capacity": len(scores), **settings}))
    for i, score in enumerate(scores):
        assert made.offer(np.full(2, i / 10), score, NOTHING, handed_out=handed_out[i] if handed_out else i, now=i)
    return made


def offer(levels: LevelStore, score: float, *, now: int = 100) -> bool:
    return levels.offer(np.full(2, 2.9), score, NOTHING, handed_out=now, now=now)


def test_chances_mix_ranks_and_ages() -> None:
    levels = store([0.2, 5.0, -1.0], handed_out=[0, 6, 8], temperature=0.5, staleness_share=0.3)
    ranks, ages = np.array([2, 1, 3]), np.array([10, 4, 2])
    by_rank = (1 / ranks) ** 2 / np.sum((1 / ranks) ** 2)
    np.testing.assert_allclose(levels.chances(10), 0.7 * by_rank + 0.3 * ages / 16, rtol=1e-12)


def test_ages_have_a_temperature_of_their_own() -> None:
    levels = store([1, 2], handed_out=[1, 2], staleness_share=1.0, staleness_temperature=0.5)
    np.testing.assert_allclose(levels.chances(4), [9 / 13, 4 / 13])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"priority": "proportional", "temperature": 1.0, "staleness_share": 0.0}, [4.001, 1.001, 0.001, 2.001]),
        (
            {"priority": "proportional", "temperature": 0.5, "staleness_share": 0.0},
            np.square([4.001, 1.001, 1e-3, 2.001]),
        ),
        ({"priority": "top-k", "top_k": 2, "staleness_share": 0.0}, [1, 0, 0, 1]),
        ({"priority": "top-k", "top_k": 9, "staleness_share": 0.0}, [1, 1, 1, 1]),
        ({"priority": "max", "staleness_share": 0.0}, [1, 0, 0, 0]),
        ({"priority": "greedy", "greedy_share": 0.2, "staleness_share": 0.0}, [0.85, 0.05, 0.05, 0.05]),
        ({"priority": "constant", "staleness_share": 0.0}, [1, 1, 1, 1]),
        ({"priority": "rank", "temperature": 1.0, "staleness_share": 0.0}, [1, 1 / 3, 1 / 4, 1 / 2]),
    ],
)
def test_priorities(settings: dict[str, Any], expected: Any) -> None:
    weights = np.array(expected, dtype=np.float64)
    np.testing.assert_allclose(store([4, 1, -3, 2], **settings).chances(9), weights / weights.sum(), rtol=1e-12)


def test_proportional_scores_have_no_floor_where_ages_count_too() -> None:
    levels = store([3, 0], handed_out=[0, 0], priority="proportional", temperature=1.0, staleness_share=0.5)
    np.testing.assert_allclose(levels.chances(5), [0.75, 0.25])


def test_equal_scores_share_the_weight_of_their_ranks() -> None:
    levels = store([1, 2, 1, 2, 2], temperature=1.0, staleness_share=0.0)
    weights = np.array([1 / 4 + 1 / 5, 0, 0, 0, 0]) / 2
    weights[[1, 3, 4]] = (1 + 1 / 2 + 1 / 3) / 3
    weights[2] = weights[0]
    np.testing.assert_allclose(levels.chances(9), weights / weights.sum())


@pytest.mark.parametrize("priority", ["rank", "proportional", "top-k", "max", "greedy", "constant"])
@pytest.mark.parametrize("scores", [[0.0] * 5, [-3.0] * 5, [1e308] * 5])
def test_levels_of_equal_score_and_age_are_equally_likely(priority: str, scores: list[float]) -> None:
    for share in (0.0, 0.5, 1.0):
        levels = store(scores, handed_out=[3] * 5, priority=priority, staleness_share=share, temperature=0.001)
        np.testing.assert_allclose(levels.chances(3), [0.2] * 5)
        np.testing.assert_allclose(levels.chances(4), [0.2] * 5)


@pytest.mark.parametrize("priority", ["rank", "proportional", "top-k", "max", "greedy", "constant"])
@pytest.mark.parametrize("temperature", [1e-3, 1e3])
def test_chances_are_chances_whatever_the_scores(priority: str, temperature: float) -> None:
    levels = store(
        [1e308, -1e308, 5e-324, 0, 1e-300, -0.0], priority=priority, temperature=temperature, staleness_temperature=1e-3
    )
    chances = levels.chances(10**9)
    assert chances.min() >= 0
    assert chances.sum() == pytest.approx(1)


def test_weights_of_zero_are_shared_equally() -> None:
    assert in_proportion(np.zeros(4), 0.1).tolist() == [0.25] * 4


def test_draws_follow_the_chances_and_set_ages_back() -> None:
    levels = store([1, 3, 2], temperature=1.0, staleness_share=0.0)
    rng = np.random.default_rng(0)
    drawn = [levels.draw(9, rng) for _ in range(3000)]
    np.testing.assert_allclose(
        np.bincount([number for number, _ in drawn]) / 3000, np.array([1 / 3, 1, 1 / 2]) / (11 / 6), atol=0.03
    )
    assert all(task.tolist() == [number / 10] * 2 for number, task in drawn)
    aged = store([1, 1], handed_out=[0, 0], staleness_share=1.0)
    number, _ = aged.draw(5, rng)
    assert aged.chances(6)[number] == pytest.approx(1 / 7)


def test_a_full_store_gives_up_the_least_likely_level_for_one_that_scores_no_less() -> None:
    levels = store([3, 1, 2], staleness_share=0.0)
    assert not offer(levels, 0.999)
    assert levels.state()["scores"].tolist() == [3, 1, 2]
    assert offer(levels, 1.0)
    assert levels.state()["tasks"][1].tolist() == [2.9, 2.9]
    assert 1 not in levels
    assert [number in levels for number in (0, 2, 3)] == [True] * 3


def test_ages_protect_levels_from_being_given_up() -> None:
    levels = store([1, 2], handed_out=[0, 99], staleness_share=0.9)
    assert not offer(levels, 1.5)  # the better level was handed out last, and is in the way
    assert offer(levels, 2.5)
    assert levels.state()["scores"].tolist() == [1, 2.5]


def test_ties_may_be_left_as_they_are() -> None:
    levels = store([3, 1], staleness_share=0.0, replace_ties=False)
    assert not offer(levels, 1.0)
    assert offer(levels, 1.001)


def test_a_store_of_one_level_works() -> None:
    levels = store([1.0])
    assert levels.filled == 1
    assert levels.chances(7).tolist() == [1]
    assert levels.draw(7, np.random.default_rng(0))[0] == 0
    assert offer(levels, 1.0)
    assert levels.draw(8, np.random.default_rng(0))[0] == 1


def test_a_level_without_a_score_is_not_stored() -> None:
    levels = store([1.0], capacity=5)
    assert not levels.offer(np.ones(2), None, NOTHING, handed_out=0, now=0)
    assert len(levels) == 1
    assert levels.filled == pytest.approx(0.2)


def test_scores_are_smoothed_if_asked_for() -> None:
    for rate, expected in [(1.0, 5.0), (0.25, 2.0)]:
        levels = store([1.0], score_rate=rate)
        levels.rescore(0, 5.0, NOTHING)
        assert levels.state()["scores"].tolist() == [expected]
        levels.rescore(0, None, NOTHING)
        assert levels.state()["scores"].tolist() == [expected]


def test_a_task_that_is_stored_is_found_until_it_is_given_up() -> None:
    levels = store([3, 1], staleness_share=0.0)
    assert levels.find(np.full(2, 0.1)) == 1
    assert levels.find(np.array([-0.0, 0.0])) == 0
    assert levels.find(np.full(2, 0.1 + 1e-12)) == NOT_STORED
    offer(levels, 2)
    assert levels.find(np.full(2, 0.1)) == NOT_STORED
    assert levels.find(np.full(2, 2.9)) == 2
    assert store([3, 1], unique=False).find(np.full(2, 0.1)) == NOT_STORED


def test_the_nearest_level_is_by_shares_of_the_ranges() -> None:
    levels = LevelStore(WALKER, StoreSettings())
    assert levels.nearest(np.zeros(2)) == NOT_STORED
    for task in ([1.0, 0.0], [0.0, 1.5]):  # a third of the height's range, a quarter of the spacing's
        levels.offer(np.array(task), 1.0, NOTHING, handed_out=0, now=0)
    assert levels.nearest(np.zeros(2)) == 1


def test_memories_belong_to_levels() -> None:
    levels = LevelStore(WALKER, StoreSettings(capacity=2, staleness_share=0.0), memory=2)
    for i in range(2):
        levels.offer(np.full(2, float(i)), float(i), np.array([i, 10.0 * i]), handed_out=0, now=0)
    levels.rescore(1, 1.0, np.array([7.0, 8.0]))
    assert levels.memory_of(0).tolist() == [0, 0]
    assert levels.memory_of(1).tolist() == [7, 8]
    levels.offer(np.full(2, 2.0), 5.0, np.array([3.0, 4.0]), handed_out=0, now=0)
    assert levels.memory_of(2).tolist() == [3, 4]


def test_a_loaded_store_goes_on_as_the_one_that_was_saved() -> None:
    settings: dict[str, Any] = {"capacity": 4, "staleness_share": 0.5}
    saved, loaded = store([3, 1, 2], **settings), store([9, 9, 9, 9], **settings)
    loaded.load(saved.state())
    for levels in (saved, loaded):
        offer(levels, 5, now=4)
        levels.offer(np.full(2, 2.8), 4, NOTHING, handed_out=5, now=5)
        levels.draw(6, np.random.default_rng(1))
    assert difference(saved.state(), loaded.state()) is None
    assert loaded.find(np.full(2, 2.8)) == saved.find(np.full(2, 2.8)) == 4


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"capacity": 0}, "capacity is 0; expected a whole number, at least 1"),
        ({"priority": "best"}, "priority is 'best'; expected one of 'rank'"),
        ({"temperature": 0}, "temperature is 0; expected a number above 0"),
        ({"top_k": 0}, "top_k is 0"),
        ({"greedy_share": 2}, "greedy_share is 2"),
        ({"staleness_share": -0.1}, "staleness_share is -0.1"),
        ({"staleness_temperature": float("nan")}, "staleness_temperature is nan"),
        ({"score_rate": 0}, r"score_rate is 0; expected a number in \(0, 1\]"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StoreSettings(**setting)
