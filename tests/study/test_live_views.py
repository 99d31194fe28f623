"""What is seen of a study while it runs: the dashboard, and the metrics of trackers."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from teachgym.cli.dashboard import Dashboard, duration, sparkline
from teachgym.study.cells.cell import CellOptions, run_cell
from teachgym.study.executors.runner import Standing
from teachgym.study.replay import differences
from teachgym.study.settings import Cell, StudySettings
from teachgym.study.trackers import TRACKERS, Tracking
from tests.study import toy_study
from tests.study.test_interruptions import Stop

DOCS = Path(__file__).parents[2] / "docs"
CELL = Cell(toy_study.ENV, "alp-gmm", toy_study.QUICK, 1, 600, 4)


def run(folder: Path, *trackers: str, stop_at: int | None = None) -> None:
    def report(progress: Any) -> None:
        if stop_at is not None and progress.spent >= stop_at:
            raise Stop

    options = CellOptions(checkpoint_seconds=0.0, trackers=trackers)
    if stop_at is None:
        run_cell(CELL, folder, report, options)
    else:
        with pytest.raises(Stop):
            run_cell(CELL, folder, report, options)


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
    found.Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_tensorboard_has_what_the_record_has(tmp_path: Path) -> None:
    from teachgym.core.record import Record

    run(tmp_path, "tensorboard")
    record, logged = Record.load(tmp_path), events(tmp_path)
    assert [step for step, _ in logged["test/mastered"]] == [test.spent for test in record.evaluations]
    assert [value for _, value in logged["test/mean_return"]] == pytest.approx(
        [test.mean_return for test in record.evaluations], rel=1e-6
    )
    last_step, last = logged["training/outcome"][-1]
    assert last_step == 600
    assert last == pytest.approx(record.outcomes[-100:].mean(), rel=1e-6)
    assert logged["tasks/target"][-1][1] == pytest.approx(record.tasks[-100:, 0].mean(), rel=1e-6)
    assert logged["training/episodes"][-1][1] == 120
    assert 50 <= len(logged["training/outcome"]) <= 101, "a point for each hundredth of the budget at most"


def test_trackers_change_nothing(tmp_path: Path) -> None:
    run(tmp_path / "with", "tensorboard")
    run(tmp_path / "without")
    assert list(differences(tmp_path / "with", tmp_path / "without")) == []


def test_a_resumed_cell_has_every_point_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.study.cells.cell._WRITING_SHARE", 0)
    run(tmp_path / "whole", "tensorboard")
    run(tmp_path / "parts", "tensorboard", stop_at=400)
    run(tmp_path / "parts", "tensorboard")
    whole, parts = events(tmp_path / "whole"), events(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    for tag in whole.keys() - {"speed/student_steps_per_second"}:
        assert parts[tag] == whole[tag], tag


def test_a_tracker_that_fails_costs_itself_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from teachgym.study.trackers.tensorboard import TensorBoardTracker

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TensorBoardTracker, "log", full)
    run(tmp_path, "tensorboard")
    assert capsys.readouterr().out.count("is left out from here on: [Errno 28] No space left on device") == 1
    assert (tmp_path / "result.json").exists()


def test_weights_and_biases_offline(tmp_path: Path) -> None:
    """In a process of its own, as the package leaves threads behind."""
    code = f"""
