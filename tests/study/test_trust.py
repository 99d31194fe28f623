"""Whatever comes from a folder or file does nothing beyond teachgym's own code until the user says that it may."""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.agents.learned.trained_policy import POLICY, TrainedPolicy
from teachgym.base.checksums import write_manifest
from teachgym.base.files import read_state, write_state
from teachgym.cli import main
from teachgym.core.record import EPISODES, EVALUATIONS, SAMPLING, Record
from teachgym.study import study_file
from teachgym.study.cells.cell import PROVENANCE, SETTINGS, STUDENT, TEACHER, run_cell
from teachgym.study.cells.finished import RESULT, Result, finish
from teachgym.study.settings import Cell, StudySettings
from teachgym.study.trust import check_cell, check_links, check_study

CANARY, KEY = "canary_module", "CANARY_KEY"
OWN = Cell("SkillList", "uniform", "simulated", 0, 60, 1, subject="digits")
HARD = json.dumps({"model": "m", "base_url": "URL", "api_key_env": KEY}, separators=(",", ":"))
NESTED = f'SkillList,engine=weak-then-strong,engine_settings={{"strong":"language-model","strong_settings":{HARD}}}'
ENGINE = "teachgym.envs.data.engines.language_model_engine:LanguageModelEngine"
HOSTILE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "environment": ({"env": f"{CANARY}:a/B-v0"}, [f"import {CANARY}:a/B-v0"]),
    "world": ({"env": f"TaskTeaching,world={CANARY}:a/B-v0"}, [f"import {CANARY}:a/B-v0"]),
    "registered world": ({"env": "TaskTeaching,world=CartPole"}, ["import gymnasium.envs.classic_control"]),
    "student": ({"student": f"{CANARY}:Student"}, [f"import {CANARY}:Student"]),
    "subject": ({"subject": f"{CANARY} : Task"}, [f"import {CANARY} : Task"]),
    "engine": ({"env": f"SkillList,engine={CANARY}:Engine"}, [f"import {CANARY}:Engine"]),
    "discovery": ({"env": f"SkillList,discovery={CANARY}:Discovery"}, [f"import {CANARY}:Discovery"]),
    "engine in an engine": ({"env": NESTED}, ["call URL", f"read the environment variable {KEY}"]),
    "engine by default": (
        {"env": 'SkillList,engine=language-model,engine_settings={"model":"m"}'},
        ["call http://127.0.0.1:8000/v1", "read the environment variable OPENAI_API_KEY"],
    ),
    "engine by its path": (
        {"env": f"SkillList,engine={ENGINE}"},
        ["call http://127.0.0.1:8000/v1", "read the environment variable OPENAI_API_KEY"],
    ),
    "download": ({"student": "causal-lm,path=some/model,allow_download=true"}, ["download from the Hugging Face hub"]),
    "absolute path": ({"subject": "math-benchmark,path=/elsewhere/data"}, ["use files at /elsewhere/data"]),
    "path upwards": ({"subject": "math-benchmark,path=a/../../data"}, ["use files at a/../../data"]),
    "path by a link": ({"subject": "math-benchmark,path=link/data"}, ["use files at link/data"]),
}
HOSTILE_TEACHERS: dict[str, tuple[str, list[str]]] = {
    "teacher": (f"{CANARY}:Teacher", [f"import {CANARY}:Teacher"]),
    "command line": ("teachgym.cli.__main__:main", ["import teachgym.cli.__main__:main"]),
    "language model": (
        f"language-model,model=m,base_url=URL,api_key_env={KEY}",
        ["call URL", f"read the environment variable {KEY}"],
    ),
    "policy": ("policy,path=../policy", ["use files at ../policy"]),
}


