"""The processes that cells run in."""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext, SpawnContext

_IMPORTED = ["teachgym.study.cell", "stable_baselines3", "sklearn.mixture"]
"""What takes long to import, and most cells need."""


def worker_context() -> ForkServerContext | SpawnContext:
    """How worker processes start.

    On Linux they are forked from a process that has imported what cells need and has done nothing else: they start in
    hundredths of a second, where a new interpreter takes two seconds, and share its memory. Elsewhere forking is not
    safe, and each is a new interpreter. Either way they begin with nothing of this process; hand its environment on by
    ``take_environment``.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context


def take_environment(environment: Mapping[str, str]) -> None:
    """Put the environment variables of the process that asked for this worker in place of those it began with."""
    os.environ.clear()
    os.environ.update(environment)