from pathlib import Path
from tests.study.test_live_views import run
run(Path({str(tmp_path / "study" / "cells" / "cell")!r}), "wandb")
"""
    environment = {"WANDB_MODE": "offline", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "WANDB_API_KEY": "k" * 40}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is left out" not in done.stdout
    (log,) = (tmp_path / "study" / "cells" / "cell" / "wandb").glob("offline-run-*/run-*.wandb")
    content = log.read_bytes()
    assert b"test/mastered" in content
    assert b"alp-gmm" in content
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"k" * 40 not in path.read_bytes(), f"the key is in {path}"


def test_an_unknown_tracker_is_named(tmp_path: Path) -> None:
    from tests.report.stored_cells import MEASURES

    with pytest.raises(ValueError, match="unknown tracker 'tensorbord'; did you mean 'tensorboard'"):
        Tracking(["tensorbord"], tmp_path, CELL, MEASURES, resumed_at=0)
    assert set(TRACKERS) == {"tensorboard", "wandb"}


def test_every_logged_metric_is_explained(tmp_path: Path) -> None:
    run(tmp_path, "tensorboard")
    page = (DOCS / "metrics.md").read_text()
    for tag in events(tmp_path):
        general = re.sub(r"^tasks/.*", "tasks/<parameter>", tag).replace("mean_return", "mean_<outcome>")
        assert f"`{general}`" in page, f"docs/metrics.md does not explain {general}"


def shown(dashboard: Dashboard, *, width: int = 100, height: int = 30) -> str:
    console = Console(width=width, height=height, force_terminal=True, color_system=None, record=True, file=None)
    with console.capture() as found:
        console.print(dashboard, height=height)
    return found.get()


@pytest.fixture
def dashboard() -> Dashboard:
    settings = StudySettings(env=toy_study.ENV, student=toy_study.QUICK, budget=1000, seeds=2)
    found = Dashboard(Console(quiet=True), settings)
    cells = [cell for _, cell in settings.chosen()]
    for cell in cells[:3]:
        found.started(cell)
    found.moved(Standing(cells[0], 0, 1000, 0))
    found.moved(Standing(cells[0], 500, 1000, 50, (0.0, 5.0, 10.0)))
    found.finished(cells[1])
    found.failed(cells[2], "MemoryError: [no] room")
    return found


def test_the_dashboard_shows_every_cell(dashboard: Dashboard) -> None:
    text = shown(dashboard)
    assert "1 of 4 cells" in text
    lines = text.splitlines()[1:]
    assert len(lines) == 4
    assert "random seed 0" in lines[0]
    assert "running" in lines[0]
    assert "▁▅█" in lines[0]
    assert "steps/s" in lines[0]
    assert "failed" in lines[1]
    assert "waiting" in lines[2]
    assert "alp-gmm seed 1" in lines[2]
    assert "done" in lines[3]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_dashboard_fits_any_terminal(dashboard: Dashboard, width: int) -> None:
    lines = shown(dashboard, width=width, height=10).splitlines()
    assert all(len(line) <= width for line in lines)
    assert "seed 0" in lines[1]


def test_more_cells_than_lines() -> None:
    settings = StudySettings(env=toy_study.ENV, student=toy_study.QUICK, budget=1000, seeds=20)
    text = shown(Dashboard(Console(quiet=True), settings), height=10)
    assert "(33 more cells)" in text
    assert len(text.splitlines()) == 8


def test_a_resumed_cell_is_timed_from_where_it_goes_on() -> None:
    settings = StudySettings(env=toy_study.ENV, student=toy_study.QUICK, budget=1_000_000, seeds=1)
    found = Dashboard(Console(quiet=True), settings)
    _, cell = settings.chosen()[0]
    found.started(cell)
    found.moved(Standing(cell, 900_000, 1_000_000, 50))
    found.moved(Standing(cell, 900_001, 1_000_000, 50))
    rate = float(re.findall(r"([\d,]+) steps/s", shown(found))[0].replace(",", ""))
    assert rate < 100_000, "900,000 steps were those of another run"


def test_sparklines_share_a_scale() -> None:
    assert sparkline([0.0, 1.0, 2.0], [0.0, 8.0]) == "▁▂▃"
    assert sparkline([3.0], [3.0]) == "▁"
    assert sparkline([], []) == ""
    assert len(sparkline(list(range(100)), [0.0, 99.0])) == 12


def test_durations() -> None:
    assert [duration(seconds) for seconds in (9.9, 187, 7500)] == ["9 s", "3 min 07 s", "2 h 05 min"]
