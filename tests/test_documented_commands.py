"""Every command in the README, the documents and the help texts works, page by page and in the order of the page."""

import importlib.util
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tyro

from teachgym.base.named_settings import NamedSettings
from teachgym.cli import Command, main
from teachgym.cli.compare import Compare
from teachgym.cli.train import Train
from teachgym.core.evaluation import Evaluation
from teachgym.study.cells.cell import run_cell
from teachgym.study.executors.runner import Observer, RunOptions
from teachgym.study.settings import Cell
from teachgym.worlds.evaluate import evaluate

ROOT = Path(__file__).parent.parent
BUDGETS = {
    "StumpTracks": ["--budget", "300"],
    "HexagonTracks": ["--budget", "300"],
    "Hypercubes": ["--env", "Hypercubes,budget=100"],
    "SkillList": ["--budget", "36", "--student", "simulated"],
    "SkillTree": ["--budget", "36", "--student", "simulated"],
    "throwing:throwing/ThrowTeaching-v0": ["--budget", "100"],
}
"""Budgets and students in place of those that are written; other environments take seconds as they are."""
SMALLER = {
    "suite": ["--seeds", "1", "--envs", "SelfDistillation", "--teachers", "random"],
    "watch": ["--max-steps", "4"],
}
"""What is put behind other commands; ``compare`` gets one seed and one test, and ``train`` a short rollout."""
PLANNED = {
    "--executor ray": "needs a cluster, or starts one: tests/study/executors/test_ray_executor.py does",
    "language-model": "needs an endpoint: tests/envs and tests/agents have one that answers by a function",
    "stump-tracks-paper": "takes a cluster days",
    "teachers/results.md: ": "are studies of up to an hour, whose results are committed",
    "studies/": "are studies of hours, whose results are committed",
}
"""Parts of commands, or pages, that are not run but planned, with the reason: all that they name is made once."""
READ = {
    "make ": "installs, and runs what has tests of its own",
    "=models/": "needs a model of a gigabyte, and a GPU: tests/test_docs.py runs such code with a tiny one",
    "runs/stump-tracks-paper": "reports a study that takes a cluster days",
    "hf download": "downloads a model",
    "vllm serve": "is a server",
    "llama-server": "is a server",
    "tests.benchmarks": "is a benchmark, run by hand",
}
"""Commands that are only read, with the reason."""
MODULES = {
    "tutorial.md": "ladder",
    "how_to/world.md": "throwing",
    "how_to/problem.md": "descending",
}
"""The module that a page has its reader write, out of its Python blocks."""
PAGES = {"README.md": ROOT / "README.md"} | {
    str(path.relative_to(ROOT / "docs")): path for path in sorted((ROOT / "docs").rglob("*.md"))
}
DEMO = re.findall(r"\$\(BIN\)/(teachgym .*)", (ROOT / "Makefile").read_text())
CLUSTER = {
    "srun": 'while [[ $1 == -* ]]; do [[ $1 == -w || $1 == -x ]] && shift; shift; done; "$@"',
    "scontrol": "echo node-1",
    "ray": "",
    "sleep": "",
    "teachgym": 'printf "%q " "$0" "$@" >> "$COMMANDS"; echo >> "$COMMANDS"',
}
"""What stands in for the programs of a cluster; ours notes how it was called."""


def blocks(page: str, kind: str) -> list[str]:
    """The code blocks of a page that are in this language."""
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGES[page].read_text(), re.MULTILINE | re.DOTALL)


def written(page: str) -> list[str]:
    """The commands of a page, each in one line."""
    return [line for code in blocks(page, "sh") for line in code.replace("\\\n", "").splitlines()]


def commands(page: str) -> list[str]:
    """Those that are run."""
    return [line for line in written(page) if not any(part in line for part in READ)]


def examples() -> set[str]:
    """The folders that help texts and errors give as examples; all are of the demo."""
    rooms = [ROOT / "teachgym" / room for room in ("cli", "study", "report")]
    code = "\n".join(path.read_text() for room in rooms for path in room.glob("*.py"))
    return set(re.findall(r"runs/demo[\w/=-]*", code))


def run(command: str, page: str = "") -> None:
    """Run a command of ours, which stands on this page, with a small budget."""
    program, *arguments = shlex.split(command)
    assert program == "teachgym", f"{command} is not ours; run it, or say in READ why not"
    if arguments[0] == "compare":
        arguments += small(arguments[1:], plan=any(part in f"{page}: {command}" for part in PLANNED))
    elif arguments[0] == "train":
        algorithm = tyro.cli(Train, args=arguments[1:], config=(tyro.conf.FlagCreatePairsOff,)).algorithm
        arguments += ["--steps", "64", "--algorithm", f"{algorithm},n_steps=64,batch_size=64"]
    arguments += SMALLER.get(arguments[0], [])
    assert main(arguments) == 0, command


