"""The test of the untrained student, with which every learning curve begins."""

from pathlib import Path
from typing import Any

import pytest

from teachgym.core.record import EVALUATIONS, Record
from teachgym.study.cells.cell import CellOptions, _Runner, run_cell
from teachgym.study.replay import differences
from teachgym.study.settings import Cell
from tests.study import toy_study

PPO = "ppo,slots=4,rollout_steps=64,batch_size=64"
CELLS = {
    "a student that is a function": Cell(toy_study.ENV, "alp-gmm,fit_every=10", toy_study.QUICK, 1, 300, 3),
    "PPO on the walker": Cell("StumpTracks", "plr,capacity=20", PPO, 1, 2_000, 2),
    "SAC on the walker": Cell("StumpTracks", "random", "sac,random_steps=200,batch_size=16", 1, 600, 2),
    "a formula": Cell("Hypercubes,budget=300", "covar-gmm,fit_every=50", None, 1, None, 3),
    "a formula that forgets": Cell("SimulatedSkills", "tscl", None, 1, None, 2),
    "a challenge": Cell("Challenge", "random", None, 1, None, 2),
    "a student of a schedule": Cell("SelfDistillation", "random", None, 1, None, 2),
    "a student of data": Cell("SkillList", "ucb", "simulated", 1, 120, 2, "math"),
    "a network that learns from data": Cell("SkillList", "weak-first", "transformer", 1, 64, 2, "math"),
}


@pytest.mark.parametrize("kind", CELLS)
def test_it_comes_first_and_changes_nothing_else(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_cell(CELLS[kind], tmp_path / "with", lambda _: None)
    test = _Runner._test

    def not_before_training(runner: Any) -> None:
        if runner._teaching.record.feedback:
            test(runner)

    monkeypatch.setattr(_Runner, "_test", not_before_training)
    run_cell(CELLS[kind], tmp_path / "without", lambda _: None)
    found = list(differences(tmp_path / "with", tmp_path / "without"))
    assert found
    assert all(one.startswith(EVALUATIONS) for one in found), found
    first, *rest = Record.load(tmp_path / "with").evaluations
    assert first.untrained
    later = Record.load(tmp_path / "without").evaluations
    assert [test.spent for test in rest] == [test.spent for test in later]
    assert [test.returns.tolist() for test in rest] == [test.returns.tolist() for test in later]


def test_a_student_that_can_not_be_tested_yet_is_tested_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = Cell(toy_study.ENV, "random", toy_study.LATE, 1, 300, 3)
    run_cell(cell, tmp_path, lambda _: None, CellOptions())
    assert [test.spent for test in Record.load(tmp_path).evaluations] == [100, 200, 300]
    assert "the untrained student is not tested: the student has no policy yet" in capsys.readouterr().out
