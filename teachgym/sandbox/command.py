"""The command that starts the warden inside each kind of sandbox, and the files that are to be seen there."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
"""All of it. With the hash seed fixed, sets come in the same order every time."""
_SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
_DEVICES = ("/dev/null", "/dev/urandom")


def bubblewrap() -> str | None:
    """Where the program is; None if it is not installed."""
    return shutil.which("bwrap")


def readable_paths() -> list[str]:
    """The interpreter, its standard library and the shared libraries: all that a program may read."""
    prefixes = (Path(sys.base_prefix), Path(sys.base_exec_prefix))
    own = [_interpreter(), Path(sysconfig.get_path("stdlib"))]
    own += [prefix / name for prefix in prefixes for name in ("lib", "lib64")]
    found = [str(path) for path in (*own, *map(Path, (*_SYSTEM, *_DEVICES))) if path.exists()]
    return list(dict.fromkeys(found))


def python_command() -> list[str]:
    """The interpreter on the warden's text, without site-packages and without anything of the user's.

    The text of what the warden imports from here comes before its own.
    """
    texts = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("restrictions.py", "warden.py")]
    lines = [line for text in texts for line in text.splitlines() if not line.startswith("from teachgym.")]
    return [str(_interpreter()), "-s", "-S", "-P", "-c", "\n".join(lines)]


def bubblewrap_command(executable: str) -> list[str]:
    """The same in namespaces of its own: it is process 1, has no network, and sees a read-only tree of few files.

    There is no ``/proc`` and no ``/tmp``: nothing can be read of other processes, nothing can be written.
    """
    command = [executable, "--unshare-user", "--unshare-all", "--as-pid-1", "--die-with-parent", "--new-session"]
    command += ["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--clearenv"]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    for path in readable_paths():
        if path in _DEVICES:
            command += ["--dev-bind", path, path]
        elif os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        else:
            command += ["--ro-bind", path, path]
    return [*command, "--remount-ro", "/", "--chdir", "/", *python_command()]


def _interpreter() -> Path:
    """Not the virtual environment's link to it."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()
