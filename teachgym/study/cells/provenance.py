"""What a study was run by: command, versions, commit and kind of machine; nothing that names a person or a place."""

import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from teachgym import __version__

PACKAGES = ("torch", "numpy", "scipy", "gymnasium", "stable-baselines3", "scikit-learn", "box2d")
"""Packages whose versions may change a number."""
_GIT_SECONDS = 10


def provenance() -> dict[str, Any]:
    """Plain values: ``command``, ``versions``, ``commit`` and ``machine`` of this process."""
    return {"command": _command(), "versions": versions(), "commit": _commit(), "machine": _machine()}


def versions() -> dict[str, str]:
    """Versions of Python, of teachgym and of the packages that results depend on."""
    found = {"python": platform.python_version(), "teachgym": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _command() -> str:
    """The command line, without the folder that the program is in."""
    program, *arguments = sys.argv or [""]
    return shlex.join([Path(program).name, *arguments])


def _commit() -> str | None:
    """The commit of the source that runs, with ``+changes`` where files differ; None where it is no checkout."""
    folder = Path(__file__).resolve().parent
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=_GIT_SECONDS).stdout.strip()


def _machine() -> dict[str, Any]:
    gpus = torch.cuda.device_count()
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpus": [torch.cuda.get_device_name(number) for number in range(gpus)],
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
    }


def _processor() -> str:
    """The processor's model, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
