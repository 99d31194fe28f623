import random
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import torch

from teachgym.students.lifetimes.global_state import capture, preserved, restore, seed_all


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002


def test_what_is_restored_draws_again_what_was_drawn() -> None:
    state = capture()
    first = draw()
    assert draw() != first
    restore(state)
    assert draw() == first


def test_seeding_fixes_every_generator_and_turns_gradients_on() -> None:
    with preserved():
        seed_all(4)
        first = draw()
        torch.set_grad_enabled(False)
        seed_all(4)
        assert torch.is_grad_enabled()
        assert draw() == first
        seed_all(5)
        assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_any_seed_of_32_bits_is_allowed() -> None:
    with preserved():
        seed_all(0)
        first = draw()
        seed_all(2**32 - 1)
        assert draw() != first


def test_a_preserved_stretch_leaves_no_trace_even_if_it_fails() -> None:
    before = draw_next()
    try:
        with preserved():
            draw()
            torch.set_grad_enabled(False)
            raise ArithmeticError
    except ArithmeticError:
        pass
    assert draw_next() == before
    assert torch.is_grad_enabled()


def draw_next() -> Any:
    """What the next draws would be."""
    with preserved():
        return draw()


def test_importing_the_library_does_not_import_torch() -> None:
    code = "import sys, teachgym, teachgym.agents; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_forked_process_can_use_torch_though_its_parent_has_shared_work_among_threads() -> None:
    script = """
    import os, torch, teachgym.students.lifetimes.global_state
    torch.set_num_threads(2)
    torch.ones(600, 600) @ torch.ones(600, 600)
    if os.fork() == 0:
        torch.ones(600, 600) @ torch.ones(600, 600)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, timeout=120)
