from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym.core.evaluation import Evaluation
from teachgym.worlds.evaluate import evaluate
from teachgym.worlds.world_batch import SerialBatch
from tests.toy import Countdown, Reach


def stand(observations: NDArray[Any]) -> NDArray[Any]:
    return np.zeros((len(observations), 1), dtype=np.float32)


def batches_of(make_world: Any) -> Callable[[int], SerialBatch]:
    return lambda count: SerialBatch([make_world() for _ in range(count)])


def test_every_task_is_played_to_its_own_end() -> None:
    tasks = np.array([[1.0, 0.5], [6.0, -0.5], [2.5, 1.0]])
    batches: list[int] = []

    def count(observations: NDArray[Any]) -> NDArray[Any]:
        batches.append(len(observations))
        return stand(observations)

    result = evaluate(count, batches_of(Countdown), tasks, seed=0, mastered_above=0.5, spent=7)
    assert result.lengths.tolist() == [1, 6, 3]
    assert np.allclose(result.returns, [0.5, -3.0, 3.0])
    assert batches == [3, 2, 2, 1, 1, 1]
    assert result.spent == 7
    assert np.array_equal(result.tasks, tasks)


def test_mastered_means_above_the_threshold_not_at_it() -> None:
    returns = np.array([0.5, 0.6, -1.0, 0.7])
    result = Evaluation(np.zeros((4, 1)), returns, np.ones(4, dtype=np.int64), mastered_above=0.5, spent=0)
    assert result.mastered == 50.0
    assert result.mean_return == pytest.approx(0.2)


def test_the_seed_and_the_place_of_a_task_fix_its_world() -> None:
    tasks = np.linspace(-1, 1, 5)[:, None]
    starts: dict[int, NDArray[Any]] = {}

    def run(seed: int, count: int) -> NDArray[Any]:
        def remember(observations: NDArray[Any]) -> NDArray[Any]:
            starts.setdefault(seed, observations.copy())
            return stand(observations)

        return evaluate(remember, batches_of(Reach), tasks[:count], seed=seed, mastered_above=0.0).returns

    assert np.array_equal(run(3, 5), run(3, 5))
    assert np.array_equal(run(3, 2), run(3, 5)[:2])
    assert not np.array_equal(run(3, 5), run(4, 5))
    positions = starts[3][:, 0]
    assert len(set(positions.tolist())) == 5


def test_all_worlds_are_closed() -> None:
    closed: list[Reach] = []

    class Closing(Reach):
        def close(self) -> None:
            closed.append(self)

    evaluate(stand, batches_of(Closing), np.zeros((3, 1)), seed=0, mastered_above=0.0)
    assert len(closed) == 3

    def fall(observations: NDArray[Any]) -> NDArray[Any]:
        raise ArithmeticError("fell")

    with pytest.raises(ArithmeticError, match="fell"):
        evaluate(fall, batches_of(Closing), np.zeros((3, 1)), seed=0, mastered_above=0.0)
    assert len(closed) == 6


@pytest.mark.parametrize("tasks", [np.empty((0, 1)), np.zeros(3)])
def test_a_test_needs_tasks(tasks: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"expected \(tasks, parameters\)"):
        evaluate(stand, batches_of(Reach), tasks, seed=0, mastered_above=0.0)
