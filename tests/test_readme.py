"""Every command and code block of the README works as it is written."""

import re
import shlex
from pathlib import Path

import pytest
import tyro

from teachgym.base.named_settings import NamedSettings
from teachgym.cli import Command
from teachgym.cli.compare import Compare
from tests.scripts import run_script

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
COMMANDS = [line for language, code in BLOCKS if language == "sh" for line in code.splitlines()]


@pytest.mark.parametrize("code", PYTHON, ids=[f"block-{i}" for i in range(len(PYTHON))])
def test_a_python_block_runs_as_a_script(code: str, tmp_path: Path) -> None:
    run_script(code, tmp_path)


def test_every_command_is_a_make_target_or_one_of_ours() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert COMMANDS
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program in ("make", "teachgym")
        if program == "make":
            assert arguments[0] in targets
        else:
            tyro.cli(Command, args=arguments, config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes))


def test_the_demo_is_what_the_readme_says_it_is() -> None:
    (study,) = re.findall(r"\$\(BIN\)/teachgym compare (\w+) --resume", (ROOT / "Makefile").read_text())
    demo = Compare.from_study(study)
    assert (demo.name, demo.student, demo.budget, demo.seeds) == ("demo", "ppo", 800_000, 3)
    assert NamedSettings.parse(demo.env).name == "StumpTracks"
    assert NamedSettings.parse(demo.env).settings["max_stump_height"] == 9.0
    assert demo.teachers == ("random", "adr")


def test_the_pictures_of_the_readme_exist() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file()
