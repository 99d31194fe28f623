import multiprocessing
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch
from threadpoolctl import threadpool_info

from teachgym.base.exclusive import exclusive, one_core
from teachgym.students.lifetimes.global_state import preserved, threads


@pytest.mark.parametrize("block", [exclusive, one_core, preserved, lambda: threads(1)])
def test_a_block_waits_for_that_of_another_thread_and_may_be_entered_again(
    block: Callable[[], AbstractContextManager[None]],
) -> None:
    order = []
    begun = threading.Event()

    def other() -> None:
        begun.set()
        with exclusive():
            order.append("other")

    with block(), block():
        thread = threading.Thread(target=other)
        thread.start()
        begun.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


def test_numbers_of_threads_are_as_before_however_blocks_of_two_threads_meet() -> None:
    before = threadpool_info(), torch.get_num_threads()

    def work(start: threading.Barrier) -> None:
        start.wait()
        for _ in range(5):
            with one_core(), threads(1):
                assert {pool["num_threads"] for pool in threadpool_info()} == {1}

    start = threading.Barrier(2)
    both = [threading.Thread(target=work, args=(start,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert (threadpool_info(), torch.get_num_threads()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="where processes are not forked")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_does_not_wait_for_threads_that_it_lacks() -> None:
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive():
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = multiprocessing.get_context("fork").Process(target=_enter)
    child.start()
    child.join(60)
    code = child.exitcode
    over.set()
    thread.join()
    if code is None:
        child.kill()
        child.join()
    assert code == 0


def _enter() -> None:
    with exclusive():
        pass
