from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from teachgym.agents.replay.sfl import Sfl, SflSettings
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spaces import ProbeSpace
from teachgym.core.task_space import FloatArray
from teachgym.testing.teacher import check_teacher
from tests.agents.levels import Decision, answer, decide, level_problem, play

ROLLOUTS = 10
SMALL = SflSettings(levels_probed=30, episodes_per_level=ROLLOUTS, levels_kept=6, refresh_every=200)
PROBED = 30 * ROLLOUTS


def sfl(settings: SflSettings = SMALL, seed: int = 0) -> Sfl:
    return Sfl(level_problem(probes=True), settings, seed=seed)


def chance(task: FloatArray) -> float:
    """A tenth, two tenths, ... of all episodes succeed, from the lowest stumps to the highest."""
    return float(np.floor(task[0] / 3 * 10) / 10)


class Student:
    """Succeeds in exactly its chance of every ten episodes in a row."""

    def __init__(self) -> None:
        self.turns: dict[bytes, Iterator[int]] = {}

    def __call__(self, task: FloatArray) -> float:
        turns = self.turns.setdefault(task.tobytes(), iter(list(range(ROLLOUTS)) * 1000))
        return 300.0 if next(turns) < round(chance(task) * ROLLOUTS) else 0.0


def learnable(task: FloatArray) -> float:
    return round(chance(task) * (1 - chance(task)), 9)


def unique(decisions: list[Decision]) -> FloatArray:
    return np.unique([decision.task for decision in decisions], axis=0)


def kept_by(teacher: Sfl) -> FloatArray:
    """``(levels_kept, n)`` the probed levels with the best scores at this moment, best first."""
    return teacher._levels[teacher._best()]


def of(decisions: list[Decision], origin: str) -> list[Decision]:
    return [decision for decision in decisions if decision.origin == origin]


def test_each_round_probes_every_level_as_often_and_then_trains() -> None:
    decisions = play(sfl(), 2 * (PROBED + 200), Student())
    origins = [decision.origin for decision in decisions]
    for start in (0, PROBED + 200):
        probed = decisions[start : start + PROBED]
        assert {decision.origin for decision in probed} == {"probe"}
        _, counts = np.unique([decision.task for decision in probed], axis=0, return_counts=True)
        assert counts.tolist() == [ROLLOUTS] * 30
        assert set(origins[start + PROBED : start + PROBED + 200]) == {"kept", "random"}
    assert all(decision.probe == (decision.origin == "probe") for decision in decisions)
    assert not set(map(tuple, unique(decisions[:PROBED]))) & set(map(tuple, unique(decisions[-200 - PROBED :])))


@pytest.mark.parametrize("seed", range(5))
def test_it_keeps_exactly_the_levels_with_the_best_learnability(seed: int) -> None:
    teacher = sfl(seed=seed)
    probed = unique(play(teacher, PROBED, Student()))
    kept = kept_by(teacher)
    assert kept.shape == (6, 2)
    assert len(np.unique(kept, axis=0)) == 6
    best = sorted((learnable(task) for task in probed), reverse=True)[:6]
    assert [learnable(task) for task in kept] == best
    trained = play(teacher, 200, Student(), first=PROBED)
    np.testing.assert_array_equal(unique(of(trained, "kept")), np.unique(kept, axis=0))


def test_half_of_the_training_is_on_the_levels_kept_each_as_often_and_half_on_fresh_ones() -> None:
    settings = SflSettings(levels_probed=30, episodes_per_level=ROLLOUTS, levels_kept=4, refresh_every=4000)
    teacher = sfl(settings)
    play(teacher, PROBED, Student())
    trained = play(teacher, 4000, Student(), first=PROBED)
    kept = of(trained, "kept")
    assert len(kept) / 4000 == pytest.approx(0.5, abs=0.03)
    _, counts = np.unique([decision.task for decision in kept], axis=0, return_counts=True)
    np.testing.assert_allclose(counts / len(kept), [0.25] * 4, atol=0.03)
    fresh = np.array([decision.task for decision in of(trained, "random")])
    assert len(np.unique(fresh, axis=0)) == len(fresh)
    np.testing.assert_allclose(fresh.mean(axis=0), [1.5, 3], atol=0.15)


def test_draws_may_be_in_proportion_to_learnability() -> None:
    settings = SflSettings(
        levels_probed=6,
        episodes_per_level=ROLLOUTS,
        levels_kept=1,
        refresh_every=6000,
        kept_share=1,
        draw="in-proportion",
    )
    teacher = sfl(settings)
    play(teacher, 60, Student())
    tasks, counts = np.unique(
        [decision.task for decision in play(teacher, 6000, Student(), first=60)], axis=0, return_counts=True
    )
    weights = np.array([learnable(task) for task in tasks])
    assert len(tasks) > 2
    np.testing.assert_allclose(counts / 6000, weights / weights.sum(), atol=0.03)


