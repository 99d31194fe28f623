"""Studies survive what happens to studies: kills, damaged files, full disks, hanging workers, diverging students."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.base.checksums import read_checked, write_checked
from teachgym.base.files import read_json, read_state, write_state
from teachgym.study.cells.cell import CellOptions, run_cell
from teachgym.study.cells.finished import RESULT
from teachgym.study.cells.lock import FolderInUseError, alone_in
from teachgym.study.compare import compare
from teachgym.study.executors.runner import RunOptions, run_cells
from teachgym.study.replay import differences, replay
from teachgym.study.results.stored import load_study
from teachgym.study.settings import Cell, StudySettings
from tests.study import toy_study
from tests.study.forgery import forge_manifest
from tests.study.killer import check_kills
from tests.study.test_compare import Diary
from tests.waiting import wait_for

PPO = (
    "ppo,slots=4,rollout_steps=64,batch_size=64,epochs=2,hidden=[16],learning_rate=3e-4,desired_kl=None,discount=0.999,"
    "gae_lambda=0.95,log_std_final=None,discount_final=None,averaging=0.0"
)
SAC = "sac,hidden=[32],batch_size=50,random_steps=500,buffer_size=2000"
TRACKS = "StumpTracks,max_stump_height=0.3"
HALFWAY = CellOptions(checkpoint_seconds=0.0)


def cell(env: str = toy_study.ENV, teacher: str = "alp-gmm", student: str = toy_study.QUICK, **more: Any) -> Cell:
    plain: dict[str, Any] = {"seed": 1, "budget": 300, "evaluations": 3}
    return Cell(env=env, teacher=teacher, student=student, **{**plain, **more})


@pytest.fixture(autouse=True)
def checkpoints_as_often_as_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.study.cells.cell._WRITING_SHARE", 0)


class Stop(BaseException):
    """What ends a run at a chosen step."""


def run_until(settings: Cell, folder: Path, steps: int, options: CellOptions = HALFWAY) -> None:
    def report(progress: Any) -> None:
        if progress.spent >= steps:
            raise Stop

    with pytest.raises(Stop):
        run_cell(settings, folder, report, options)


def run_to_end(settings: Cell, folder: Path, options: CellOptions = HALFWAY) -> list[int]:
    """Where it was after each decision."""
    steps: list[int] = []
    run_cell(settings, folder, lambda progress: steps.append(progress.spent), options)
    return steps


@pytest.mark.slow
def test_workers_killed_at_random_moments_leave_what_an_undisturbed_study_leaves(tmp_path: Path) -> None:
    cells = [
        cell(TRACKS, "alp-gmm,fit_every=5", PPO, budget=6_000),
        cell(TRACKS, "plr,capacity=20", SAC, budget=2_500),
    ]
    killer = check_kills(cells, tmp_path, kills=8, longest=0.5, seed=0)
    assert len(killer.killed) >= 6
    assert len(set(killer.killed)) >= 3, "kills came at different steps"


def test_a_study_whose_own_process_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    student = f"{toy_study.WAITING},gate={gate}"
    chosen = StudySettings(
        env=toy_study.ENV,
        student=student,
        teachers=("random",),
        seeds=1,
        budget=300,
        evaluations=3,
        runs=tmp_path / "killed",
        name="study",
        checkpoint_seconds=0.05,
    )
    words = ["--env", chosen.env, "--student", student, "--teachers", "random", "--seeds", "1"]
    words += ["--budget", "300", "--evaluations", "3", "--checkpoint-seconds", "0.05"]
    words += ["--runs", str(chosen.runs), "--name", "study"]
    command = [sys.executable, "-m", "teachgym.cli", "compare", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = chosen.folder / "cells" / "random-seed-0"
    second = folder / "checkpoints" / "000002.npz"
    wait_for(second.exists, while_running=lambda: process.poll() is None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / RESULT).exists()
    with alone_in(folder, patience=300):  # the worker has noticed, and let go
        newest = sorted((folder / "checkpoints").iterdir())[-1]
    gate.touch()
    found = compare(chosen, if_used="resume")
    assert not found.stored.missing
    assert f"going on from {newest.name}" in (folder / "log.txt").read_text()
    assert [run["from_step"] > 0 for run in read_json(folder / "provenance.json")] == [False, True]
    assert len(found.stored.provenance) == 2
    again = StudySettings(**{**vars(chosen), "runs": tmp_path / "whole"})
    compare(again)
    assert list(differences(folder, again.folder / "cells" / "random-seed-0")) == []


@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by a shell")
@pytest.mark.parametrize("closed", ["2>&-", "0<&- >&- 2>&-"])
def test_a_study_runs_where_the_streams_are_closed(closed: str, tmp_path: Path) -> None:
    words = ["--env", "Hypercubes,budget=30", "--teachers", "random", "--seeds", "1", "--workers", "1"]
    words += ["--runs", str(tmp_path), "--name", "study"]
    command = shlex.join([sys.executable, "-m", "teachgym.cli", "compare", *words])
    done = subprocess.run(["sh", "-c", f"exec {command} {closed}"], stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert (tmp_path / "study" / "cells" / "random-seed-0" / RESULT).exists()


def test_what_is_gone_on_from_is_not_done_twice(tmp_path: Path) -> None:
    settings = cell(TRACKS, "random", PPO, budget=4_000)
    whole = run_to_end(settings, tmp_path / "whole", CellOptions(checkpoint_seconds=float("inf")))
    run_until(settings, tmp_path / "parts", 2_000)
    assert len(list((tmp_path / "parts" / "checkpoints").iterdir())) == 2
    rest = run_to_end(settings, tmp_path / "parts")
    assert rest == whole[len(whole) - len(rest) :]
    assert 1_500 < rest[0] < 3_000
    assert list(differences(tmp_path / "whole", tmp_path / "parts")) == []


@pytest.mark.parametrize("damage", ["truncated", "corrupted", "empty", "foreign", "swapped"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = cell()
    run_to_end(settings, tmp_path / "whole")
    run_until(settings, tmp_path / "parts", 200)
    older, newest = sorted((tmp_path / "parts" / "checkpoints").iterdir())
    content = bytearray(newest.read_bytes())
    if damage == "truncated":
        newest.write_bytes(content[:-100])
    elif damage == "corrupted":
        content[len(content) // 2] ^= 1
        newest.write_bytes(content)
    elif damage == "empty":
        newest.write_bytes(b"")
    elif damage == "foreign":
        newest.write_text("#!/bin/sh\n")
    else:
        other = cell(seed=2)
        run_until(other, tmp_path / "other", 200)
        shutil.copy(sorted((tmp_path / "other" / "checkpoints").iterdir())[-1], newest)
    capsys.readouterr()
    run_to_end(settings, tmp_path / "parts")
    said = capsys.readouterr().out
    assert f"{newest.name} can't be gone on from" in said
    assert f"going on from {older.name}" in said
    assert list(differences(tmp_path / "whole", tmp_path / "parts")) == []


def test_with_no_good_checkpoint_a_cell_begins_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = cell()
    run_to_end(settings, tmp_path / "whole")
    run_until(settings, tmp_path / "parts", 200)
    for path in (tmp_path / "parts" / "checkpoints").iterdir():
        path.write_bytes(b"PK")
    steps = run_to_end(settings, tmp_path / "parts")
    assert steps[0] < 50
    assert capsys.readouterr().out.count("can't be gone on from") == 2
    assert list(differences(tmp_path / "whole", tmp_path / "parts")) == []


def test_any_single_changed_byte_of_a_state_is_noticed_or_harmless(tmp_path: Path) -> None:
    state = {"weights": np.arange(5.0), "step": 7, "name": "x"}
    path = tmp_path / "state.npz"
    write_state(path, state, compressed=False)
    content = path.read_bytes()
    noticed = 0
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = read_state(path)
        except ValueError:
            noticed += 1
        else:
            assert found.keys() == state.keys()
            assert found["weights"].tolist() == [0, 1, 2, 3, 4]
            assert (found["step"], found["name"]) == (7, "x")
    assert noticed > len(content) / 2


def test_damaged_files_of_a_finished_cell_are_named_and_it_is_run_again(tmp_path: Path) -> None:
    chosen = StudySettings(
        env=toy_study.ENV,
        student=toy_study.QUICK,
        teachers=("random",),
        seeds=2,
        budget=300,
        evaluations=3,
        runs=tmp_path,
        name="study",
    )
    compare(chosen)
    folder = chosen.folder / "cells" / "random-seed-0"
    shutil.copytree(folder, tmp_path / "before")
    for name in ("episodes.npz", "result.json", "cell.json"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        missing = load_study(chosen.folder).missing
        assert [one.cell.seed for one in missing] == [0]
        assert name in missing[0].reason
        diary = Diary()
        found = compare(chosen, if_used="resume", observer=diary)
        assert diary.lines == ["started random-seed-0", "finished random-seed-0"]
        assert not found.stored.missing
        assert list(differences(tmp_path / "before", folder)) == []


class Payload:
    """What a hostile file would have its reader do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_reading_a_study_of_somebody_else_runs_nothing(tmp_path: Path) -> None:
    chosen = StudySettings(
        env=toy_study.ENV, student=toy_study.QUICK, teachers=("random",), seeds=1, budget=300, runs=tmp_path
    )
    compare(chosen)
    trap = tmp_path / "executed"
    hostile = np.array([Payload(trap)], dtype=object)
    for name in ("episodes.npz", "evaluations.npz"):
        path = chosen.folder / "cells" / "random-seed-0" / name
        np.savez(path, tasks=hostile, returns=hostile, outcomes=hostile)
        forge_manifest(path.parent)
        study = load_study(chosen.folder)
        assert "damaged" in study.missing[0].reason
    entries = read_checked(chosen.folder / "study.json")
    entries["cells"][0]["env"] = "antigravity:evil/Env-v0"
    write_checked(chosen.folder / "study.json", entries)
    load_study(chosen.folder)
    assert "antigravity" not in sys.modules
    assert not trap.exists()
    np.load(path, allow_pickle=True)["tasks"]
    assert trap.exists(), "the trap would have worked"


