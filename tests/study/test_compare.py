import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.base.files import read_arrays, read_json, read_state
from teachgym.base.registry import environment_id
from teachgym.core.record import Record
from teachgym.study.cells.cell import load_cell, run_cell
from teachgym.study.cells.finished import is_finished
from teachgym.study.compare import Study, compare
from teachgym.study.executors.runner import Observer, Standing
from teachgym.study.results.stored import load_study
from teachgym.study.settings import Cell, StudySettings
from tests.benchmarks.keep_cells import keep
from tests.study import toy_study
from tests.waiting import wait_for


def settings(folder: Path, **changes: Any) -> StudySettings:
    plain: dict[str, Any] = {
        "env": toy_study.ENV,
        "student": toy_study.QUICK,
        "seeds": 2,
        "budget": 300,
        "evaluations": 3,
        "runs": folder,
        "name": "study",
        "workers": 2,
    }
    return StudySettings(**{**plain, **changes})


class Diary(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.moves: list[Standing] = []

    def started(self, cell: Cell) -> None:
        self.lines.append(f"started {cell.folder_name}")

    def moved(self, standing: Standing) -> None:
        self.moves.append(standing)

    def finished(self, cell: Cell) -> None:
        self.lines.append(f"finished {cell.folder_name}")

    def retried(self, cell: Cell, reason: str) -> None:
        self.lines.append(f"retried {cell.folder_name}: {reason}")

    def failed(self, cell: Cell, reason: str) -> None:
        self.lines.append(f"failed {cell.folder_name}: {reason}")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Diary, StudySettings]:
    diary = Diary()
    chosen = settings(tmp_path_factory.mktemp("runs"))
    return compare(chosen, observer=diary), diary, chosen


def arrays(folder: Path) -> dict[str, dict[str, Any]]:
    names = ("episodes.npz", "evaluations.npz", "teacher.npz")
    return {str(path.relative_to(folder)): read_arrays(path) for path in folder.rglob("*") if path.name in names}


def assert_equal_folders(one: Path, other: Path) -> None:
    left, right = arrays(one), arrays(other)
    assert left.keys() == right.keys()
    assert left
    for file, stored in left.items():
        assert stored.keys() == right[file].keys()
        for name, array in stored.items():
            np.testing.assert_array_equal(array, right[file][name], err_msg=f"{file}: {name}")


def test_a_study_runs_every_cell(study: tuple[Study, Diary, StudySettings]) -> None:
    found, diary, chosen = study
    assert sorted(found.stored.runs) == ["alp-gmm", "random"]
    assert found.comparison is not None
    assert [row.seeds for row in found.comparison.rows] == [2, 2]
    assert not found.stored.missing
    assert not found.interrupted
    assert sum(line.startswith("finished") for line in diary.lines) == 4
    summary = read_json(chosen.folder / "summary.json")
    assert {row["teacher"] for row in summary} == {"random", "alp-gmm"}
    for runs in found.stored.runs.values():
        for run in runs:
            assert run.result is not None
            assert run.result.spent == 300
            assert [test.spent for test in run.record.evaluations] == [0, 100, 200, 300]


def test_a_row_is_the_mean_of_its_cells(study: tuple[Study, Diary, StudySettings]) -> None:
    found, _, _ = study
    assert found.comparison is not None
    for row in found.comparison.rows:
        returns = [run.record.evaluations[-1].returns.mean() for run in found.stored.runs[row.teacher]]
        assert row.mean_return.mean == pytest.approx(np.mean(returns))
        assert row.mean_return.count == 2


def test_the_same_settings_give_the_same_study_whatever_the_number_of_workers(
    study: tuple[Study, Diary, StudySettings], tmp_path: Path
) -> None:
    again = settings(tmp_path, workers=1)
    compare(again)
    assert_equal_folders(study[2].folder, again.folder)


def test_a_used_folder_is_refused_resumed_or_overwritten(tmp_path: Path) -> None:
    chosen = settings(tmp_path, seeds=1, teachers=("random",))
    compare(chosen)
    with pytest.raises(ValueError, match=r"holds a study already \(1 of these 1 cells are finished\); give --resume"):
        compare(chosen)
    stamp = (chosen.folder / "cells" / "random-seed-0" / "result.json").stat().st_mtime_ns
    diary = Diary()
    more = compare(dataclasses.replace(chosen, seeds=2), if_used="resume", observer=diary)
    assert len(more.stored.runs["random"]) == 2
    assert diary.lines == ["started random-seed-1", "finished random-seed-1"]
    assert (chosen.folder / "cells" / "random-seed-0" / "result.json").stat().st_mtime_ns == stamp
    with pytest.raises(ValueError, match="begun with budget=300, and is now given 400"):
        compare(dataclasses.replace(chosen, budget=400), if_used="resume")
    compare(dataclasses.replace(chosen, budget=400), if_used="overwrite")
    assert read_json(chosen.folder / "study.json")["settings"]["budget"] == 400
    assert not (chosen.folder / "cells" / "random-seed-1").exists()


