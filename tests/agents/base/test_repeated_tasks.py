import numpy as np

from teachgym.agents.base import repeated_tasks
from teachgym.agents.base.repeated_tasks import RepeatedTasks
from teachgym.base.packing import unpack
from teachgym.core.task_space import FloatArray
from teachgym.testing.equality import difference, not_plain


def result(number: float) -> FloatArray:
    return np.array([number])


def hand_out(offers: RepeatedTasks, task: float) -> tuple[float, int]:
    """What a teacher does in act; returns the task that it gives, and its number."""
    again = offers.again()
    if again is None:
        return task, offers.begin(np.array([task]))
    return float(again[0][0]), again[1]


def test_each_task_is_handed_out_as_often_as_asked_in_a_row() -> None:
    offers = RepeatedTasks(3)
    assert [hand_out(offers, task)[0] for task in range(9)] == [0, 0, 0, 3, 3, 3, 6, 6, 6]


def test_a_task_is_judged_when_its_last_answer_comes_in_any_order() -> None:
    offers = RepeatedTasks(2)
    numbers = [hand_out(offers, task)[1] for task in range(4)]
    assert offers.answer(numbers[3], result(0.3)) is None
    assert offers.answer(numbers[0], result(0.0)) is None
    judged = offers.answer(numbers[2], result(0.2))
    assert judged is not None
    assert judged.task.tolist() == [2]
    assert [float(r[0]) for r in judged.results] == [0.3, 0.2]
    judged = offers.answer(numbers[1], result(0.1))
    assert judged is not None
    assert judged.task.tolist() == [0]


def test_answers_to_tasks_that_are_unknown_or_judged_count_for_nothing() -> None:
    offers = RepeatedTasks(2)
    _, number = hand_out(offers, 5)
    assert offers.answer(9, result(1)) is None
    assert offers.answer(number, result(1)) is None
    assert offers.answer(number, result(0)) is not None
    assert offers.answer(number, result(1)) is None


def test_tasks_that_wait_too_long_are_given_up(monkeypatch: object) -> None:
    offers = RepeatedTasks(1)
    numbers = [offers.begin(result(task)) for task in range(repeated_tasks.MOST_UNFINISHED + 1)]
    assert offers.answer(numbers[0], result(1)) is None
    assert offers.answer(numbers[1], result(1)) is not None
    assert len(offers.state()["unfinished"]["keys"]) == repeated_tasks.MOST_UNFINISHED - 1


def test_a_stored_state_is_a_copy_and_goes_on_where_it_stopped() -> None:
    offers, other = RepeatedTasks(3), RepeatedTasks(3)
    memo = np.zeros(2)
    number = offers.begin(result(4), {"memo": memo})
    offers.answer(number, result(1))
    state = offers.state()
    assert not_plain(state) is None
    other.load(state)
    for tasks in (offers, other):
        assert hand_out(tasks, 8) == hand_out(tasks, 8) == (4, number)
        assert hand_out(tasks, 8)[0] == 8
        tasks.answer(number, result(1))
        judged = tasks.answer(number, result(0))
        assert judged is not None
        assert [float(r[0]) for r in judged.results] == [1, 1, 0]
    assert difference(offers.state(), other.state()) is None
    assert state["left"] == 2
    (stored,) = unpack(state["unfinished"]["values"])
    assert len(list(unpack(stored["results"]))) == 1