def test_ties_may_go_to_the_easier_level() -> None:
    for tie_break, expected in [(0.0, [0.2, 0.8]), (0.001, [0.8, 0.2])]:
        settings = SflSettings(
            levels_probed=3, episodes_per_level=ROLLOUTS, levels_kept=2, refresh_every=1, tie_break=tie_break
        )
        teacher = sfl(settings)
        for number in range(30):
            wins = (2, 8, 10)[number // 10]
            answer(teacher, number, decide(teacher), 300 if number % 10 < wins else 0)
        shares = dict(zip(map(tuple, teacher._levels), (0.2, 0.8, 1.0), strict=True))
        assert [shares[tuple(task)] for task in kept_by(teacher)] == expected


def test_a_level_without_an_answer_scores_nothing() -> None:
    settings = SflSettings(levels_probed=4, episodes_per_level=2, levels_kept=1, refresh_every=50)
    teacher = sfl(settings)
    decisions = [decide(teacher) for _ in range(8)]
    assert all(decide(teacher).origin in ("kept", "random") for _ in range(10))  # nothing is known yet: no failure
    answer(teacher, 6, decisions[6], 300)
    answer(teacher, 7, decisions[7], 0)
    answer(teacher, 2, decisions[2], 300)
    assert kept_by(teacher).tolist() == [decisions[6].task.tolist()]


def test_late_answers_count_until_the_next_probes_and_then_no_more() -> None:
    settings = SflSettings(levels_probed=3, episodes_per_level=2, levels_kept=1, refresh_every=4, kept_share=1)
    teacher = sfl(settings)
    first = [decide(teacher) for _ in range(6)]
    for number in (0, 1, 2, 3, 4):
        answer(teacher, number, first[number], 300 if number == 4 else 0)
    assert decide(teacher).task.tolist() == first[0].task.tolist()  # all score 0: the first
    answer(teacher, 5, first[5], 0)
    assert decide(teacher).task.tolist() == first[4].task.tolist()
    decide(teacher), decide(teacher)
    second = [decide(teacher) for _ in range(6)]
    assert {decision.origin for decision in second} == {"probe"}
    answer(teacher, 3, first[3], 300)
    answer(teacher, 99, first[3], 300)
    assert teacher._episodes.tolist() == [0, 0, 0]


def test_answers_to_training_change_nothing() -> None:
    teacher = sfl()
    play(teacher, PROBED, Student())
    before = kept_by(teacher)
    play(teacher, 200, lambda task: 300.0, first=PROBED)
    np.testing.assert_array_equal(kept_by(teacher), before)


def test_where_nothing_or_everything_succeeds_it_goes_on() -> None:
    for outcome in (0.0, 300.0):
        for draw in ("top", "in-proportion"):
            settings = SflSettings(5, 2, 2, 20, draw=draw)
            decisions = play(sfl(settings), 100, lambda task, outcome=outcome: outcome)  # type: ignore[misc]
            assert {decision.origin for decision in decisions} == {"probe", "kept", "random"}


def test_it_needs_probes_and_successes() -> None:
    assert Sfl.requirements(SMALL) == Requirements((ProbeSpace,), needs=Needs.SUCCESS)
    with pytest.raises(ValueError, match="it acts on ProbeSpace"):
        Sfl(level_problem(), seed=0)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"levels_probed": 0}, "levels_probed is 0; expected a whole number, at least 1"),
        ({"episodes_per_level": 0}, "episodes_per_level is 0"),
        ({"levels_kept": 0}, "levels_kept is 0"),
        ({"levels_kept": 201}, "levels_kept is 201; expected at most levels_probed, which is 200"),
        ({"refresh_every": 0}, "refresh_every is 0"),
        ({"kept_share": 1.5}, "kept_share is 1.5"),
        ({"draw": "best"}, "draw is 'best'; expected one of 'top', 'in-proportion'"),
        ({"tie_break": -1}, "tie_break is -1"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SflSettings(**setting)


@pytest.mark.parametrize(
    "settings",
    [
        SflSettings(levels_probed=1, episodes_per_level=1, levels_kept=1, refresh_every=1, kept_share=1.0),
        SflSettings(levels_probed=5, episodes_per_level=3, levels_kept=2, refresh_every=9, draw="in-proportion"),
    ],
)
def test_it_keeps_the_contract(settings: SflSettings) -> None:
    check_teacher(Sfl, settings=settings, episodes=60)
