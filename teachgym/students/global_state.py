"""The process-wide state that a student library draws from: captured, exchanged, kept apart."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch  # at once, because a student that imports it later would bring its state into its caller's stretch

GlobalState = dict[str, Any]


def capture() -> GlobalState:
    """The global generators of ``random``, NumPy and torch (CPU, and CUDA where in use), and torch's gradient mode."""
    state: GlobalState = {
        "random": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002
        "torch": torch.get_rng_state(),
        "gradients": torch.is_grad_enabled(),
    }
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore(state: GlobalState) -> None:
    """Put back what ``capture`` found."""
    random.setstate(state["random"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    torch.set_grad_enabled(state["gradients"])
    if "cuda" in state:
        torch.cuda.set_rng_state_all(state["cuda"])


def to_plain(state: GlobalState) -> dict[str, Any]:
    """What ``capture`` found as arrays and plain values, to be stored."""
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
    }
    if "cuda" in plain:
        state["cuda"] = [torch.tensor(generator) for generator in plain["cuda"]]
    return state


def seed_all(seed: int) -> None:
    """Seed every global generator of this process; for a student's own stretch of it only."""
    random.seed(seed)
    np.random.set_state(np.random.RandomState(seed).get_state())  # noqa: NPY002
    torch.manual_seed(seed)
    torch.set_grad_enabled(True)


@contextmanager
def preserved() -> Iterator[None]:
    """Whatever the block draws from global generators, the state after it is as before."""
    state = capture()
    try:
        yield
    finally:
        restore(state)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many CPU threads for torch in the block."""
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
