"""The layout: three folders, one package."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import teachgym
import teachgym.agents
import teachgym.envs

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def packages_on_disk() -> set[str]:
    found = set()
    for top, name in (
        (ROOT / "teachgym", "teachgym"),
        (ROOT / "envs", "teachgym.envs"),
        (ROOT / "agents", "teachgym.agents"),
    ):
        for init in top.rglob("__init__.py"):
            parts = init.parent.relative_to(top).parts
            if not (top / parts[0]).is_symlink() if parts else True:
                found.add(".".join([name, *parts]))
    return found


def test_the_wheel_holds_every_package() -> None:
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packages_on_disk()


def test_the_version_is_stated_once_and_the_same() -> None:
    assert teachgym.__version__ == PROJECT["project"]["version"]
    assert f"version: {teachgym.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {teachgym.__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", ["envs", "agents"])
def test_the_folders_are_only_importable_as_parts_of_the_package(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True)
    assert f"import teachgym.{name}, not {name}" in done.stderr


def test_files_have_one_path_so_that_breakpoints_hit() -> None:
    for package in (teachgym.envs, teachgym.agents):
        assert list(package.__path__) == [os.path.realpath(folder) for folder in package.__path__]


def test_importing_teachgym_loads_neither_torch_nor_matplotlib() -> None:
    code = "import sys, teachgym; assert not {'torch', 'matplotlib', 'sklearn', 'Box2D'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_everything_that_is_exported_exists() -> None:
    for name in teachgym.__all__:
        assert getattr(teachgym, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        teachgym.missing  # noqa: B018