def test_slices_of_the_grid_join_one_study(study: tuple[Study, Diary, StudySettings], tmp_path: Path) -> None:
    """As array jobs do, which begin in any order and know nothing of each other."""
    second = compare(settings(tmp_path, cells="2-3"))
    assert not second.missing
    assert len(second.stored.missing) == 2
    first = compare(settings(tmp_path, cells="0,1"))
    assert not first.missing
    assert not first.stored.missing
    assert_equal_folders(study[2].folder, settings(tmp_path).folder)
    with pytest.raises(ValueError, match="4 cells, numbered 0 to 3"):
        compare(settings(tmp_path, cells="4"))
    with pytest.raises(ValueError, match="holds a study already"):
        compare(settings(tmp_path))


def test_kept_cells_are_enough_for_a_report_and_to_go_on(
    study: tuple[Study, Diary, StudySettings], tmp_path: Path
) -> None:
    found, _, chosen = study
    assert len(keep(chosen.folder, tmp_path / "study")) == 4
    assert not keep(chosen.folder, tmp_path / "study")
    assert not list(tmp_path.rglob("teacher.npz"))
    diary = Diary()
    more = dataclasses.replace(chosen, runs=tmp_path, seeds=3)
    again = compare(more, if_used="resume", observer=diary)
    started = {line for line in diary.lines if line.startswith("started")}
    assert started == {"started random-seed-2", "started alp-gmm-seed-2"}
    for teacher, runs in found.stored.runs.items():
        for run, kept in zip(runs, again.stored.runs[teacher][:2], strict=True):
            assert kept.record.outcomes.tolist() == run.record.outcomes.tolist()
            assert kept.result == run.result