@dataclass
class Watched:
    """A place with a module, a host and a variable that nobody may touch."""

    url: str
    listening: socket.socket
    mark: Path
    """Written when the module is imported."""
    read: list[str] = field(default_factory=list)
    """Environment variables that were read."""

    def filled(self, text: str) -> str:
        """A text with the host in it."""
        return text.replace("URL", self.url)

    def touched(self) -> list[str]:
        """What was touched, of module, host and variables."""
        try:
            self.listening.accept()[0].close()
            called = ["host"]
        except BlockingIOError:
            called = []
        return called + ["module"] * self.mark.exists() + [name for name in self.read if name.endswith("_KEY")]


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    here, mark = tmp_path / "here", tmp_path / "imported"
    here.mkdir()
    (tmp_path / "outside").mkdir()
    (here / "link").symlink_to(tmp_path / "outside")
    (here / f"{CANARY}.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    (here / f"{CANARY} .py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.setenv(KEY, "a-secret-of-many-letters")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        found = Watched(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", listening, mark)
        look_up = os._Environ.__getitem__

        def noting(self: Any, name: Any) -> Any:
            found.read.append(os.fsdecode(name))
            return look_up(self, name)

        monkeypatch.setattr(os._Environ, "__getitem__", noting)
        yield found


def write_cell(folder: Path, cell: Cell) -> Path:
    """A folder that looks like a finished cell."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SETTINGS).write_text(json.dumps(cell.to_json()))
    (folder / PROVENANCE).write_text('[{"versions": {}, "machine": {}}]')
    for name in (STUDENT, TEACHER):
        write_state(folder / name, {"weights": np.zeros(2)})
    Record().save(folder)
    finish(folder, Result(60, 6, 1.0, 1.0, 1.0, 1.0), [SETTINGS, PROVENANCE, STUDENT, TEACHER])
    return folder


@pytest.mark.parametrize("kind", HOSTILE)
def test_evaluate_watch_and_replay_ask_first(kind: str, watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    changes, told = HOSTILE[kind]
    written: dict[str, Any] = {name: watched.filled(text) for name, text in changes.items()}
    folder = write_cell(Path("cell"), replace(OWN, **written))
    for command in ("evaluate", "watch", "replay"):
        assert main([command, str(folder)]) == 2
        printed = capsys.readouterr().err
        for words in ("cell may be somebody else's", *map(watched.filled, told), "--trust"):
            assert words in printed
    assert watched.touched() == []


@pytest.mark.parametrize("kind", HOSTILE_TEACHERS)
def test_replay_asks_for_the_teacher_too(kind: str, watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    teacher, told = HOSTILE_TEACHERS[kind]
    folder = write_cell(Path("cell"), replace(OWN, teacher=watched.filled(teacher)))
    assert main(["replay", str(folder)]) == 2
    printed = capsys.readouterr().err
    assert all(watched.filled(words) in printed for words in told)
    assert watched.touched() == []


def test_evaluation_neither_imports_nor_makes_the_teacher(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("cell")
    run_cell(OWN, folder, lambda progress: None)
    assert main(["evaluate", str(folder)]) == 0
    expected = capsys.readouterr().out.partition(":")[2]
    for kind in ("teacher", "language model"):
        teacher = HOSTILE_TEACHERS[kind][0]
        (folder / SETTINGS).write_text(json.dumps(replace(OWN, teacher=watched.filled(teacher)).to_json()))
        write_manifest(folder, [SETTINGS, PROVENANCE, STUDENT, TEACHER, RESULT, EPISODES, EVALUATIONS, SAMPLING])
        assert main(["evaluate", str(folder)]) == 0
        assert expected.splitlines()[-1] in capsys.readouterr().out
    assert watched.touched() == []


def test_with_trust_it_goes_on(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_cell(Path("cell"), replace(OWN, student=f"{CANARY}:Student"))
    assert main(["evaluate", str(folder), "--trust"]) == 2
    assert f"'{CANARY}:Student' can't be imported" in capsys.readouterr().err
    assert watched.touched() == ["module"]


@pytest.mark.parametrize("kind", [*HOSTILE, *HOSTILE_TEACHERS])
def test_a_study_in_a_file_is_asked_for_as_well(
    kind: str, watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, told = HOSTILE[kind] if kind in HOSTILE else ({}, HOSTILE_TEACHERS[kind][1])
    teachers = ("random", watched.filled(HOSTILE_TEACHERS[kind][0])) if kind in HOSTILE_TEACHERS else ("random",)
    written: dict[str, Any] = {name: watched.filled(text) for name, text in changes.items()}
    study_file.write(Path("study.toml"), StudySettings(teachers=teachers, **written))
    for options in ([], ["--dry-run"], ["--resume"]):
        assert main(["compare", "study.toml", *options]) == 2
        printed = capsys.readouterr().err
        assert all(watched.filled(words) in printed for words in ("study.toml may be", *told, "--trust"))
    assert watched.touched() == []
    assert not Path("runs").exists()


def test_what_options_replace_in_a_file_needs_no_trust(watched: Watched) -> None:
    path, hostile = Path("study.toml"), f"{CANARY}:Teacher"
    settings = StudySettings(env=f"{CANARY}:a/B-v0", teachers=("random", hostile))
    study_file.write(path, settings)
    check_study(path, replace(settings, env="Hypercubes", teachers=("riac", "my_module:Mine")), trust=False)
    with pytest.raises(ValueError, match=f"would import {hostile}; if you trust"):
        check_study(path, replace(settings, env="Hypercubes"), trust=False)
    check_study(path, settings, trust=True)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('ray_address = "10.0.0.1:6379"', "hand the study to the Ray cluster at 10.0.0.1:6379"),
        ('trackers = ["wandb"]', "read the environment variable WANDB_API_KEY"),
        ('runs = "../elsewhere"', "write to ../elsewhere/Hypercubes"),
    ],
)
def test_a_file_says_where_it_would_run_and_write(line: str, told: str, watched: Watched) -> None:
    Path("study.toml").write_text(line)
    with pytest.raises(ValueError, match=told):
        check_study(Path("study.toml"), study_file.load("study.toml"), trust=False)


def test_what_comes_with_teachgym_needs_no_trust(watched: Watched) -> None:
    for name in study_file.ready_made():
        check_study(study_file.find(name), study_file.load(name), trust=False)
    for teacher in ("alp-gmm,fit_every=50", "policy,path=runs/my-teacher", "constant,task=[0.5,1.0]"):
        check_cell(Path("cell"), replace(OWN, teacher=teacher, student="transformer,device=cuda:0"), trust=False)


def test_nothing_is_written_through_a_link_that_leads_out_of_a_study(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--env", "Hypercubes,budget=20", "--seeds", "1", "--teachers", "random", "--name", "s"]
    study, victim = Path("runs/s"), Path("../victim").resolve()
    victim.write_text("mine")
    log = study / "cells" / "random-seed-0" / "log.txt"
    log.parent.mkdir(parents=True)
    log.symlink_to(victim)
    (study / "study.json").write_text("{}")
    for command in (["compare", *settings, "--resume"], ["report", str(study)]):
        assert main(command) == 2
        printed = capsys.readouterr().err
        assert str(log) in printed
    assert victim.read_text() == "mine"
    log.unlink()
    log.symlink_to(study.resolve() / "study.json")
    check_links(study)


def test_a_stored_policy_names_no_class(watched: Watched) -> None:
    from gymnasium import spaces

    weights = {"a": np.zeros(1, np.float32)}
    TrainedPolicy("SimulatedSkills", "ppo", {}, (3,), spaces.Discrete(2), weights).save(Path("policy"))
    stored = read_state(Path("policy") / POLICY)
    for changes in (
        {"algorithm": f"{CANARY}:Algorithm"},
        {"settings": {"optimizer_class": f"{CANARY}:Optimizer"}},
        {"settings": {"features_extractor_class": f"{CANARY}:Extractor"}},
        {"settings": {"activation_fn": f"{CANARY}:Activation"}},
    ):
        write_state(Path("policy") / POLICY, {**stored, **changes})
        with pytest.raises(ValueError, match="unknown"):
            TrainedPolicy.load(Path("policy")).network()
    assert watched.touched() == []
