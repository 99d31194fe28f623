"""The state of process and thread that a student library draws from: captured, exchanged, kept apart."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch  # at once, because a student that imports it later would bring its state into its caller's stretch

from teachgym.base.exclusive import exclusive

GlobalState = dict[str, Any]

_AUTOCAST = {"cpu": torch.bfloat16, "cuda": torch.float16}
"""Kinds of devices, and torch's own defaults of what autocast turns numbers into there."""


def capture() -> GlobalState:
    """The global generators of ``random``, NumPy and torch (CPU, and CUDA where in use), and torch's modes.

    These are gradient mode, inference mode and autocast.
    """
    state: GlobalState = {
        "random": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002
        "torch": torch.get_rng_state(),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": {kind: (torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in _AUTOCAST},
    }
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore(state: GlobalState) -> None:
    """Put back what ``capture`` found; inference mode is left to ``exchanged``, as torch sets it for a block only."""
    random.setstate(state["random"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    torch.set_grad_enabled(state["gradients"])
    _set_autocast(state["autocast"])
    if "cuda" in state:
        torch.cuda.set_rng_state_all(state["cuda"])


def _set_autocast(modes: dict[str, tuple[bool, torch.dtype]]) -> None:
    for kind, (enabled, dtype) in modes.items():
        torch.set_autocast_enabled(kind, enabled)
        torch.set_autocast_dtype(kind, dtype)


def to_plain(state: GlobalState) -> dict[str, Any]:
    """What ``capture`` found as arrays and plain values, to be stored; without inference mode and autocast."""
    version, words, gauss = state["random"]
    kind, key, position, has_gauss, cached = state["numpy"]
    plain: dict[str, Any] = {
        "random": {"version": version, "words": np.array(words, dtype=np.uint64), "gauss": gauss},
        "numpy": {"kind": kind, "key": key, "position": position, "has_gauss": has_gauss, "cached": cached},
        "torch": state["torch"].numpy().copy(),
        "gradients": state["gradients"],
    }
    if "cuda" in state:
        plain["cuda"] = [generator.cpu().numpy().copy() for generator in state["cuda"]]
    return plain


def from_plain(plain: dict[str, Any]) -> GlobalState:
    """What ``restore`` takes, from what ``to_plain`` gave."""
    of_python, of_numpy = plain["random"], plain["numpy"]
    words = tuple(int(word) for word in of_python["words"])
    state: GlobalState = {
        "random": (of_python["version"], words, of_python["gauss"]),
        "numpy": tuple(of_numpy[name] for name in ("kind", "key", "position", "has_gauss", "cached")),
        "torch": torch.tensor(plain["torch"]),
        "gradients": plain["gradients"],
        "inference": False,
        "autocast": _no_autocast(),
    }
    if "cuda" in plain:
        state["cuda"] = [torch.tensor(generator) for generator in plain["cuda"]]
    return state


def _one_thread_in_child() -> None:
    """In a forked process torch's other threads are gone, and work that is shared with them would never end."""
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_one_thread_in_child)


def seed_all(seed: int) -> None:
    """Seed every global generator of this process, and set torch's default modes; for a block of ``preserved`` only."""
    random.seed(seed)
    np.random.set_state(np.random.RandomState(seed).get_state())  # noqa: NPY002
    torch.manual_seed(seed)
    torch.set_grad_enabled(True)
    _set_autocast(_no_autocast())


def _no_autocast() -> dict[str, tuple[bool, torch.dtype]]:
    return {kind: (False, dtype) for kind, dtype in _AUTOCAST.items()}


@contextmanager
def preserved() -> Iterator[None]:
    """A block after which global generators and modes are as before, whatever it does to them.

    Blocks of this module that change what belongs to the whole process are left to one thread at a time.
    """
    with exclusive():
        state = capture()
        try:
            yield
        finally:
            restore(state)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A block with global generators of its own, seeded, and torch's default modes; all is as before after it."""
    with preserved(), torch.inference_mode(False):
        seed_all(seed)
        yield


@contextmanager
def exchanged(state: GlobalState) -> Iterator[None]:
    """A block that finds what ``capture`` found; all is as before after it."""
    with preserved(), torch.inference_mode(state["inference"]):
        restore(state)
        yield


@contextmanager
def threads(count: int) -> Iterator[None]:
    """A block in which torch uses so many CPU threads."""
    with exclusive():
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """One CPU thread for torch: for work that is too small to share, and so does not depend on the number of cores."""
    with threads(1):
        yield
