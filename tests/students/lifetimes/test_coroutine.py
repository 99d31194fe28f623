import random
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from teachgym.students.lifetimes.coroutine import BudgetSpent, Coroutine

Ask = Callable[[Any], Any]
Draws = list[tuple[float, float, float]]


def draw() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002


def seed_globals(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def test_questions_and_answers_go_back_and_forth() -> None:
    heard = []

    def function(ask: Ask) -> None:
        heard.append(ask("first"))
        heard.append(ask("second"))

    coroutine: Coroutine[str, int] = Coroutine(function, seed=0)
    finished = []
    for answer, question in ((None, "first"), (1, "second"), (2, None)):
        assert coroutine.resume(answer) == question
        finished.append(coroutine.finished)
    assert heard == [1, 2]
    assert finished == [False, False, True]
    with pytest.raises(RuntimeError, match="has finished; reset the environment"):
        coroutine.resume(3)


def run_inside(draw_outside: Callable[[], Any], *, seed: int = 7) -> Draws:
    drawn: Draws = []

    def function(ask: Ask) -> None:
        for _ in range(3):
            drawn.append(draw())
            ask(None)

    coroutine: Coroutine[None, None] = Coroutine(function, seed=seed)
    draw_outside()
    while not coroutine.finished:
        coroutine.resume(None)
        draw_outside()
    return drawn


def test_draws_inside_depend_on_the_seed_and_not_on_draws_outside() -> None:
    quiet = run_inside(lambda: None)
    assert run_inside(draw) == quiet
    assert run_inside(lambda: seed_globals(99)) == quiet
    assert all(a != b for a, b in zip(quiet[0], run_inside(lambda: None, seed=8)[0], strict=True))
    assert len(set(quiet)) == 3


def test_draws_outside_do_not_depend_on_draws_inside() -> None:
    seed_globals(3)
    expected = [draw() for _ in range(4)]
    seed_globals(3)
    drawn: Draws = []
    run_inside(lambda: drawn.append(draw()))
    assert drawn[:4] == expected


def test_two_interleaved_coroutines_draw_as_they_would_alone() -> None:
    drawn: dict[int, Draws] = {1: [], 2: []}

    def make(seed: int) -> Coroutine[None, None]:
        def function(ask: Ask) -> None:
            for _ in range(3):
                drawn[seed].append(draw())
                ask(None)

        return Coroutine(function, seed=seed)

    both = [make(1), make(2)]
    while not all(coroutine.finished for coroutine in both):
        for coroutine in both:
            coroutine.resume(None)
    assert drawn[1] == run_inside(lambda: None, seed=1)
    assert drawn[2] == run_inside(lambda: None, seed=2)


def test_gradient_mode_is_exchanged_at_every_switch() -> None:
    inside = []

    def function(ask: Ask) -> None:
        inside.append(torch.is_grad_enabled())
        with torch.no_grad():
            ask(None)
            inside.append(torch.is_grad_enabled())
        ask(None)
        inside.append(torch.is_grad_enabled())

    coroutine: Coroutine[None, None] = Coroutine(function, seed=0)
    with torch.no_grad():
        coroutine.resume(None)
        assert not torch.is_grad_enabled()
    coroutine.resume(None)
    assert torch.is_grad_enabled()
    with torch.no_grad():
        coroutine.resume(None)
        assert not torch.is_grad_enabled()
    assert inside == [True, False, True]


def modes() -> tuple[bool, bool, bool, torch.dtype]:
    autocast = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), *autocast


def test_modes_of_the_caller_do_not_reach_the_student() -> None:
    inside = []

    def function(ask: Ask) -> None:
        for _ in range(2):
            weights = torch.ones(2, requires_grad=True)
            (weights * torch.ones(2)).sum().backward()  # type: ignore[no-untyped-call]
            inside.append(modes())
            ask(None)

    coroutine: Coroutine[None, None] = Coroutine(function, seed=0)
    plain = modes()
    with torch.inference_mode(), torch.autocast("cpu", torch.float16):
        coroutine.resume(None)
        assert modes() == (False, True, True, torch.float16)
    with torch.no_grad():
        coroutine.resume(None)
    assert modes() == plain
    assert inside == [(True, False, False, torch.bfloat16)] * 2


