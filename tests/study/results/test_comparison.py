"""What a comparison says of studies made by hand, number by number."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.record import Record
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.statistics import holm, mean_difference, welch
from teachgym.study.cells.finished import Result
from teachgym.study.results.comparison import Comparison, compare_studies
from teachgym.study.results.measures import Measures
from teachgym.study.results.stored import Missing, Run, StoredStudy
from teachgym.study.settings import Cell

SPACE = TaskSpace([Parameter("height", 0.0, 3.0, harder=0.1), Parameter("spacing", 0.0, 6.0)])
TASKS = SPACE.uniform(np.random.default_rng(0), 10)


def run(teacher: str, seed: int, curve: list[int], *, finished: bool = True, spread: float = 0.0) -> Run:
    """A run of 100 steps, with a test after each equal part; ``curve`` says how many of 10 tasks it masters."""
    tests = []
    for number, mastered in enumerate(curve, start=1):
        returns = np.where(np.arange(10) < mastered, 300.0 + spread, 0.0)
        tests.append(Evaluation(TASKS, returns, np.full(10, 7), 230.0, 100 * number // len(curve)))
    feedback = [Feedback(SPACE.uniform(np.random.default_rng([seed, k])), 50.0 * k, k > 4, 10, k) for k in range(10)]
    record = Record(["random"] * 10, feedback, [10 * k for k in range(1, 11)], tests)
    cell = Cell("StumpTracks", teacher, "ppo", seed, 100, len(curve))
    return Run(cell, record, Result(100, 10, 2.0, 1.0, 5.0, 15.0) if finished else None)


def study(runs: dict[str, list[Run]], title: str = "StumpTracks", **more: Any) -> StoredStudy:
    measures = Measures(SPACE, SPACE, (-150.0, 350.0), **more.pop("measures", {}))
    plain: dict[str, Any] = {"folder": Path("runs/x"), "settings": {}, "provenance": [], "missing": []}
    return StoredStudy(title=title, measures=measures, runs=runs, **{**plain, **more})


def compared(*studies: StoredStudy, **options: Any) -> Comparison:
    found = compare_studies(studies, samples=500, **options)
    assert found is not None
    return found


BAD, GOOD = [0, 1, 2, 1, 0], [6, 7, 8, 9, 7]


def two_teachers(**more: Any) -> StoredStudy:
    return study(
        {
            "random": [run("random", seed, [0, end]) for seed, end in enumerate(BAD)],
            "alp-gmm": [run("alp-gmm", seed, [9, end]) for seed, end in enumerate(GOOD)],
        },
        **more,
    )


def test_every_number_of_a_row() -> None:
    found = compared(two_teachers())
    random, alp = found.rows
    assert (random.teacher, random.seeds, alp.teacher, alp.seeds) == ("random", 5, "alp-gmm", 5)
    assert alp.iqm.mean == pytest.approx(10 * np.mean([7, 7, 8]))
    assert alp.mean.mean == pytest.approx(10 * np.mean(GOOD))
    assert alp.median.mean == 70.0
    assert alp.iqm.low <= alp.iqm.mean <= alp.iqm.high
    assert alp.mastered.mean == pytest.approx(74.0)
    assert alp.mean_return.mean == pytest.approx(30 * np.mean(GOOD))
    assert alp.worst_case.mean == pytest.approx(150.0 / 5)  # nine mastered help one of the two worst
    assert alp.forgetting.mean == pytest.approx(10 * np.mean([9 - end for end in GOOD]))
    assert alp.area.mean == pytest.approx(np.mean([90 * 0.5 + (90 + 10 * end) / 2 * 0.5 for end in GOOD]))
    assert alp.steps_per_second == pytest.approx(100 / 10)
    assert alp.world_share == pytest.approx(0.2)
    assert alp.teacher_share == pytest.approx(0.1)
    assert alp.reached.threshold == pytest.approx(37.0)
    assert (alp.reached.median, alp.reached.reached, alp.reached.count) == (50.0, 5, 5)
    assert (random.reached.median, random.reached.reached) == (np.inf, 0)


def test_tests_against_the_reference_and_between_all() -> None:
    third = [run("oracle", seed, [0, end]) for seed, end in enumerate([7, 8, 8, 9, 8])]
    found = compared(study({**two_teachers().runs, "oracle": third}))
    scores = {"random": BAD, "alp-gmm": GOOD, "oracle": [7, 8, 8, 9, 8]}
    against = [welch(scores[name], BAD) for name in ("alp-gmm", "oracle")]
    assert [row.p_value for row in found.rows[1:]] == pytest.approx(against)
    assert [row.p_corrected for row in found.rows[1:]] == pytest.approx(holm(against).tolist())
    assert np.isnan(found.rows[0].p_value)
    pairs = [("random", "alp-gmm"), ("random", "oracle"), ("alp-gmm", "oracle")]
    assert [(pair.first, pair.second) for pair in found.pairs] == pairs
    expected = holm([welch(scores[a], scores[b]) for a, b in pairs])
    assert [pair.p_corrected for pair in found.pairs] == pytest.approx(expected.tolist())
    assert found.pairs[0].improvement.mean == 0.0
    assert found.leaders == ("oracle", "alp-gmm"), "they are not told apart, both beat random, and the best comes first"
    assert found.best == "oracle"


def test_nobody_leads_where_nothing_is_significant() -> None:
    same = {name: [run(name, seed, [end]) for seed, end in enumerate([3, 5, 4])] for name in ("random", "alp-gmm")}
    assert compared(study(same)).leaders == ()


def test_another_reference() -> None:
    found = compared(two_teachers(), reference="alp-gmm")
    assert np.isnan(found.rows[1].p_value)
    assert found.rows[0].p_value == pytest.approx(welch(BAD, GOOD))
    with pytest.raises(ValueError, match="reference is 'oracle'"):
        compared(two_teachers(), reference="oracle")


def test_the_difference_from_the_reference_is_that_of_the_means_with_welchs_interval() -> None:
    random, alp = compared(two_teachers()).rows
    assert alp.difference == mean_difference([[10.0 * end for end in GOOD]], [[10.0 * end for end in BAD]])
    assert alp.difference.mean == pytest.approx(alp.mean.mean - random.mean.mean)
    assert np.isnan(random.difference.mean)


def test_rows_are_ranked_by_their_means() -> None:
    found = compared(two_teachers())
    assert [row.teacher for row in found.ranked] == ["alp-gmm", "random"]
    assert found.scores == {"random": tuple(10.0 * end for end in BAD), "alp-gmm": tuple(10.0 * end for end in GOOD)}


def test_all_runs_are_above_the_least_score_of_a_profile() -> None:
    for profile in compared(two_teachers()).profiles.values():
        assert (profile.share[0], profile.share[-1]) == (1.0, 0.0)


def test_where_nobody_masters_anything_teachers_are_compared_by_outcomes() -> None:
    nothing = {name: [run(name, seed, [0, 0]) for seed in range(3)] for name in ("random", "plr")}
    for one in nothing["plr"]:
        one.record.evaluations[-1].returns[:] = 7.0 + one.cell.seed
    found = compared(study(nothing))
    assert (found.score_name, found.masters) == ("test return", False)
    assert found.scores["plr"] == (7.0, 8.0, 9.0)
    unfinished = run("random", 3, [1], finished=False)
    assert compared(study({**nothing, "random": [*nothing["random"], unfinished]})).score_name == "% mastered"


def test_where_nobody_masters_anything_there_is_no_threshold_to_reach() -> None:
    found = compared(study({name: [run(name, seed, [0, 0]) for seed in range(3)] for name in ("random", "plr")}))
    assert np.isnan(found.rows[0].reached.threshold)
    assert found.rows[0].reached.reached == 0


def test_a_return_that_is_not_finite_is_named_by_file_and_cell() -> None:
    runs = two_teachers().runs
    runs["alp-gmm"][2].record.evaluations[-1].returns[3] = np.nan
    with pytest.raises(ValueError, match=r"runs/x/cells/.*evaluations\.npz: the last test of alp-gmm with seed 2"):
        compared(study(runs))


def test_studies_of_one_title_are_pooled_and_no_seed_counts_twice() -> None:
    first = study({"random": [run("random", seed, [end]) for seed, end in enumerate(BAD)]})
    second = study({"random": [run("random", seed, [end]) for seed, end in enumerate(GOOD, start=5)]})
    (row,) = compared(first, second).rows
    assert row.seeds == 10
    assert row.mean.mean == pytest.approx(10 * np.mean(BAD + GOOD))
    with pytest.raises(ValueError, match="holds random with seed 0"):
        compared(first, first)


def test_several_studies_are_compared_by_scores_from_0_to_1() -> None:
    accuracy = {"scored_by": "mean_return", "outcome_name": "accuracy"}
    data = study(two_teachers().runs, title="SkillList", measures=accuracy)
    found = compared(two_teachers(), data)
    assert found.studies == ("StumpTracks", "SkillList")
    alp = found.rows[1]
    first, second = np.mean(GOOD) / 10, (30 * np.mean(GOOD) + 150) / 500
    assert alp.seeds == 10
    assert alp.mean.mean == pytest.approx((first + second) / 2)
    assert found.score_name == "score, from 0 to 1"


def test_a_teacher_may_be_absent_from_a_study() -> None:
    other = study({"random": [run("random", seed, [end]) for seed, end in enumerate(GOOD)]}, title="HexagonTracks")
    found = compared(two_teachers(), other)
    assert [row.seeds for row in found.rows] == [10, 5]
    assert found.rows[1].p_value == pytest.approx(welch(BAD, GOOD)), "tested where both are"


def test_unfinished_runs_do_not_count_and_are_told() -> None:
    runs = two_teachers().runs
    runs["random"][4] = run("random", 4, [10], finished=False)
    missing = [Missing(runs["random"][4].cell, "MemoryError")]
    found = compared(study(runs, missing=missing))
    assert found.rows[0].seeds == 4
    assert any("1 cell is not finished (1 failed): random seed 4" in caution for caution in found.cautions)
    assert any("between 4 and 5 seeds" in caution for caution in found.cautions)
    assert compare_studies([study({"random": [run("random", 0, [1], finished=False)]})]) is None


def test_one_seed_has_numbers_and_no_claims() -> None:
    found = compared(study({name: [run(name, 0, [end])] for name, end in (("random", 0), ("alp-gmm", 9))}))
    assert found.rows[1].mastered.mean == 90.0
    assert np.isnan([found.rows[1].mastered.low, found.rows[1].p_value, found.pairs[0].p_corrected]).all()
    assert found.leaders == ()
    assert any("one seed" in caution for caution in found.cautions)


def test_the_same_comparison_twice_is_the_same() -> None:
    first, second = compared(two_teachers()), compared(two_teachers())
    assert str(first.rows) == str(second.rows)
    assert str(first.pairs) == str(second.pairs)
    np.testing.assert_array_equal(first.profiles["alp-gmm"].low, second.profiles["alp-gmm"].low)
