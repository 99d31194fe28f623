"""The generated pages are what the code and the committed results make of them."""

import importlib.util
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import tyro

from teachgym.agents import TEACHERS
from teachgym.cli import Command
from teachgym.envs import ENVIRONMENTS, PROBLEMS, WORLDS
from teachgym.study import study_file
from tests.scripts import run_script
from tests.students.supervised.tiny_models import tiny_llama

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
MODELS = "real_models.md"
"""The page whose code needs a model, for which a tiny one stands in."""
PAGES = sorted(path for path in DOCS.rglob("*.md") if path.name != "teachers.md" and "studies" not in path.parts)
BLOCKS = [
    (str(path.relative_to(DOCS)), language, code)
    for path in PAGES
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
]


def test_the_page_of_environments_is_up_to_date() -> None:
    page = runpy.run_path(str(DOCS / "environments.py"))["page"]()
    assert page == (DOCS / "environments.md").read_text(), "run: python docs/environments.py"
    assert page.count("## `teachgym/") == len(WORLDS) + len(ENVIRONMENTS) + len(PROBLEMS)


def test_the_page_of_the_suite_is_up_to_date() -> None:
    page = runpy.run_path(str(DOCS / "suite.py"))["page"]()
    assert page == (DOCS / "suite.md").read_text(), "run: python docs/suite.py"


def test_the_page_of_what_fits_is_up_to_date() -> None:
    page = runpy.run_path(str(DOCS / "fits.py"))["page"]()
    assert page == (DOCS / "fits.md").read_text(), "run: python docs/fits.py"
    assert all(page.count(f"\n| `{name}` |") == 2 for name in TEACHERS)


def test_the_page_of_teachers_is_up_to_date() -> None:
    page = runpy.run_path(str(DOCS / "teachers.py"))["page"]()
    assert page == (DOCS / "teachers.md").read_text(), "run: python docs/teachers.py"
    for name in TEACHERS:
        assert f"### `{name}`" in page


RUN_ALONE = [(page, code) for page, kind, code in BLOCKS if kind == "python" and page != MODELS]


@pytest.mark.parametrize(("page", "code"), RUN_ALONE)
def test_a_python_block_runs_as_a_script(page: str, code: str, tmp_path: Path) -> None:
    run_script(code, tmp_path)


def test_the_blocks_on_real_models_run_with_tiny_ones(tmp_path: Path) -> None:
    """One after the other, on 6 examples, and with room in place of the model's for a short prompt."""
    tiny_llama(tmp_path / "models" / "qwen2.5-0.5b-instruct", positions=1500)
    code = "\n".join(code for page, kind, code in BLOCKS if kind == "python" and page == MODELS)
    for written, small in (("budget=3600", "budget=6, rounds=2"), ('"words"}', '"words", "test_per_skill": 1}')):
        assert written in code
        code = code.replace(written, small)
    (tmp_path / "script.py").write_text(code)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_link_of_a_page_leads_to_a_file() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)\s#]+)", page.read_text())]
    local = [(page, link) for page, link in links if not link.startswith(("https:", "http:"))]
    assert [f"{page.relative_to(ROOT)}: {link}" for page, link in local if not (page.parent / link).is_file()] == []


def test_commands_are_well_formed() -> None:
    scripts = [code.replace("\\\n", "") for _, kind, code in BLOCKS if kind == "sh"]
    commands = [line for script in scripts for line in script.splitlines()]
    assert len(commands) > 30
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "teachgym":
            tyro.cli(Command, args=arguments, config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes))
        elif "python" in command and "-m" in arguments:
            assert importlib.util.find_spec(arguments[arguments.index("-m") + 1]) is not None, command
        else:
            assert program in ("vllm", "llama-server", "hf"), f"{command} is neither ours nor that of a model server"


def test_shell_scripts_are_well_formed() -> None:
    scripts = [code for _, kind, code in BLOCKS if kind == "bash"]
    assert scripts
    for script in scripts:
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_study_files_are_well_formed(tmp_path: Path) -> None:
    files = [code for _, kind, code in BLOCKS if kind == "toml"]
    assert files
    for code in files:
        (tmp_path / "study.toml").write_text(code)
        assert study_file.load(str(tmp_path / "study.toml")).chosen()


def test_every_kind_of_block_is_tested() -> None:
    assert {kind for _, kind, _ in BLOCKS} <= {"python", "sh", "bash", "toml", "json"}


@pytest.mark.slow
def test_the_site_is_built_without_warnings_and_every_page_is_in_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    assert "not included in the" not in done.stderr, done.stderr
    page = (tmp_path / "site" / "api" / "loop.html").read_text()
    assert "Let a teacher teach one student" in page
    assert not re.search(r'(src|href)="https?://(?!example|github|arxiv)[^"]*\.(js|css|woff2?)"', page)