def test_a_run_that_can_not_be_stored_is_run_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("teachgym.core.loop.Teaching.state_dict", lambda self: {"what": object()})
    assert run_to_end(cell(), tmp_path)[-1] == 300
    assert capsys.readouterr().out.count("this run can't be stored") == 1
    assert not list(tmp_path.glob("checkpoints/*"))


def test_one_process_at_a_time_runs_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.study.cells.cell._PATIENCE", 0.2)
    holder = "import sys, time; from pathlib import Path; from teachgym.study.cells.lock import alone_in\n"
    holder += "with alone_in(Path(sys.argv[1]), patience=0):\n    print('held', flush=True)\n    time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", holder, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            with pytest.raises(FolderInUseError, match=f"by process {process.pid} on "):
                run_to_end(cell(), tmp_path)
        finally:
            process.kill()
    assert run_to_end(cell(), tmp_path)[-1] == 300


def run_study(tmp_path: Path, students: list[str], **options: Any) -> tuple[Diary, dict[str, str]]:
    """Cells of several students side by side: the diary, and why each failed."""
    cells = [(cell(student=student), tmp_path / str(number)) for number, student in enumerate(students)]
    diary = Diary()
    run_cells(cells, RunOptions(workers=2, **options), diary)
    failures = {
        name: read_json(tmp_path / name / "failure.json")["reason"]
        for name in map(str, range(len(students)))
        if (tmp_path / name / "failure.json").exists()
    }
    return diary, failures


