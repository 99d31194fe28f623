"""Builds the walker's fast engine, which is optional: where that fails, teachgym installs all the same.

The engine is our C++ in envs/worlds/bipedal_walker/engine and the C++ of Box2D 2.3, which is not part of this
repository: pip fetches it in the source distribution of box2d-py. The rest of the package is in pyproject.toml.

TEACHGYM_ENGINE=require makes a failure fatal, and TEACHGYM_ENGINE=skip does not try.
TEACHGYM_BOX2D_SOURCE is a copy of box2d-py's source distribution, for a build without network.
TEACHGYM_SANITIZE=address,undefined builds with these sanitizers, for a run by hand.
"""

import contextlib
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import files
from pathlib import Path, PurePosixPath

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

BOX2D = "box2d-py==2.3.8"
BOX2D_FILE = "box2d-py-2.3.8.tar.gz"
BOX2D_SHA256 = "bdacfbbc56079bb317548efe49d3d5a86646885cc27f4a2ee97e4b2960921ab7"
BOX2D_LEFT_OUT = {"b2Timer.cpp"}  # engine/timer.cpp takes its place
ENGINE = Path("envs/worlds/bipedal_walker/engine")
WITH_PYTHON = "module.cpp"  # the only one of our sources that knows of Python
NOTE = "engine_missing.txt"  # beside the package's files where there is no engine: why
LICENCES = "engine_licences.txt"

# The engine computes bit for bit what the reference does: plain IEEE operations in the order in which they are
# written, on any processor. Flags of Python's own build or of the environment that would change that are left out.
EXACT = ["-O3", "-std=c++17", "-fno-math-errno", "-ffp-contract=off"]
BOX2D_FLAGS = ["-fno-access-control"]  # our sources take over a part of what b2World::Step does
PYTHON_FLAGS = ["-fno-strict-aliasing"]  # as nanobind wants
INEXACT = re.compile(
    r"-(O.*|g\d?|m(arch|cpu|tune|avx|fma|fpmath).*|flto.*|ffp-contract.*|f(fast|unsafe|finite|associative|reciprocal)-.*)"
)


def cache_folder() -> Path:
    """This user's folder for what teachgym has downloaded."""
    if os.name == "nt":
        parent = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        parent = "~/Library/Caches"
    else:
        parent = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(parent).expanduser() / "teachgym"


def read_archive(path: Path) -> bytes:
    """The bytes of the archive at `path`, if they are the expected ones."""
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != BOX2D_SHA256:
        raise ValueError(f"{path} has the SHA-256 {digest}; expected {BOX2D_SHA256}, that of {BOX2D_FILE}")
    return data