def small(options: Sequence[str], *, plan: bool) -> list[str]:
    """Options that make a study of these ones small, in the folder that it would have had."""
    config = (tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    if options and not options[0].startswith("-"):
        written = tyro.cli(Compare, args=options[1:], default=Compare.from_study(options[0]), config=config)
    else:
        written = tyro.cli(Compare, args=options, config=config)
    if plan or written.dry_run:
        return ["--dry-run"]
    budget = BUDGETS.get(NamedSettings.parse(written.env).name, [])
    return [*budget, "--seeds", "1", "--evaluations", "1", "--name", written.folder.name]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of somebody who follows a page.

    Cells run in this process, dry runs time none, walkers are tested on two tracks, and nothing is drawn but films.
    """

    def in_this_process(cells: Sequence[tuple[Cell, Path]], options: RunOptions, observer: Observer) -> None:
        for cell, folder in cells:
            observer.started(cell)
            run_cell(cell, folder, lambda progress: None)
            observer.finished(cell)

    def on_two(policy: Any, make_batch: Any, tasks: Any, **settings: Any) -> Evaluation:
        return evaluate(policy, make_batch, tasks[:2], **settings)

    for module in ("compare", "replay"):
        monkeypatch.setattr(f"teachgym.study.{module}.run_cells", in_this_process)
    monkeypatch.setattr(
        "teachgym.study.dry_run._timed", lambda cells, _: dict.fromkeys((c.teacher for c in cells), 1.0)
    )
    monkeypatch.setattr("teachgym.envs.tasks.task_lifetime.evaluate", on_two)
    for drawings in ("overall_drawings", "study_drawings"):
        monkeypatch.setattr(f"teachgym.report.write.{drawings}", lambda *given, **named: ())
    monkeypatch.setattr("teachgym.report.write.score_drawing", lambda *given: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_the_commands_of_a_page_work_one_after_the_other(page: str, reader: Path) -> None:
    if page in MODULES:
        code = next(code for code in blocks(page, "python") if "class " in code and "check_" in code)
        classes = code[: code.index("\ncheck_")]
        registered = re.findall(r"^register_\w+\((?:.*\)$|(?s:.*?)^\))", code, re.MULTILINE)
        (reader / f"{MODULES[page]}.py").write_text("\n".join([classes, *registered]))
    for code in blocks(page, "toml"):
        (reader / "study.toml").write_text(code)
    if page == "how_to/resume.md":
        for command in DEMO:
            run(command)
    for command in commands(page):
        run(command, page)
    if page == "how_to/resume.md":
        folders = {path.name for path in (reader / "runs" / "demo" / "cells").iterdir()}
        assert folders == {"random-seed-0", "adr-seed-0"}
        assert [path for path in examples() if not (reader / path).exists()] == []


@pytest.mark.parametrize("command", [Compare, Train])
def test_the_options_that_help_shows_work(command: type[Compare] | type[Train], reader: Path) -> None:
    shown = " ".join((command.__doc__ or "").split())
    options = re.findall(r"(--\w.*?)\.(?: |$)", shown)[0]
    run(f"teachgym {command.__name__.lower()} {options}")


def test_commands_that_are_only_read_are_well_formed() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    only_read = [line for page in PAGES for line in written(page) if line not in commands(page)]
    for command in only_read:
        program, *arguments = shlex.split(command)
        if program == "teachgym":
            tyro.cli(Command, args=arguments, config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes))
        elif program == "make":
            assert arguments[0] in targets
        elif "python" in command:
            assert importlib.util.find_spec(arguments[arguments.index("-m") + 1]) is not None, command
        else:
            assert program in ("vllm", "llama-server", "hf"), f"{command} is neither ours nor that of a model server"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "bash")])
def test_the_scripts_of_a_page_run_on_a_pretended_cluster(page: str, reader: Path) -> None:
    for program, code in CLUSTER.items():
        (reader / program).write_text(f"#!/bin/bash\n{code}\n")
        (reader / program).chmod(0o755)
    told = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_JOB_NODELIST": "node-[1-4]", "COMMANDS": str(reader / "commands.txt")}
    environment = {**os.environ, **told, "HOME": str(reader), "PATH": f"{reader}:{os.environ['PATH']}"}
    scripts = blocks(page, "bash")
    for script in scripts:
        done = subprocess.run(["bash", "-eu"], input=script, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    called = (reader / "commands.txt").read_text().splitlines()
    assert len(called) == len(scripts)
    for command in called:
        run(command.replace(str(reader / "teachgym"), "teachgym"), page)


def test_what_is_not_run_is_there() -> None:
    every = "\n".join(f"{page}: {path.read_text()}" for page, path in PAGES.items())
    assert [part for part in (*PLANNED, *READ) if part not in every] == []
