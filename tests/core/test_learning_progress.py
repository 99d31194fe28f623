from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from teachgym.core.learning_progress import WARM_UP, AbsoluteLearningProgress
from teachgym.core.task_space import FloatArray
from teachgym.testing.equality import difference

History = tuple[FloatArray, FloatArray, FloatArray, int | None]
"""Tasks, outcomes, scale and max_size."""


def plainly(tasks: FloatArray, outcomes: FloatArray, scale: FloatArray, max_size: int | None) -> list[float]:
    """ALP of every pair in turn, by looking at every stored pair."""
    values: list[float] = []
    for i, (task, outcome) in enumerate(zip(tasks, outcomes, strict=True)):
        first = 0 if max_size is None else max(i - max_size, 0)
        if i - first <= WARM_UP:
            values.append(0.0)
            continue
        squares = np.sum((tasks[first:i] / scale - task / scale) ** 2, axis=1)
        newest = np.flatnonzero(squares == squares.min())[-1]
        values.append(abs(outcome - outcomes[first + newest]))
    return values


@st.composite
def histories(draw: st.DrawFn) -> History:
    dimensions = draw(st.integers(1, 12))
    count = draw(st.integers(0, 150))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["spread", "lattice", "cluster", "far away", "tiny", "huge"]))
    tasks = rng.uniform(-3, 3, (count, dimensions))
    if kind == "lattice":  # many ties
        tasks = np.round(tasks)
    elif kind == "cluster":  # closer together than float32 can tell
        tasks[1:] = 1 + tasks[1:] * 1e-9
    elif kind == "far away":
        tasks += 1e7
    elif kind in ("tiny", "huge"):
        tasks *= 1e-30 if kind == "tiny" else 1e30
    scale = rng.uniform(0.1, 10, dimensions) if draw(st.booleans()) else np.ones(dimensions)
    max_size = draw(st.none() | st.integers(WARM_UP + 1, 80))
    return tasks, rng.normal(size=count), scale, max_size


@settings(deadline=None, max_examples=200)
@given(histories())
def test_every_value_equals_that_of_a_plain_search(history: History) -> None:
    tasks, outcomes, scale, max_size = history
    progress = AbsoluteLearningProgress(tasks.shape[1], scale=scale, max_size=max_size)
    values = [progress.add(task, outcome) for task, outcome in zip(tasks, outcomes, strict=True)]
    assert values == plainly(tasks, outcomes, scale, max_size)


@settings(deadline=None, max_examples=50)
@given(histories(), st.integers(0, 150))
def test_a_loaded_state_continues_where_it_was_saved(history: History, saved_after: int) -> None:
    tasks, outcomes, scale, max_size = history
    progress = AbsoluteLearningProgress(tasks.shape[1], scale=scale, max_size=max_size)
    for task, outcome in zip(tasks[:saved_after], outcomes[:saved_after], strict=True):
        progress.add(task, outcome)
    loaded = AbsoluteLearningProgress(tasks.shape[1], scale=scale, max_size=max_size)
    loaded.load(progress.state())
    assert len(loaded) == len(progress)
    for task, outcome in zip(tasks[saved_after:], outcomes[saved_after:], strict=True):
        assert loaded.add(task, outcome) == progress.add(task, outcome)
    assert difference(progress.state(), loaded.state()) is None


def test_the_seventh_pair_is_the_first_with_progress() -> None:
    progress = AbsoluteLearningProgress(1)
    values = [progress.add([i], 10.0 * i) for i in range(8)]
    assert values == [0, 0, 0, 0, 0, 0, 10, 10]


def test_a_repeated_task_is_compared_with_its_last_try() -> None:
    progress = AbsoluteLearningProgress(1)
    assert [progress.add([0.5], outcome) for outcome in (0, 0, 0, 0, 0, 1, 3)][-1] == 2


def by_both(tasks: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Progress of a student that improves steadily, from the seventh task on, by this search and by a k-d tree."""
    outcomes, progress = np.linspace(0, 1, len(tasks)), AbsoluteLearningProgress(tasks.shape[1])
    values = [progress.add(task, outcome) for task, outcome in zip(tasks, outcomes, strict=True)]
    nearest = [cKDTree(tasks[:i]).query(tasks[i])[1] for i in range(6, len(tasks))]
    return np.array(values[6:]), np.abs(outcomes[6:] - outcomes[nearest])


def test_where_no_task_repeats_progress_is_that_of_a_tree() -> None:
    np.testing.assert_array_equal(*by_both(np.random.default_rng(0).uniform(size=(300, 2))))


def test_where_a_task_repeats_progress_is_since_its_last_try_and_that_of_a_tree_since_an_old_one() -> None:
    rng = np.random.default_rng(0)
    tasks = rng.uniform(size=(300, 2))
    tasks[rng.uniform(size=300) < 0.2] = [1, 1]
    corner = np.all(tasks[6:] == 1, axis=1)
    ours, of_tree = (values[corner].mean() for values in by_both(tasks))
    assert ours == pytest.approx(1 / (0.2 * 300), rel=0.2)
    assert of_tree > 0.2


def test_scale_changes_which_task_is_nearest() -> None:
    def last(scale: list[float] | None) -> float:
        progress = AbsoluteLearningProgress(2, scale=scale)
        for task, outcome in [([9, 9], 0)] * 4 + [([1, 0], 1), ([0, 2], 2)]:
            progress.add(task, outcome)
        return progress.add([0, 0], 0)

    assert last(None) == 1
    assert last([1, 4]) == 2


def test_only_the_newest_pairs_are_kept() -> None:
    progress = AbsoluteLearningProgress(1, max_size=6)
    for i in range(20):
        progress.add([i], i)
    assert len(progress) == 6
    assert sorted(progress.state()["outcomes"].tolist()) == [14, 15, 16, 17, 18, 19]
    assert progress.add([0], 0) == 14


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dimensions": 0}, "dimensions is 0"),
        ({"dimensions": 1, "max_size": 5}, "max_size is 5; expected more than 5"),
        ({"dimensions": 2, "scale": [1]}, "expected 2 finite numbers above 0"),
        ({"dimensions": 2, "scale": [1, 0]}, "expected 2 finite numbers above 0"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AbsoluteLearningProgress(**arguments)


@pytest.mark.parametrize(("task", "outcome"), [([1.0], 0.0), ([np.nan, 0], 0.0), ([0, 0], np.inf)])
def test_bad_pairs_are_refused_and_not_stored(task: list[float], outcome: float) -> None:
    progress = AbsoluteLearningProgress(2)
    with pytest.raises(ValueError, match="expected"):
        progress.add(task, outcome)
    assert len(progress) == 0
