"""The generated pages are what the code and the committed results make of them."""

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

DOCS = Path(__file__).parent.parent / "docs"
RUNNABLE = ("data_generation.md", "sandbox.md")
"""Pages whose code runs as it is, without a model or a server."""
BLOCKS = [
    (page, language, code)
    for page in RUNNABLE
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
]


def test_the_page_of_teachers_is_up_to_date() -> None:
    page = runpy.run_path(str(DOCS / "teachers.py"))["page"]()
    assert page == (DOCS / "teachers.md").read_text(), "run: python docs/teachers.py"
    for name in TEACHERS:
        assert f"### `{name}`" in page


@pytest.mark.parametrize(("page", "code"), [(page, code) for page, kind, code in BLOCKS if kind == "python"])
def test_a_python_block_runs(page: str, code: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error::UserWarning", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_commands_are_well_formed() -> None:
    commands = [line for _, kind, code in BLOCKS if kind == "sh" for line in code.splitlines()]
    assert commands
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "teachgym"
        tyro.cli(Command, args=arguments, config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes))
