"""The layout: three folders, one package."""

import hashlib
import importlib.util
import io
import os
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from setuptools import Distribution, Extension

import teachgym
import teachgym.agents
import teachgym.envs

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENGINE = "teachgym.envs.worlds.bipedal_walker._engine"


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


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """setup.py as a module, with a cache folder of its own."""
    spec = importlib.util.spec_from_file_location("teachgym_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("TEACHGYM_BOX2D_SOURCE", raising=False)
    return module


def test_the_engine_or_the_reason_for_its_absence_is_installed() -> None:
    note = Path(teachgym.envs.__path__[0]) / "bipedal_walker" / "engine_missing.txt"
    assert (importlib.util.find_spec(ENGINE) is None) == note.exists()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_repository_holds_none_of_box2d() -> None:
    """Neither its source, recognised by the copyright line of each file, nor an archive of it."""
    command = ["git", "grep", "--untracked", "--files-with-matches", "--text", "Copyright.*Erin Catt[o]"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (found.returncode, found.stdout, found.stderr) == (1, "", "")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not [name for name in tracked.split() if name.endswith((".gz", ".zip", ".so", ".a", ".o"))]


def test_another_archive_than_the_pinned_one_is_refused(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / build.BOX2D_FILE
    copy.write_bytes(b"something else")
    monkeypatch.setenv("TEACHGYM_BOX2D_SOURCE", str(copy))
    with pytest.raises(ValueError, match=f"{build.BOX2D_FILE} has the SHA-256 .*; expected {build.BOX2D_SHA256}"):
        build.box2d_archive()
    copy.unlink()
    with pytest.raises(ValueError, match=f"TEACHGYM_BOX2D_SOURCE is {copy}; expected the path of a copy"):
        build.box2d_archive()


def test_without_network_the_error_tells_how_to_build(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(RuntimeError, match=r"pip download .* box2d-py==2\.3\.8` and set TEACHGYM_BOX2D_SOURCE"):
        build.box2d_archive()


def test_the_archive_is_downloaded_once_and_again_when_its_copy_is_damaged(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = []

    def download(folder: Path) -> Path:
        downloads.append(folder)
        archive = folder / str(build.BOX2D_FILE)
        archive.write_bytes(b"the archive")
        return archive

    monkeypatch.setattr(build, "download", download)
    monkeypatch.setattr(build, "BOX2D_SHA256", hashlib.sha256(b"the archive").hexdigest())
    assert [build.box2d_archive(), build.box2d_archive()] == [b"the archive"] * 2
    assert len(downloads) == 1
    (tmp_path / "cache" / build.BOX2D_FILE).write_bytes(b"the arch")
    assert [build.box2d_archive(), build.box2d_archive()] == [b"the archive"] * 2
    assert len(downloads) == 2
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [build.BOX2D_FILE]


def test_only_cpp_of_box2d_is_unpacked(build: ModuleType, tmp_path: Path) -> None:
    names = ["setup.py", "LICENSE", "Box2D/Box2D.h", "Box2D/Box2D.i", "Box2D/b2World.cpp", "Box2D/Common/b2Timer.cpp"]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in [*names, "Box2D/../../evil.h"]:
            member = tarfile.TarInfo(f"box2d-py-2.3.8/{name}")
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    assert build.unpack(data.getvalue(), tmp_path / "box2d") == (["Box2D/b2World.cpp"], "LICENSE")
    unpacked = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert unpacked == {"box2d/Box2D/Box2D.h", "box2d/Box2D/b2World.cpp", "box2d/Box2D/Common/b2Timer.cpp"}


def test_no_flag_of_the_environment_changes_what_the_engine_computes(build: ModuleType) -> None:
    harmful = "-O2 -Ofast -march=native -mcpu=native -mavx2 -mfma -ffast-math -funsafe-math-optimizations -flto=auto"
    kept = "c++ -Wall -fPIC -fwrapv -fno-strict-aliasing -isysroot /sdk -arch arm64 -mmacosx-version-min=11.0"
    assert build.exact(f"{kept} {harmful} -ffp-contract=fast".split()) == kept.split()


@pytest.mark.parametrize("mode", ["", "skip", "require"])
def test_a_build_that_fails_leaves_a_note_in_place_of_the_engine_unless_it_is_required(
    build: ModuleType, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("there is no\nC++ compiler")

    monkeypatch.setattr(build.BuildEngine, "compile_engine", fail)
    monkeypatch.setenv("TEACHGYM_ENGINE", mode)
    source = tmp_path / "source"
    source.mkdir()
    extension = Extension(ENGINE, [])
    package = {"teachgym.envs.worlds.bipedal_walker": str(source)}
    command = build.BuildEngine(Distribution({"ext_modules": [extension], "package_dir": package}))
    command.build_lib, command.inplace = str(tmp_path / "built"), True
    command.ensure_finalized()
    library = source / Path(command.get_ext_filename(ENGINE)).name
    library.write_bytes(b"of an older source")
    if mode == "require":
        with pytest.raises(RuntimeError, match="there is no"):
            command.run()
        return
    command.run()
    reason = "TEACHGYM_ENGINE=skip was set when teachgym was installed" if mode else "there is no C++ compiler"
    assert {path.name: path.read_text() for path in source.iterdir()} == {"engine_missing.txt": f"{reason}\n"}
    assert f"fast engine was not built: {reason}. The reference engine serves" in capfd.readouterr().err