def test_a_worker_that_hangs_fails_its_own_cell(tmp_path: Path) -> None:
    _, failures = run_study(tmp_path, [toy_study.HANGING, toy_study.QUICK], stalled_after=8.0)
    assert failures.keys() == {"0"}
    assert "no decision for 8 seconds" in failures["0"]
    assert (tmp_path / "1" / RESULT).exists()


def test_a_worker_that_runs_out_of_memory_or_is_killed_fails_its_own_cell(tmp_path: Path) -> None:
    students = [toy_study.GREEDY, toy_study.KILLED, toy_study.QUICK]
    diary, failures = run_study(tmp_path, students, retries=1)
    assert failures.keys() == {"0", "1"}
    assert failures["0"].startswith("MemoryError")
    assert "signal 9, as when memory runs out" in failures["1"]
    assert "(2 times)" in failures["1"]
    assert len([line for line in diary.lines if line.startswith("retried")]) == 1
    assert (tmp_path / "2" / RESULT).exists()


def test_a_student_that_diverges_fails_its_own_cell(tmp_path: Path) -> None:
    diverging = f"{PPO},learning_rate=1e30"
    _, failures = run_study(tmp_path, [diverging, toy_study.QUICK])
    assert failures.keys() == {"0"}
    assert (tmp_path / "1" / RESULT).exists()
    assert "Error" in failures["0"]