def download(folder: Path) -> Path:
    """Let pip put the archive into `folder`, from wherever this user's pip takes packages."""
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{BOX2D} --hash=sha256:{BOX2D_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-input", "--no-deps", "--no-binary", "box2d-py"]
    # What an outer pip, the one that builds us, tells its children is not meant for this one.
    others = {"PIP_BUILD_TRACKER", "PIP_REQ_TRACKER", "PIP_NO_BUILD_ISOLATION", "PIP_PYTHON"}
    subprocess.run(
        [*command, "--require-hashes", "--requirement", str(pinned), "--dest", str(folder)],
        env={name: value for name, value in os.environ.items() if name not in others},
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return folder / BOX2D_FILE


def box2d_archive() -> bytes:
    """box2d-py's source distribution: the one that TEACHGYM_BOX2D_SOURCE names, the cached one, or a new download."""
    if given := os.environ.get("TEACHGYM_BOX2D_SOURCE"):
        if not Path(given).is_file():
            raise ValueError(f"TEACHGYM_BOX2D_SOURCE is {given}; expected the path of a copy of {BOX2D_FILE}")
        return read_archive(Path(given))
    cached = cache_folder() / BOX2D_FILE
    with contextlib.suppress(OSError, ValueError):  # it is not there, or damaged
        return read_archive(cached)
    with tempfile.TemporaryDirectory() as folder:
        try:
            data = read_archive(download(Path(folder)))
        except (OSError, subprocess.SubprocessError) as error:
            raise RuntimeError(
                "Box2D's source could not be downloaded; without network, get it elsewhere with `pip download --no-deps"
                f" --no-binary box2d-py {BOX2D}` and set TEACHGYM_BOX2D_SOURCE to the file"
            ) from error
    with contextlib.suppress(OSError):  # where there is no place for a cache, the next build downloads again
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cached.parent, delete=False) as part:
            part.write(data)
        os.replace(part.name, cached)
    return data


def unpack(data: bytes, folder: Path) -> tuple[list[str], str]:
    """Write Box2D's C++ into `folder`; return the names of the files to compile, and Box2D's licence."""
    sources, licences = [], []
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            name = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            content = archive.extractfile(member)
            if content is None or ".." in name.parts:
                continue
            if name.name in ("LICENSE", "Box2D-License.txt"):
                licences.append(content.read().decode())
            elif name.parts[0] == "Box2D" and name.suffix in (".h", ".cpp"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content.read())
                if name.suffix == ".cpp" and name.name not in BOX2D_LEFT_OUT:
                    sources.append(str(name))
    return sorted(sources), "\n\n".join(licences)


def nanobind_licences() -> Iterator[str]:
    """The licences of nanobind, which is compiled in as well."""
    for file in files("nanobind") or ():
        if "LICENSE" in file.name:
            yield f"nanobind: {file.read_text(encoding='utf-8')}"


def exact(command: Iterable[str]) -> list[str]:
    """`command` without the flags that make results depend on the compiler or the processor."""
    return [word for word in command if not INEXACT.fullmatch(word)]


class BuildEngine(build_ext):
    """Compiles the engine, or leaves a note of why there is none."""

    def build_extension(self, ext: Extension) -> None:
        """Leave the library or the note among the built files."""
        library = Path(self.get_ext_fullpath(ext.name))
        library.parent.mkdir(parents=True, exist_ok=True)
        for name in (library.name, NOTE, LICENCES):  # an earlier build's
            library.with_name(name).unlink(missing_ok=True)
        mode = os.environ.get("TEACHGYM_ENGINE", "")
        if mode not in ("", "require", "skip"):
            raise ValueError(f"TEACHGYM_ENGINE is {mode!r}; expected require, skip or nothing")
        try:
            if mode == "skip":
                raise RuntimeError("TEACHGYM_ENGINE=skip was set when teachgym was installed")
            self.compile_engine(ext, library)
        except Exception as error:  # whatever went wrong, teachgym works without
            library.unlink(missing_ok=True)
            if mode == "require":
                raise
            reason = " ".join(str(error).split()) or type(error).__name__
            library.with_name(NOTE).write_text(f"{reason}\n", encoding="utf-8")
            print(  # noqa: T201
                f"teachgym: the walker's fast engine was not built: {reason}. The reference engine serves, with the"
                " same results, several times slower. Install teachgym again once that is mended.",
                file=sys.stderr,
            )

    def compile_engine(self, ext: Extension, library: Path) -> None:
        """Compile Box2D, nanobind and our sources, each in its own way, and link them."""
        import nanobind

        if self.compiler.compiler_type == "msvc":
            raise RuntimeError("it needs GCC or Clang; with MSVC it can't be built")
        for name, command in list(vars(self.compiler).items()):
            if name.startswith(("compiler", "linker")) and isinstance(command, list):
                setattr(self.compiler, name, exact(command))
        compiler = self.compiler.compiler_so_cxx[0]
        if shutil.which(compiler) is None:
            raise RuntimeError(f"there is no C++ compiler ({compiler}); install one, such as g++")
        flags, link_flags = self.flags()

        box2d = Path(self.build_temp).absolute() / "box2d"
        box2d_sources, box2d_licence = unpack(box2d_archive(), box2d)
        # One translation unit: that compiles in half the time of many, and the compiler sees all of it.
        unit = box2d / "box2d.cpp"
        unit.write_text("".join(f'#include "{name}"\n' for name in box2d_sources))

        nanobind_root = Path(nanobind.__file__).parent
        nanobind_includes = [str(nanobind_root / "include"), str(nanobind_root / "ext/robin_map/include")]
        python_includes = [*self.compiler.include_dirs, *nanobind_includes]
        # Box2D's settings include Python.h for the sake of its assertions. It finds ours, and needs no interpreter.
        plain_includes = [str(ENGINE / "box2d_host"), str(box2d)]
        self.compiler.set_include_dirs([])

        def compile_one(source: str) -> list[str]:
            with_python = Path(source).name in (WITH_PYTHON, "nb_combined.cpp")
            own = PYTHON_FLAGS if with_python else BOX2D_FLAGS
            quiet = ["-w"] if source == str(unit) else []  # Box2D's warnings are not for us to mend
            return self.compiler.compile(
                [source],
                output_dir=self.build_temp,
                macros=[("NDEBUG", None), ("NB_COMPACT_ASSERTIONS", None)],
                include_dirs=python_includes if with_python else plain_includes,
                extra_postargs=[*flags, *own, *quiet],
            )

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sources = [str(unit), str(nanobind_root / "src/nb_combined.cpp"), *ext.sources]
            objects = [name for names in pool.map(compile_one, sources) for name in names]
        self.compiler.link_shared_object(
            objects,
            str(library),
            library_dirs=self.library_dirs,
            export_symbols=self.get_export_symbols(ext),
            extra_postargs=link_flags,
            build_temp=self.build_temp,
            target_lang="c++",
        )
        if not os.environ.get("TEACHGYM_SANITIZE"):  # whose run-time library must be loaded first
            load = f"import sys; sys.path.append({str(library.parent)!r}); import {ext.name.rpartition('.')[2]}"
            tried = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True)
            if tried.returncode:
                raise RuntimeError(f"the engine was compiled, but does not load: {tried.stderr.strip()[-300:]}")
        licences = [f"Box2D: {box2d_licence}", *nanobind_licences()]
        library.with_name(LICENCES).write_text("\n\n".join(licences), encoding="utf-8")

    def flags(self) -> tuple[list[str], list[str]]:
        """The compiler's flags for every source, and the linker's."""
        flags = ["-pthread", "-fvisibility=hidden", *EXACT]
        link_flags = ["-pthread", "-Wl,-x" if sys.platform == "darwin" else "-Wl,-s,--exclude-libs,ALL"]
        if sanitizers := os.environ.get("TEACHGYM_SANITIZE"):
            flags += [f"-fsanitize={sanitizers}", "-O1", "-g", "-fno-omit-frame-pointer"]
            link_flags = ["-pthread", f"-fsanitize={sanitizers}"]
        return flags, link_flags

    def copy_extensions_to_source(self) -> None:
        """In an editable install, put the library or the note beside the package's files."""
        name = self.extensions[0].name
        built, library = Path(self.build_lib, self.get_ext_filename(name)), Path(self.get_ext_fullpath(name))
        for file in (library.name, NOTE):
            library.with_name(file).unlink(missing_ok=True)  # whoever has the old library open keeps it
            if built.with_name(file).exists():
                shutil.copy(built.with_name(file), library.with_name(file))


if __name__ == "__main__":
    setup(
        cmdclass={"build_ext": BuildEngine},
        ext_modules=[
            Extension(
                "teachgym.envs.worlds.bipedal_walker._engine",
                sources=sorted(path.as_posix() for path in ENGINE.glob("*.cpp")),
                depends=sorted(path.as_posix() for path in ENGINE.rglob("*.h")),
                language="c++",
            )
        ],
    )
