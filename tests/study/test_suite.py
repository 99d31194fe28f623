"""Suites and leaderboards."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.agents import TEACHERS
from teachgym.base.named_settings import NamedSettings
from teachgym.cli import main
from teachgym.core.evaluation import Evaluation
from teachgym.core.record import Record
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.envs.entries import Scale
from teachgym.plots.leaderboard_figure import leaderboard_figure
from teachgym.study.cells.finished import Result
from teachgym.study.results.leaderboard import BEST, Leaderboard, leaderboard
from teachgym.study.results.measures import Measures
from teachgym.study.results.stored import Run, StoredStudy
from teachgym.study.settings import Cell
from teachgym.study.suite import fitting, run_suite
from teachgym.study.suite_settings import SuiteSettings, suite_environments

SPACE = TaskSpace([Parameter("x", 0.0, 1.0)])


def stored(scores: dict[str, list[float]], *, seconds: float = 1.0) -> StoredStudy:
    """A study of which these are the final scores by seed; NaN where a cell is not finished."""
    runs: dict[str, list[Run]] = {}
    for teacher, values in scores.items():
        for seed, value in enumerate(values):
            if np.isnan(value):
                continue
            one = np.zeros((1, 1))
            test = Evaluation(one, np.array([value]), np.ones(1, np.int64), 1.0, 1)
            cell = Cell("env", teacher, None, seed, None, 1)
            result = Result(1, 1, 0.0, 0.0, 0.0, seconds)
            runs.setdefault(teacher, []).append(Run(cell, Record(evaluations=[test]), result))
    measures = Measures(SPACE, SPACE, (0.0, 1.0), scored_by="mean_return")
    return StoredStudy(Path(), "env", measures, {}, [], runs, [])


def board_of(*studies: dict[str, list[float]]) -> Leaderboard:
    return leaderboard([(f"env {i}", "none", "oracle", stored(scores)) for i, scores in enumerate(studies)])


def test_shares_are_of_the_gap_between_floor_and_ceiling() -> None:
    board = board_of({"none": [0.2, 0.4], "oracle": [0.8, 1.0], "half": [0.5, 0.7], "worse": [0.0, 0.2]})
    shares = {row.teacher: row.share.mean for row in board.boards[0].rows}
    assert shares == pytest.approx({"none": 0.0, "oracle": 1.0, "half": 0.5, "worse": -1 / 3})
    assert [row.teacher for row in board.boards[0].rows] == ["oracle", "half", "none", "worse"]


def test_floor_and_ceiling_may_be_scores() -> None:
    board = leaderboard([("env", 0.0, 2.0, stored({"random": [0.4, 0.6]}))])
    (row,) = board.boards[0].rows
    assert row.share.mean == pytest.approx(0.25)
    assert row.share.low < 0.25 < row.share.high


def test_what_seeds_share_does_not_widen_the_interval_of_a_share() -> None:
    rng = np.random.default_rng(0)
    luck = rng.normal(size=8)
    paired = board_of({"none": luck.tolist(), "oracle": (luck + 1).tolist(), "half": (luck + 0.5).tolist()})
    (row,) = (row for row in paired.boards[0].rows if row.teacher == "half")
    assert row.share.low == pytest.approx(0.5)
    assert row.share.high == pytest.approx(0.5)
    assert row.score.high - row.score.low > 0.5


def test_the_interval_of_a_share_covers_it_about_as_often_as_a_bootstrap_over_so_few_can() -> None:
    rng, inside = np.random.default_rng(1), 0
    for _ in range(200):
        noise = rng.normal(scale=0.2, size=(3, 8))
        scores = {"none": noise[0], "oracle": 1 + noise[1], "half": 0.5 + noise[2]}
        found = leaderboard(
            [("env", "none", "oracle", stored({name: list(map(float, row)) for name, row in scores.items()}))],
            samples=300,
        )
        (row,) = (row for row in found.boards[0].rows if row.teacher == "half")
        inside += row.share.low <= 0.5 <= row.share.high
    assert 0.8 < inside / 200 < 0.99


def test_over_environments_shares_are_clipped_and_averaged_where_a_teacher_fits() -> None:
    board = board_of(
        {"none": [0.0, 0.0], "oracle": [1.0, 1.0], "everywhere": [0.5, 0.5], "here": [0.25, 0.25]},
        {"none": [0.0, 0.0], "oracle": [0.001, 0.001], "everywhere": [5.0, 5.0]},
    )
    counts = {row.teacher: row.environments for row in board.overall}
    shares = {row.teacher: row.share.mean for row in board.overall}
    assert counts == {"none": 2, "oracle": 2, "everywhere": 2, "here": 1}
    assert shares == pytest.approx({"none": 0, "oracle": 1, "everywhere": (0.5 + BEST) / 2, "here": 0.25})


def test_the_lead_is_over_random_where_the_teacher_fits_and_unknown_without_it() -> None:
    scores = {"none": [0.0, 0.0], "oracle": [1.0, 1.0]}
    board = board_of(
        {**scores, "random": [0.2, 0.2], "one": [0.5, 0.5]},
        {**scores, "random": [0.8, 0.8]},
        {**scores, "two": [0.5, 0.5], "random": [0.6, 0.6]},
    )
    leads = {row.teacher: row.lead.mean for row in board.overall}
    assert leads["one"] == pytest.approx(0.3)
    assert leads["two"] == pytest.approx(-0.1)
    assert leads["random"] == 0
    assert np.isnan(board_of(scores).overall[0].lead.mean)
    assert [row.teacher for row in board.wide] == ["oracle", "random", "none"]


def test_what_is_in_few_environments_stands_below() -> None:
    scores = {"none": [0.0, 0.0], "oracle": [1.0, 1.0]}
    board = board_of({**scores, "once": [0.9, 0.9]}, scores, scores)
    assert [row.teacher for row in board.overall] == ["oracle", "none", "once"]


def test_environments_without_floor_or_ceiling_are_left_out_and_missing_seeds_are_skipped() -> None:
    board = board_of(
        {"none": [0.0, 0.0], "half": [0.5, 0.5]},
        {"none": [0.0, 0.0, 0.0], "oracle": [1.0, 1.0, 1.0], "half": [0.5, np.nan, 0.5]},
    )
    assert [one.env for one in board.boards] == ["env 1"]
    (row,) = (row for row in board.boards[0].rows if row.teacher == "half")
    assert (row.share.mean, row.share.count) == (0.5, 2)


def test_the_figure_shows_every_teacher_and_environment() -> None:
    leads = {"none": 0.0, "oracle": 1.0, "half": 0.45}
    figure = leaderboard_figure(leads, {"env": {"none": 0.0, "oracle": 1.0, "half": 0.45, "narrow": 2.0}})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert len(texts) == 6
    assert "1.00" in texts
    with pytest.raises(ValueError, match="no finished environment"):
        leaderboard_figure(leads, {})


@pytest.mark.parametrize("env", suite_environments())
def test_every_environment_of_the_suite_has_its_floor_its_ceiling_and_other_teachers(env: str) -> None:
    scale = suite_environments()[env]
    teachers = fitting(env, scale)
    first = [name for name in (*scale, "random") if isinstance(name, str)]
    assert teachers[: len(first)] == first
    assert len(teachers) > 5
    assert not any(TEACHERS[NamedSettings.parse(name).name].requires for name in teachers)


def test_a_suite_runs_resumes_and_writes_its_leaderboard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["suite", "--runs", str(tmp_path), "--name", "mine", "--seeds", "2", "--envs", "SelfDistillation"]
    assert main([*words, "--teachers", "random", "rule,name=paper"]) == 0
    folder = tmp_path / "mine"
    entries = json.loads((folder / "leaderboard.json").read_text())
    (board,) = entries["boards"]
    shares = {row["teacher"]: row["share"]["mean"] for row in board["rows"]}
    assert shares["rule,name=none"] == 0
    assert shares["rule,name=truth"] == 1
    assert 0.5 < shares["rule,name=paper"] < 1
    assert (folder / "leaderboard.png").stat().st_size > 10_000
    assert main([*words, "--teachers", "random"]) == 2
    assert "holds a study already" in capsys.readouterr().err
    assert main([*words, "--teachers", "random", "rule,name=paper", "constant", "--resume"]) == 0
    more = json.loads((folder / "leaderboard.json").read_text())
    assert {row["teacher"] for row in more["boards"][0]["rows"]} == {*shares, "constant"}


def test_the_list_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suite", "--runs", str(tmp_path), "--list", "--envs", "SelfDistillation"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith("SelfDistillation: rule,name=none rule,name=truth")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"envs": ("Chess",)}, "not in the suite"), ({"name": "a/b"}, "name"), ({"seeds": 0}, "seeds")],
)
def test_settings_that_are_not_allowed_are_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        run_suite(SuiteSettings(runs=tmp_path, **{"envs": ("SelfDistillation",), **settings}))


def test_a_teacher_that_does_not_exist_is_an_error_and_one_that_does_not_fit_is_left_out() -> None:
    assert fitting("SelfDistillation", Scale(), ("weak-first", "random")) == [*Scale(), "random"]
    with pytest.raises(ValueError, match="wek-first"):
        fitting("SelfDistillation", Scale(), ("wek-first",))
