"""Two commands on one study lose no work of each other, and a command says what it found in its folder."""

import io
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest
from rich.console import Console

from teachgym.base.files import read_json
from teachgym.cli import main
from teachgym.cli.dashboard import Dashboard
from teachgym.study.cells.cell import run_cell
from teachgym.study.cells.finished import RESULT, is_finished
from teachgym.study.cells.lock import LOCK, FolderInUseError, alone_in, together_in
from teachgym.study.compare import compare
from teachgym.study.results.stored import load_study
from tests.study import toy_study
from tests.study.cells.test_damaged_cells import run_here, settings
from tests.study.test_compare import Diary
from tests.study.test_interruptions import cell

ME = rf"process {os.getpid()} on .*, since \d{{4}}-"


def test_a_cell_that_another_process_finishes_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    run_cell(cell(), tmp_path / "other", lambda progress: None)
    folder, decisions = tmp_path / "cell", list[object]()
    folder.mkdir()

    def second() -> None:
        run_cell(cell(), folder, decisions.append)

    with alone_in(folder, patience=0.0):
        thread = threading.Thread(target=second)  # waits for the lock
        thread.start()
        shutil.copytree(tmp_path / "other", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(LOCK))
    thread.join()
    assert decisions == []
    assert (folder / RESULT).read_bytes() == (tmp_path / "other" / RESULT).read_bytes()
    assert is_finished(folder)


def test_who_runs_a_cell_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.study.cells.cell._PATIENCE", 0.0)
    with alone_in(tmp_path, patience=0.0), pytest.raises(FolderInUseError, match=f"worked in by {ME}"):
        run_cell(cell(), tmp_path, lambda progress: None)
    assert (tmp_path / LOCK).read_text() == ""


def test_a_lock_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("years of work")
    (tmp_path / LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"), alone_in(tmp_path, patience=0.0):
        pass
    assert (tmp_path / "precious").read_text() == "years of work"


def test_a_study_that_another_process_runs_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.study.compare.run_cells", run_here)
    chosen = settings(tmp_path, student=toy_study.QUICK, seeds=1)
    compare(chosen)
    with together_in(chosen.folder):
        with pytest.raises(ValueError, match=f"worked in by {ME}.*; wait for it, or choose another --name"):
            compare(chosen, if_used="overwrite")
        assert not load_study(chosen.folder).missing
        compare(chosen, if_used="resume")  # others may run cells of it
    (chosen.folder / "stale").touch()
    compare(chosen, if_used="overwrite")
    assert not (chosen.folder / "stale").exists()


def test_a_study_that_another_version_resumes_says_so_and_records_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teachgym.study.compare.run_cells", run_here)
    chosen = settings(tmp_path, student=toy_study.QUICK, seeds=1)
    compare(chosen)
    notes: list[str] = []

    class Listener(Diary):
        def noted(self, line: str) -> None:
            notes.append(line)

    compare(chosen, if_used="resume", observer=Listener())
    assert notes == []
    for module in ("compare", "cells.cell", "cells.provenance"):
        monkeypatch.setattr(f"teachgym.study.{module}.__version__", "9.9.9")
    more = settings(tmp_path, student=toy_study.QUICK, seeds=2)
    found = compare(more, if_used="resume", observer=Listener())
    (note,) = notes
    assert "has run this study so far, and 9.9.9 goes on with it" in note
    versions = found.stored.versions
    assert versions == [versions[0], "9.9.9"]
    assert found.comparison is not None
    assert any(f"({versions[0]}, 9.9.9)" in caution for caution in found.comparison.cautions)
    cells = [chosen.folder / "cells" / one.folder_name / "provenance.json" for one in more.grid()]
    assert [read_json(path)[-1]["versions"]["teachgym"] for path in cells] == versions


def test_cells_that_were_finished_before_are_counted_and_take_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teachgym.study.compare.run_cells", run_here)
    compare(settings(tmp_path, student=toy_study.QUICK, seeds=3))
    more = settings(tmp_path, student=toy_study.QUICK, seeds=4)
    console = Console(width=160, record=True, file=io.StringIO())
    with Dashboard(console, more) as dashboard:
        compare(more, if_used="resume", observer=dashboard)
        console.print(dashboard)
        said = " ".join(console.export_text().split())
    assert "3/4 finished before" in said
    assert "4/4 alp-gmm,fit_every=10 seed 3 done" in said
    assert "4 of 4 cells" in said


def test_a_study_of_a_teacher_in_the_current_folder_runs_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my_ladder.py").write_text(
        "from teachgym.agents.handmade.random import Random\n\n\nclass Ladder(Random):\n    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("teachgym.report.write.write_report", lambda folders: Path("report"))  # takes its time
    paths = [*sys.path]
    words = ["compare", "--env", toy_study.ENV, "--student", toy_study.QUICK, "--seeds", "1", "--budget", "60"]
    words += ["--evaluations", "1", "--name", "s", "--trackers", "--teachers"]
    assert main([*words, "my_ladder:Ladder"]) == 0
    assert is_finished(tmp_path / "runs" / "s" / "cells" / "my_ladder_Ladder-seed-0")
    assert sys.path == paths
    capsys.readouterr()
    assert main([*words, "no_such_module:Ladder"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "teacher 'no_such_module:Ladder' can't be imported: No module named 'no_such_module'" in said
    assert f"looked in {Path(paths[0]).absolute()}" in said
    assert str(tmp_path) in said
    assert main(["compare", "--env", "no_such_module:a/B-v0", *words[3:], "random"]) == 2
    assert str(tmp_path) in " ".join(capsys.readouterr().err.split())


def test_no_command_searches_the_current_folder_for_what_nobody_has_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    searched: list[str] = []

    def run(command: object, console: Console) -> int:
        searched.extend(sys.path)
        return 0

    monkeypatch.setattr("teachgym.cli.list.List.run", run)
    assert main(["list"]) == 0
    assert searched
    assert str(tmp_path) not in searched
    assert "" not in searched


def test_a_teacher_with_long_settings_gets_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.study.compare.run_cells", run_here)
    stage = '{"low":[%g],"high":[%g],"until":"outcome>%d & episodes>5 & success>0.5"}'
    teachers = tuple(
        f"stages,stages=[{','.join(stage % (low / 5, (low + 1) / 5, -level) for low in range(-1, 5))}]"
        for level in (1, 2)
    )
    assert all(len(teacher) > 366 for teacher in teachers)
    chosen = settings(tmp_path, student=toy_study.QUICK, seeds=1, teachers=teachers)
    assert not compare(chosen).stored.missing
    names = {folder.name for folder in (chosen.folder / "cells").iterdir()}
    assert len(names) == 2
    assert all(name.startswith("stages_stages=_") and len(name) < 140 for name in names)


@pytest.mark.parametrize(
    ("changes", "package", "message"),
    [
        ({"trackers": ("wandb",)}, "wandb", r"pip install 'teachgym\[wandb\]'"),
        ({"executor": "ray"}, "ray", r"pip install 'teachgym\[ray\]'"),
    ],
)
def test_a_package_that_is_missing_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], package: str, message: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=message):
        compare(settings(tmp_path, **changes))
    assert not list(tmp_path.iterdir())


def test_ctrl_c_is_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(command: object, console: Console) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("teachgym.cli.list.List.run", interrupt)
    assert main(["list"]) == 130
