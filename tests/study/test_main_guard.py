"""A script that starts workers, and would be run again by each of them."""

import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from teachgym.study.compare import compare
from teachgym.study.dry_run import dry_run
from teachgym.study.replay import replay
from teachgym.study.results.stored import load_study
from teachgym.study.settings import StudySettings
from teachgym.study.suite import run_suite
from teachgym.study.suite_settings import SuiteSettings
from teachgym.study.train_settings import TrainSettings
from teachgym.study.train_teacher import train_teacher

UNGUARDED = """
from pathlib import Path

import teachgym

settings = teachgym.StudySettings(
    env="Hypercubes,budget=50", teachers=("random",), seeds=1, workers=1, retries=0, name="s"
)
teachgym.compare(settings, if_used="overwrite" if settings.folder.exists() else "refuse")
"""
CALLS: dict[str, Callable[[Path], object]] = {
    "compare": lambda runs: compare(StudySettings(runs=runs)),
    "dry_run": lambda runs: list(dry_run(StudySettings(runs=runs))),
    "replay": replay,
    "run_suite": lambda runs: run_suite(SuiteSettings(runs=runs)),
    "train_teacher": lambda runs: train_teacher(TrainSettings(runs=runs)),
}


def test_a_worker_of_an_unguarded_script_says_so_and_leaves_the_study_alone(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(UNGUARDED)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("the script has no main guard, so that each worker process runs it again") == 1
    missing = load_study(tmp_path / "runs" / "s").missing
    assert [one.reason for one in missing] == [
        "the worker ended with exit code 1 before its cell began, and printed why beside this study's errors"
    ]


@pytest.mark.parametrize("name", CALLS)
def test_whatever_starts_workers_or_writes_refuses_before_it_touches_anything(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(RuntimeError, match="put what it does under 'if __name__ =="):
        CALLS[name](tmp_path)
    assert not list(tmp_path.iterdir())


def test_where_no_worker_can_start_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
        with pytest.raises(RuntimeError, match=r"those of multiprocessing\.Pool are, can't start worker processes"):
            compare(StudySettings(runs=tmp_path))
    script = ModuleType("__main__")
    script.__file__ = "<stdin>"
    monkeypatch.setitem(sys.modules, "__main__", script)
    with pytest.raises(RuntimeError, match="the script is '<stdin>', which is not a file"):
        compare(StudySettings(runs=tmp_path))
    assert not list(tmp_path.iterdir())