def test_a_folder_with_other_files_is_never_overwritten(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    chosen.folder.mkdir()
    (chosen.folder / "thesis.tex").write_text("years of work")
    for if_used in ("resume", "overwrite"):
        with pytest.raises(ValueError, match="no study"):
            compare(chosen, if_used=if_used)
    assert (chosen.folder / "thesis.tex").read_text() == "years of work"


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"run folder .*file.* can't be written"):
        compare(settings(tmp_path / "file"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"env": "StumpTrack"}, "unknown environment 'StumpTrack'; did you mean 'StumpTracks'"),
        ({"env": "no.such.module:a/B-v0"}, "can't be found"),
        ({"env": toy_study.ENV + ",colour=red"}, "can't be made"),
        ({"teachers": ("alp-gm",)}, "unknown teacher 'alp-gm'; did you mean 'alp-gmm'"),
        ({"teachers": ("alp-gmm,fit_evry=3",)}, "fit_every"),
        ({"student": "pppo"}, "unknown student 'pppo'; did you mean 'ppo'"),
        ({"student": "ppo,slot=3"}, "slots"),
    ],
)
def test_unknown_names_are_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        compare(settings(tmp_path, **changes))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"student": "ppo"},
            r"environment 'Hypercubes' does not take --student ppo; leave it out, .* --env Hypercubes,SETTING=VALUE",
        ),
        (
            {"teachers": ("weak-first",)},
            r"teacher 'weak-first' does not fit environment 'Hypercubes': it acts on Shares, .*; teachers that fit it: "
            r"random, alp-gmm; environments that fit the teacher: SkillList$",
        ),
        (
            {"env": "OpenEnded", "teachers": ("uniform",)},
            r"teacher 'uniform' does not fit environment 'OpenEnded': .*; teachers that fit it: random, alp-gmm; ",
        ),
        (
            {"env": "Challenge", "student": "ppo"},
            r"environment 'Challenge' can't be made: it has no setting 'student'$",
        ),
    ],
    ids=str,
)
def test_what_does_not_fit_is_said_in_a_sentence_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr("teachgym.study.fitting.TEACHERS", ("random", "alp-gmm", "weak-first", "arte"))
    with pytest.raises(ValueError, match=message):
        compare(StudySettings(**chosen, runs=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("student", "reason"),
    [
        (toy_study.FAILING, "the student lost its way"),
        ("tests.students.supervised.torch_errors:StumblingStudent", "shapes cannot be multiplied"),
        (toy_study.DYING, "exit code 7"),
    ],
)
def test_a_worker_that_fails_or_dies_fails_its_own_cell_with_a_log(tmp_path: Path, student: str, reason: str) -> None:
    chosen = settings(tmp_path, student=student, teachers=("random",), seeds=2, workers=1)
    diary = Diary()
    found = compare(chosen, observer=diary)
    assert len(found.stored.missing) == 2
    assert found.comparison is None
    assert all(reason in line for line in diary.lines if line.startswith("failed"))
    assert len([line for line in diary.lines if line.startswith("failed")]) == 2
    assert all(reason in missing.reason for missing in found.stored.missing)
    died = student == toy_study.DYING
    assert len([line for line in diary.lines if line.startswith("retried")]) == 2 * chosen.retries * died
    if student == toy_study.FAILING:
        log = (chosen.folder / "cells" / "random-seed-0" / "log.txt").read_text()
        assert "about to fail" in log
        assert "in _fail" in log


def test_ctrl_c_keeps_what_is_finished_and_resuming_gives_the_same_study(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    student = f"{toy_study.WAITING},gate={gate}"
    chosen = settings(tmp_path / "interrupted", student=student, seeds=3, teachers=("random",), workers=1)
    gate.touch()
    compare(dataclasses.replace(chosen, seeds=1))
    gate.unlink()
    words = ["--env", chosen.env, "--student", student, "--teachers", "random", "--seeds", "3"]
    words += ["--budget", "300", "--evaluations", "3", "--workers", "1"]
    words += ["--runs", str(chosen.runs), "--name", "study", "--resume"]
    # What starts tests in the background may have them ignore Ctrl-C, and all that they start.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    script = f"{heard}; import sys; from teachgym.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "compare", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    first, second = (chosen.folder / "cells" / f"random-seed-{seed}" for seed in (0, 1))
    wait_for((second / "episodes.npz").exists, while_running=lambda: process.poll() is None)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert "interrupted: 2 of 3 cells are not finished" in " ".join(output.split())
    assert is_finished(first)
    assert not is_finished(second)
    gate.touch()
    assert compare(chosen, if_used="resume").stored.missing == []
    whole = dataclasses.replace(chosen, runs=tmp_path / "whole")
    compare(whole)
    assert_equal_folders(chosen.folder, whole.folder)


def test_a_saved_student_scores_what_its_last_test_recorded(tmp_path: Path) -> None:
    cell = Cell(toy_study.ENV, "random", "ppo,slots=2,rollout_steps=32,batch_size=32", 3, 400, 2)
    moves: list[int] = []
    run_cell(cell, tmp_path, lambda progress: moves.append(progress.spent))
    record = Record.load(tmp_path)
    found, env = load_cell(tmp_path, trust=True)
    assert found == cell
    np.testing.assert_array_equal(env.evaluate().returns, record.evaluations[-1].returns)
    assert moves == sorted(moves)
    assert moves[-1] == 400
    assert len(record.origins) == len(moves)
    assert read_state(tmp_path / "teacher.npz")


def test_what_is_no_cell_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no cell.json"):
        load_cell(tmp_path)
    (tmp_path / "cell.json").write_text(json.dumps({"env": "x"}))
    (tmp_path / "student.npz").write_text("")
    with pytest.raises(ValueError, match="cell settings"):
        load_cell(tmp_path)


def test_short_names_of_environments_are_completed() -> None:
    assert environment_id("StumpTracks") == "teachgym/StumpTracks-v0"
    assert environment_id("StumpTracks-v0") == "teachgym/StumpTracks-v0"
    assert environment_id("teachgym/StumpTracks-v0") == "teachgym/StumpTracks-v0"


def test_ctrl_c_does_not_reach_a_worker_even_while_it_starts(tmp_path: Path) -> None:
    """A terminal sends the interrupt to the workers as well; only the study itself decides when they end."""

    class Interrupting(Diary):
        def started(self, cell: Cell) -> None:
            for worker in multiprocessing.active_children():
                assert worker.pid is not None
                os.kill(worker.pid, signal.SIGINT)

    diary = Interrupting()
    found = compare(settings(tmp_path, teachers=("random",), seeds=1, workers=1), observer=diary)
    assert found.stored.missing == []
    assert diary.lines == ["finished random-seed-0"]


def test_the_first_teacher_stays_the_reference_when_its_first_cell_is_missing(
    study: tuple[Study, Diary, StudySettings], tmp_path: Path
) -> None:
    _, _, chosen = study
    folder = tmp_path / "copy"
    shutil.copytree(chosen.folder, folder)
    shutil.rmtree(folder / "cells" / "random-seed-0")
    found = load_study(folder)
    assert [(teacher, len(done)) for teacher, done in found.runs.items()] == [("random", 1), ("alp-gmm", 2)]
    assert [missing.cell.folder_name for missing in found.missing] == ["random-seed-0"]


def test_a_foreign_study_file_is_named(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    chosen.folder.mkdir()
    (chosen.folder / "study.json").write_text("[]")
    with pytest.raises(ValueError, match=r"study.json has no 'checksum': it was written by another"):
        compare(chosen, if_used="resume")
