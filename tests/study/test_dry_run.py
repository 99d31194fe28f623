import io
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from teachgym.cli.dry_run import planned_duration, show, size
from teachgym.study.calibration import Calibration, calibrate
from teachgym.study.compare import compare
from teachgym.study.dry_run import DryRun, PlannedCell, dry_run
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


def planned(plan: StudySettings, *, workers: int | None = 2, free: int = 10**9, **seconds: float) -> DryRun:
    """A dry run whose cells take so many seconds, by teacher."""
    calibrations = {
        teacher: Calibration(300, 0.0, 300 / took, 0.0, stored_bytes=1000, running_bytes=round(took), learning=True)
        for teacher, took in seconds.items()
    }
    cells = [PlannedCell(number, cell, 0.0, "") for number, cell in plan.chosen()]
    return DryRun(plan, cells, calibrations, workers, free)


def printed(plan: DryRun) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    show(plan, console)
    return console.export_text()


def test_workers_take_the_next_cell_when_they_are_done(tmp_path: Path) -> None:
    """Cells of 10, 40, 10, 40, 10 and 40 seconds: worked out by hand."""
    plan = settings(tmp_path, seeds=3)
    assert planned(plan, workers=1, random=10, oracle=40).seconds == pytest.approx(150)
    # The first worker: 10, 10, 40; the second: 40, 10, 40.
    assert planned(plan, workers=2, random=10, oracle=40).seconds == pytest.approx(90)
    assert planned(plan, workers=9, random=10, oracle=40).seconds == pytest.approx(40)
    assert planned(plan, workers=None, random=10, oracle=40).seconds is None
    assert planned(plan, workers=2, random=10, oracle=40).work_seconds == pytest.approx(150)


def test_a_part_of_a_cell_takes_that_part_and_the_start() -> None:
    calibration = Calibration(1000, 2.0, 100.0, 0.5, 0, 0, learning=True)
    assert calibration.seconds(4) == pytest.approx(2 + 1000 / 100 + 5 * 0.5)
    assert calibration.seconds(4, 0.25) == pytest.approx(2 + 0.25 * 12.5)


def test_the_disk_holds_all_cells_and_the_checkpoints_of_those_that_run_at_once(tmp_path: Path) -> None:
    plan = planned(settings(tmp_path, seeds=3), workers=2, random=10, oracle=40)
    assert (plan.stored_bytes, plan.running_bytes) == (6000, 80)
    assert plan.fits
    assert "does not fit" not in printed(plan)
    full = planned(settings(tmp_path, seeds=3), workers=2, free=6079, random=10, oracle=40)
    assert not full.fits
    assert "it does not fit: choose another disk with --runs" in printed(full)
    assert planned(settings(tmp_path, seeds=3), workers=None, random=10, oracle=40).running_bytes == 150


def test_what_is_finished_and_what_has_failed_is_seen_and_nothing_else_is_left(tmp_path: Path) -> None:
    plan = settings(tmp_path, seeds=1)
    compare(plan)
    failed = settings(tmp_path, seeds=1, student=toy_study.FAILING, name="failing", teachers=("random",))
    compare(failed)
    before = sorted(tmp_path.rglob("*"))
    more = dry_run(replace(plan, seeds=2), calibrate_seconds=0)
    assert [(p.number, p.cell.teacher, p.cell.seed, p.done) for p in more.cells] == [
        (0, "random", 0, 1.0),
        (1, "oracle", 0, 1.0),
        (2, "random", 1, 0.0),
        (3, "oracle", 1, 0.0),
    ]
    assert [p.number for p in dry_run(replace(plan, seeds=2, cells="1-2"), calibrate_seconds=0).cells] == [1, 2]
    assert "2 of 4 cells to run, 2 at once" in printed(more)
    assert "not known without a calibration" in printed(more)
    assert "the student lost its way" in printed(dry_run(failed, calibrate_seconds=0))
    assert sorted(tmp_path.rglob("*")) == before


def test_the_estimate_knows_how_slow_a_student_is_and_calibration_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    plan = settings(tmp_path / "runs", student=toy_study.SLOW, budget=400, teachers=("random",))
    estimate = dry_run(plan, calibrate_seconds=1)
    assert not (tmp_path / "runs").exists()
    assert not list(temporary.iterdir())
    compare(plan)
    assert estimate.seconds is not None
    assert (
        estimate.seconds >= 400 / 5 * 0.05
    )  # an episode of 5 steps sleeps so long; how much more depends on the machine
    files = [path for path in (tmp_path / "runs" / "study" / "cells").rglob("*") if path.is_file()]
    assert 1 / 3 < estimate.stored_bytes / sum(path.stat().st_size for path in files) < 3
    assert f"about {planned_duration(estimate.seconds)}, likely between" in printed(estimate)


def test_a_full_replay_buffer_is_foreseen_and_a_student_that_has_not_begun_to_learn_is_told(tmp_path: Path) -> None:
    """SAC keeps, in single precision, two observations of 24 numbers, an action of 4, and reward, end and time-out."""
    sac = "sac,hidden=[8],batch_size=8,buffer_size=500000,random_steps="
    # far more than record and teacher, whose growth depends on how long episodes are
    plan = settings(tmp_path, env="StumpTracks", budget=1_000_000, teachers=("random",))
    for random_steps, learning in ((50, True), (100_000, False)):
        (cell,) = replace(plan, student=f"{sac}{random_steps}", seeds=1).grid()
        (measured,) = calibrate([cell], 1.0, workers=1)
        buffer = 500_000 * (2 * 24 + 4 + 3) * 4
        assert 3 * buffer < measured.running_bytes < 3.5 * buffer
        assert measured.learning == learning
        assert measured.budget == 1_000_000
    told = planned(plan, random=1.0)
    told.calibrations["random"] = measured
    assert "the students of random had not begun to learn: it takes longer than that" in printed(told)


def test_a_cell_that_fails_at_once_is_told_before_the_study_is_begun(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="random fails: RuntimeError: the student lost its way"):
        dry_run(settings(tmp_path, student=toy_study.FAILING, teachers=("random",)), calibrate_seconds=0.1)
    with pytest.raises(ValueError, match="did you mean 'alp-gmm'"):
        dry_run(settings(tmp_path, teachers=("alpgmm",)), calibrate_seconds=0)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1 s"), (61, "61 s"), (150, "2 min"), (7100, "118 min"), (7300, "2 h 02 min"), (3600 * 50, "2 d 2 h")],
)
def test_durations_are_told_no_more_exactly_than_they_are_known(seconds: float, told: str) -> None:
    assert planned_duration(seconds) == told


@pytest.mark.parametrize(
    ("count", "told"), [(12, "12 B"), (1500, "1.5 kB"), (999_600, "1.0 MB"), (2_000_000_000_000, "2.0 TB")]
)
def test_sizes_have_three_digits_at_most(count: int, told: str) -> None:
    assert size(count) == told