def test_weights_that_are_not_finite_are_a_failure(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r"student/weights/w has numbers that are not finite"):
        run_to_end(cell(student="tests.study.toy_study:NotANumberStudent"), tmp_path)


def test_a_full_disk_fails_the_cell_and_keeps_its_last_checkpoint(tmp_path: Path) -> None:
    """The kernel itself refuses to write more than a file may have."""
    _, failures = run_study(tmp_path, [toy_study.FULL_DISK, toy_study.QUICK], cell=HALFWAY)
    assert failures.keys() == {"0"}
    assert "File too large" in failures["0"]
    assert (tmp_path / "1" / RESULT).exists()
    assert not list((tmp_path / "0").rglob(".*"))
    kept = sorted((tmp_path / "0" / "checkpoints").iterdir())
    assert kept
    assert all(read_state(path)["teaching"] for path in kept)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_folder_that_can_not_be_written_fails_its_own_cell(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0").chmod(0o500)
    diary = Diary()
    run_cells([(cell(), tmp_path / "0"), (cell(), tmp_path / "1")], RunOptions(workers=1), diary)
    assert (tmp_path / "1" / RESULT).exists()
    assert any(line.startswith("failed") and "Permission" in line for line in diary.lines)


def test_a_folder_that_can_not_be_made_fails_its_own_cell(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    diary = Diary()
    cells = [(cell(), tmp_path / "file" / "0"), (cell(seed=2), tmp_path / "1")]
    run_cells(cells, RunOptions(workers=1), diary)
    assert (tmp_path / "1" / RESULT).exists()
    assert any("can't be made" in line for line in diary.lines)


def test_a_replay_is_equal_and_tells_what_is_not(tmp_path: Path) -> None:
    settings = cell(TRACKS, "random", PPO, budget=2_000)
    run_cells([(settings, tmp_path / "cell")], RunOptions(workers=1), Diary())
    assert replay(tmp_path / "cell").differences == []
    student = read_state(tmp_path / "cell" / "student.npz")
    name = next(iter(student["weights"]))
    student["weights"][name].ravel()[0] += 1e-7
    write_state(tmp_path / "cell" / "student.npz", student)
    forge_manifest(tmp_path / "cell")  # as if the run itself had given this student
    found = replay(tmp_path / "cell")
    assert len(found.differences) == 1
    assert f"student.npz, weights, {name} differs from number 0 on" in found.differences[0]
    with pytest.raises(ValueError, match="no finished cell"):
        replay(tmp_path)
