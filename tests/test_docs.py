"""The generated pages are what the code and the results make of them; the README's and documents' code runs."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import teachgym
import teachgym.testing
from teachgym.agents import TEACHERS
from teachgym.base.named_settings import NamedSettings
from teachgym.cli.compare import Compare
from teachgym.envs import ENVIRONMENTS, PROBLEMS, WORLDS
from teachgym.study import study_file
from tests.scripts import run_script
from tests.students.supervised.tiny_models import tiny_llama

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
MODELS = "docs/real_models.md"
"""The page whose code needs a model, for which a tiny one stands in."""
PAGES = [ROOT / "README.md", *(path for path in sorted(DOCS.rglob("*.md")) if "studies" not in path.parts)]
BLOCKS = [
    (str(path.relative_to(ROOT)), language, code)
    for path in PAGES
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
]
RUN_ALONE = [(page, code) for page, kind, code in BLOCKS if kind == "python" and page != MODELS]
SMALLER = {
    "budget=20_000)": "budget=2_500)",
    "budget=8_192)": "budget=2_100)",
    "model.learn(4096)": "model.learn(2048)",
}
"""Budgets in blocks, and those that they are run with."""


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


def test_the_pages_of_teachers_are_up_to_date_and_have_every_teacher() -> None:
    pages = runpy.run_path(str(DOCS / "teachers.py"))["pages"]()
    assert {*pages} == {DOCS / "teachers.md", *(DOCS / "teachers").iterdir()}
    for path, page in pages.items():
        assert page == path.read_text(), "run: python docs/teachers.py"
    families = "\n".join(pages.values())
    for name in TEACHERS:
        assert f"## `{name}`\n" in families
        assert f"| [`{name}`](teachers/" in pages[DOCS / "teachers.md"]


@pytest.mark.parametrize(("page", "code"), RUN_ALONE)
def test_a_python_block_runs_as_a_script(page: str, code: str, tmp_path: Path) -> None:
    for written, small in SMALLER.items():
        code = code.replace(written, small)
    run_script(code, tmp_path)


def test_what_blocks_are_run_with_in_place_of_their_budgets_is_in_them() -> None:
    every = "\n".join(code for _, code in RUN_ALONE)
    assert [written for written in SMALLER if written not in every] == []


def test_the_blocks_on_real_models_run_with_tiny_ones(tmp_path: Path) -> None:
    """One after the other, on 6 examples and few questions, with short answers and room for a short prompt."""
    tiny_llama(tmp_path / "models" / "qwen2.5-0.5b-instruct", positions=1500)
    code = "\n".join(code for page, kind, code in BLOCKS if kind == "python" and page == MODELS)
    for written, small in (
        ("budget=3600", "budget=6, rounds=2"),
        ('"words"}', '"words", "test_per_skill": 1, "validation_per_skill": 1}'),
        ('"max_new_tokens": 128', '"max_new_tokens": 2'),
    ):
        assert written in code
        code = code.replace(written, small)
    run_script(code, tmp_path)


def test_the_demo_is_what_the_readme_says_it_is() -> None:
    (study,) = re.findall(r"\$\(BIN\)/teachgym compare (\w+) --resume", (ROOT / "Makefile").read_text())
    demo = Compare.from_study(study)
    assert (demo.name, demo.student, demo.budget, demo.seeds) == ("demo", "ppo", 800_000, 3)
    assert NamedSettings.parse(demo.env).name == "StumpTracks"
    assert NamedSettings.parse(demo.env).settings["max_stump_height"] == 9.0
    assert demo.teachers == ("random", "adr")


def test_every_link_of_a_page_leads_to_a_file_and_a_heading_of_it() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)\s]+)", page.read_text())]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page, link in links
        if not link.startswith(("https:", "http:")) and not _leads_somewhere(page, *link.partition("#")[::2])
    ]
    assert broken == []


def _leads_somewhere(page: Path, file: str, heading: str) -> bool:
    path = page.parent / file if file else page
    if not heading or not path.is_file():
        return path.is_file()
    titles = re.findall(r"^#+ (.*)", path.read_text(), re.MULTILINE)
    return heading in {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_study_files_are_well_formed(tmp_path: Path) -> None:
    files = [code for _, kind, code in BLOCKS if kind == "toml"]
    assert files
    for code in files:
        (tmp_path / "study.toml").write_text(code)
        assert study_file.load(str(tmp_path / "study.toml")).chosen()


def test_every_kind_of_block_is_tested() -> None:
    assert {kind for _, kind, _ in BLOCKS} <= {"python", "sh", "bash", "toml", "json"}


def test_public_names_have_a_place_on_the_pages_of_the_api() -> None:
    shown = re.findall(r"^::: (\S+)", "\n".join(page.read_text() for page in (DOCS / "api").iterdir()), re.MULTILINE)
    public = [*(f"teachgym.{name}" for name in teachgym.__all__)]
    public += [f"teachgym.testing.{name}" for name in teachgym.testing.__all__]
    assert [name for name in public if name not in shown] == []


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
