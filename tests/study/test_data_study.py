"""A study of data teachers runs, reports, evaluates and resumes like any other."""

from pathlib import Path

import pytest

from teachgym.cli import main
from teachgym.core.record import Record

TASK = "tests.data.toy:Numbers"
STUDENT = "tests.data.toy:Practice,needed=20"


def arguments(folder: Path, *more: str) -> list[str]:
    study = ["--env", "SkillList", "--subject", TASK, "--student", STUDENT, "--budget", "90", "--seeds", "2"]
    return ["compare", *study, "--runs", str(folder), "--name", "s", "--evaluations", "2", *more]


def test_teachers_with_different_actions_are_compared_on_accuracy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teachers = ("--teachers", "random", "uniform", "weak-first", "ucb")
    assert main(arguments(tmp_path, *teachers)) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "8/8" in printed
    assert "test accuracy" in printed
    assert "test of test accuracy against random" in printed
    cell = tmp_path / "s" / "cells" / "uniform-seed-0"
    assert (cell / "data" / "round-0006" / "examples.jsonl").exists()
    for teacher in teachers[1:]:
        record = Record.load(tmp_path / "s" / "cells" / f"{teacher}-seed-1")
        assert record.tasks.sum(axis=1) == pytest.approx(1.0)  # each skill's share of what was made
        assert record.tasks.shape[1] == 3
        assert sum(feedback.cost for feedback in record.feedback) == 90
    (tmp_path / "s" / "cells" / "ucb-seed-1" / "result.json").unlink()
    assert main(arguments(tmp_path, *teachers, "--resume")) == 0
    assert "ucb seed 1" in capsys.readouterr().out
    assert main(["evaluate", str(cell), "--trust"]) == 0
    printed = capsys.readouterr().out
    assert "double" in printed
    assert "mean accuracy" in printed
    assert main(["watch", str(cell)]) == 2


def test_names_that_do_not_exist_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--env", "SkillList", "--subject", "mth", "--runs", str(tmp_path)]) == 2
    assert "did you mean 'math'" in " ".join(capsys.readouterr().err.split())
    assert main(["compare", "--env", "Hypercubes", "--subject", "math", "--runs", str(tmp_path)]) == 2
    assert "environment 'Hypercubes' does not take --subject math; leave it out" in " ".join(
        capsys.readouterr().err.split()
    )
    assert not list(tmp_path.iterdir())
