import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from teachgym.study import dry_run as dry_run_module
from teachgym.study.compare import compare
from teachgym.study.dry_run import dry_run
from teachgym.study.settings import StudySettings
from tests.study import toy_study


def settings(runs: Path, **changes: Any) -> StudySettings:
    plain: dict[str, Any] = {
        "env": toy_study.ENV,
        "teachers": ("random", "oracle"),
        "student": toy_study.QUICK,
        "seeds": 2,
        "budget": 300,
        "evaluations": 3,
        "runs": runs,
        "name": "study",
        "workers": 2,
    }
    return StudySettings(**{**plain, **changes})


def test_what_is_finished_and_what_has_failed_is_seen_and_the_rest_is_multiplied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run_module, "_timed", lambda cells, workers: {"random": 10.0, "oracle": 40.0})
    plan = settings(tmp_path, seeds=1)
    compare(plan)
    failed = settings(tmp_path, seeds=1, student=toy_study.FAILING, name="failing", teachers=("random",))
    compare(failed)
    before = sorted(tmp_path.rglob("*"))
    lines = list(dry_run(replace(plan, seeds=3)))
    assert [line.strip() for line in lines[:6]] == [
        "0  random seed 0  finished",
        "1  oracle seed 0  finished",
        "2  random seed 1",
        "3  oracle seed 1",
        "4  random seed 2",
        "5  oracle seed 2",
    ]
    assert lines[6].startswith("4 cells to run in ")
    assert lines[6].endswith("study, each with 300 student steps")
    assert lines[7] == "a cell takes about: random 10 s, oracle 40 s"
    assert lines[8].startswith("all take about 50 s, 2 at once")
    assert "all take about 44 s, 3 at once" in "\n".join(dry_run(replace(plan, seeds=4, workers=3, cells="2-6")))
    (line, *_) = dry_run(failed)
    assert "the student lost its way" in line
    assert sorted(tmp_path.rglob("*")) == before


def test_the_estimate_knows_how_slow_a_student_is_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(dry_run_module, "TIMED_SECONDS", 2.0)
    plan = settings(tmp_path / "runs", student=toy_study.SLOW, budget=10_000, seeds=1)
    (told,) = (line for line in dry_run(plan) if line.startswith("a cell takes about"))
    for seconds in re.findall(r"\d+ s", told):
        assert 10_000 / 5 * 0.05 <= float(seconds[:-2]) <= 200  # an episode of 5 steps sleeps so long
    assert not (tmp_path / "runs").exists()
    assert not list(temporary.iterdir())


def test_a_cell_that_ends_sooner_is_timed_as_a_whole(tmp_path: Path) -> None:
    (told,) = (line for line in dry_run(settings(tmp_path, seeds=1)) if line.startswith("a cell takes about"))
    assert re.fullmatch(r"a cell takes about: (random|oracle) \d+ s, (random|oracle) \d+ s", told)


def test_a_cell_that_fails_at_once_is_told_before_the_study_is_begun(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"random fails: RuntimeError: the student lost its way$"):
        list(dry_run(settings(tmp_path, student=toy_study.FAILING, teachers=("random",))))
    with pytest.raises(ValueError, match="did you mean 'alp-gmm'"):
        list(dry_run(settings(tmp_path, teachers=("alpgmm",))))
    assert not list(tmp_path.iterdir())