def test_modes_of_the_student_do_not_reach_the_caller() -> None:
    inside = []

    def function(ask: Ask) -> None:
        with torch.inference_mode(), torch.autocast("cpu", torch.float16):
            ask(None)
            inside.append(modes())
            ask(None)
        inside.append(modes())
        (torch.ones(2, requires_grad=True) * torch.ones(2)).sum().backward()  # type: ignore[no-untyped-call]

    coroutine: Coroutine[None, None] = Coroutine(function, seed=0)
    plain = modes()
    for _ in range(3):
        coroutine.resume(None)
        assert modes() == plain
        torch.ones(2, requires_grad=True).add(torch.ones(2)).sum().backward()  # type: ignore[no-untyped-call]
    assert inside == [(False, True, True, torch.float16), plain]


class StudentError(Exception):
    pass


def stumble(ask: Ask) -> None:
    ask("first")
    raise StudentError("fell")


def test_an_exception_inside_surfaces_in_resume_with_its_own_traceback() -> None:
    coroutine: Coroutine[str, None] = Coroutine(stumble, seed=0)
    coroutine.resume(None)
    with pytest.raises(StudentError, match="fell") as caught:
        coroutine.resume(None)
    assert "stumble" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert coroutine.finished


def test_an_exception_inside_leaves_the_global_state_outside_alone() -> None:
    def fail(ask: Ask) -> None:
        draw()
        torch.set_grad_enabled(False)
        raise StudentError

    seed_globals(3)
    expected = draw()
    seed_globals(3)
    with pytest.raises(StudentError):
        Coroutine(fail, seed=0).resume(None)
    assert draw() == expected
    assert torch.is_grad_enabled()


def test_an_error_about_threads_inside_is_the_students_own() -> None:
    def fail(ask: Ask) -> None:
        raise ValueError("num_threads must be positive")

    with pytest.raises(ValueError, match="num_threads must be positive"):
        Coroutine(fail, seed=0).resume(None)


def test_close_runs_finally_blocks_once_and_only_of_what_has_begun() -> None:
    ended = []

    def function(ask: Ask) -> None:
        try:
            ask(None)
            ended.append("not closed")
        finally:
            ended.append("closed")

    coroutine: Coroutine[None, None] = Coroutine(function, seed=0)
    coroutine.resume(None)
    coroutine.close()
    coroutine.close()
    assert ended == ["closed"]
    assert coroutine.finished
    Coroutine(function, seed=0).close()
    assert ended == ["closed"]


def test_close_leaves_the_global_state_outside_alone() -> None:
    drawn: Draws = []

    def function(ask: Ask) -> None:
        try:
            with torch.no_grad():
                ask(None)
        finally:
            drawn.append(draw())
            assert torch.is_grad_enabled()

    seed_globals(3)
    expected = draw()
    seed_globals(3)
    coroutine: Coroutine[None, None] = Coroutine(function, seed=5)
    coroutine.resume(None)
    with torch.no_grad():
        coroutine.close()
        assert not torch.is_grad_enabled()
    assert draw() == expected
    assert drawn == run_inside(lambda: None, seed=5)[:1]


def test_an_exception_while_closing_surfaces() -> None:
    def function(ask: Ask) -> None:
        try:
            ask(None)
        finally:
            raise StudentError("while closing")

    coroutine: Coroutine[None, None] = Coroutine(function, seed=0)
    coroutine.resume(None)
    with pytest.raises(StudentError, match="while closing"):
        coroutine.close()


def test_a_spent_budget_ends_the_function_cleanly() -> None:
    ended = []

    def function(ask: Ask) -> None:
        ask("first")
        try:
            try:
                raise BudgetSpent
            except Exception:  # noqa: BLE001 - what a training loop may do, and must not end up in
                ended.append("swallowed")
        finally:
            ended.append("finally")

    coroutine: Coroutine[str, None] = Coroutine(function, seed=0)
    coroutine.resume(None)
    assert coroutine.resume(None) is None
    assert coroutine.finished
    assert ended == ["finally"]


def test_another_thread_gets_a_clear_error_and_does_no_harm() -> None:
    def function(ask: Ask) -> None:
        ask("question")

    coroutine: Coroutine[str, int] = Coroutine(function, seed=0)
    assert coroutine.resume(None) == "question"
    errors: list[BaseException] = []

    def use() -> None:
        actions: list[Callable[[], Any]] = [lambda: coroutine.resume(1), coroutine.close]
        for action in actions:
            try:
                action()
            except RuntimeError as error:
                errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(errors) == 2
    assert all("must be called from the thread that called reset()" in str(error) for error in errors)
    assert not coroutine.finished
    assert coroutine.resume(2) is None
    assert coroutine.finished


def test_a_coroutine_runs_inside_another() -> None:
    log = []

    def inner(ask: Ask) -> None:
        log.append(("inner", ask("inner question"), draw()))

    def outer(ask: Ask) -> None:
        coroutine: Coroutine[str, int] = Coroutine(inner, seed=7)
        question = coroutine.resume(None)
        log.append(("outer", ask(question), draw()))
        coroutine.resume(2)
        log.append(("outer", ask("again"), draw()))

    coroutine: Coroutine[str, int] = Coroutine(outer, seed=8)
    assert coroutine.resume(None) == "inner question"
    assert coroutine.resume(1) == "again"
    assert coroutine.resume(3) is None
    assert [entry[:2] for entry in log] == [("outer", 1), ("inner", 2), ("outer", 3)]
    alone = run_inside(lambda: None, seed=8)
    assert [log[0][2], log[2][2]] == alone[:2]
    assert log[1][2] == run_inside(lambda: None, seed=7)[0]


def test_an_exception_in_the_inner_of_two_surfaces_in_the_outer() -> None:
    caught = []

    def outer(ask: Ask) -> None:
        inner: Coroutine[str, None] = Coroutine(stumble, seed=0)
        inner.resume(None)
        ask("between")
        with pytest.raises(StudentError) as error:
            inner.resume(None)
        caught.append(error)

    coroutine: Coroutine[str, None] = Coroutine(outer, seed=0)
    assert coroutine.resume(None) == "between"
    assert coroutine.resume(None) is None
    assert len(caught) == 1


def test_a_student_that_is_the_first_to_import_torch_keeps_its_state_to_itself() -> None:
    code = """
from teachgym.students.lifetimes.coroutine import Coroutine
def student(ask):
    import torch
    torch.manual_seed(1)
    with torch.no_grad():
        ask(None)
        print(float(torch.rand(())))
coroutine = Coroutine(student, seed=0)
coroutine.resume(None)
import torch
print(torch.is_grad_enabled(), torch.initial_seed() != 1)
torch.manual_seed(2)
coroutine.resume(None)
torch.manual_seed(1)
print(float(torch.rand(())))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    outside, inside, alone = done.stdout.split("\n")[:3]
    assert outside == "True True"
    assert inside == alone


def test_in_another_thread_a_function_whose_thread_has_ended_is_not_taken_for_finished() -> None:
    made: list[Coroutine[int, int]] = []

    def count(ask: Callable[[int], int]) -> None:
        ask(1)

    def begin() -> None:
        made.append(Coroutine(count, seed=0))
        made[0].resume(None)

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    assert not made[0].finished
    with pytest.raises(RuntimeError, match="from the thread that called reset"):
        made[0].resume(0)
    made[0].close()
