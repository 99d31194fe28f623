import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from hypothesis import given
from hypothesis import strategies as st

from teachgym.core.task_space import Parameter, TaskSpace


def make_space() -> TaskSpace:
    return TaskSpace([Parameter("height", 0.0, 3.0, "steps", harder=0.1), Parameter("spacing", -6.0, 6.0)])


LINE = TaskSpace([Parameter("x", 0.0, 0.1)])


def test_a_task_is_validated_into_a_float64_copy() -> None:
    given = np.array([1.0, 2.0])
    task = make_space().validate(given)
    assert task.dtype == np.float64
    given[0] = 99
    assert task.tolist() == [1.0, 2.0]


def test_a_mapping_is_read_by_name_in_any_order() -> None:
    assert make_space().validate({"spacing": -2, "height": 1}).tolist() == [1.0, -2.0]


def test_the_bounds_themselves_are_allowed() -> None:
    assert make_space().validate([0, 6]).tolist() == [0.0, 6.0]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ([1.0], r"shape \(1,\); expected \(2,\): height, spacing"),
        ([[1.0, 2.0]], r"shape \(1, 2\)"),
        (1.0, r"shape \(\)"),
        ([1.0, np.nan], r"'spacing' is nan; expected a number in \[-6, 6\]"),
        ([np.inf, 0.0], r"'height' is inf; expected a number in \[0, 3\] steps"),
        ([-np.inf, 0.0], "'height' is -inf"),
        ([3.001, 0.0], "'height' is 3.001"),
        ([0.0, -6.001], "'spacing' is -6.001"),
        (["a", "b"], "not numeric"),
        ([1.0, [2.0]], "not numeric"),
        (torch.zeros(2, requires_grad=True), "not numeric"),
        (np.ma.masked_array([1.0, 2.0], mask=[True, False]), "masked in part"),
        (None, "not numeric|shape"),
        ({"height": 1.0, "spacin": 1.0}, "unknown task parameter 'spacin'; did you mean 'spacing'"),
        ({"height": 1.0}, "lacks spacing; expected height, spacing"),
    ],
)
def test_what_is_no_task_is_refused_by_name(task: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_space().validate(task)


def test_a_bare_number_is_a_task_of_one_dimension() -> None:
    assert LINE.validate(0.05).tolist() == [0.05]


def test_the_rounding_of_float32_at_a_bound_is_moved_onto_the_bound() -> None:
    rounded = np.float32(0.1)
    assert rounded > LINE.high[0]
    assert LINE.validate(rounded).tolist() == [0.1]
    with pytest.raises(ValueError, match="'x' is"):
        LINE.validate(0.1 * (1 + 1e-6))
    with pytest.raises(ValueError, match="'x' is"):
        LINE.validate(-1e-7)


finite = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(
    st.lists(st.tuples(finite, st.floats(1e-3, 1e6)), min_size=1, max_size=4),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
)
def test_normalise_and_denormalise_are_inverse_and_stay_in_bounds(
    bounds: list[tuple[float, float]], units: list[float]
) -> None:
    space = TaskSpace([Parameter(f"p{i}", low, low + width) for i, (low, width) in enumerate(bounds)])
    points = np.array(units[: space.dimensions])
    tasks = space.denormalise(points)
    assert np.all((space.low <= tasks) & (tasks <= space.high))
    rounding = 1e-14 * np.max(np.abs([space.low, space.high]), axis=0)
    assert np.all(np.abs(space.normalise(tasks) - points) * space.range <= 4 * rounding)
    assert np.all(np.abs(space.denormalise(space.normalise(tasks)) - tasks) <= 4 * rounding)


def test_bounds_normalise_to_0_and_1_in_batches_too() -> None:
    space = make_space()
    assert space.normalise([space.low, space.high]).tolist() == [[0, 0], [1, 1]]
    assert space.denormalise([[0.5, 0.25]]).tolist() == [[1.5, -3.0]]


def test_uniform_draws_fill_the_box_and_come_from_the_generator_alone() -> None:
    space = make_space()
    many = space.uniform(np.random.default_rng(1), 4000)
    assert many.shape == (4000, 2)
    assert np.allclose(many.mean(axis=0), [1.5, 0.0], atol=0.2)
    assert np.allclose(many.std(axis=0), space.range / np.sqrt(12), rtol=0.05)
    assert np.array_equal(space.uniform(np.random.default_rng(1)), many[0])


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda space: pickle.loads(pickle.dumps(space))])
def test_a_copy_is_equal_and_works(clone: Any) -> None:
    space = make_space()
    cloned = clone(space)
    assert cloned == space
    assert cloned.parameters == space.parameters
    assert np.array_equal(cloned.validate({"height": 3, "spacing": 6}), [3, 6])
    assert space.contains(cloned.sample())


def test_a_pickled_space_samples_the_same_stream() -> None:
    space = make_space()
    space.seed(3)
    cloned = pickle.loads(pickle.dumps(space))
    assert np.array_equal(cloned.sample(), space.sample())


def test_spaces_are_equal_if_all_their_parameters_are() -> None:
    low, high = Parameter("a", 0, 1), Parameter("a", 0, 2)
    assert TaskSpace([low]) == TaskSpace([low], seed=4)
    assert TaskSpace([low]) != TaskSpace([high])
    assert TaskSpace([low]) != TaskSpace([Parameter("b", 0, 1)])
    assert TaskSpace([low]) != TaskSpace([Parameter("a", 0, 1, harder=0.1)])
    assert TaskSpace([low]) != spaces.Box(0, 1, (1,), np.float64)


def test_it_is_an_ordinary_box() -> None:
    space = make_space()
    assert isinstance(space, spaces.Box)
    assert space.shape == (2,)
    assert space.dtype == np.float64
    assert space.contains(np.array([3.0, -6.0]))
    assert not space.contains(np.array([3.1, 0.0]))
    space.seed(0)
    assert all(space.contains(space.sample()) for _ in range(100))


def test_vector_environments_can_batch_it() -> None:
    batched = batch_space(make_space(), 3)
    assert batched == spaces.Box(np.tile([0.0, -6.0], (3, 1)), np.tile([3.0, 6.0], (3, 1)), dtype=np.float64)
    assert batched.sample().shape == (3, 2)


def test_a_plain_box_gets_names_and_keeps_its_bounds() -> None:
    space = TaskSpace.from_box(spaces.Box(np.array([[0.0, 1.0]]), np.array([[2.0, 3.0]]), dtype=np.float64))
    assert space.names == ("parameter_0", "parameter_1")
    assert space.low.tolist() == [0, 1]
    assert space.high.tolist() == [2, 3]
    named = make_space()
    assert TaskSpace.from_box(named) is named
    with pytest.raises(ValueError, match="finite low < high"):
        TaskSpace.from_box(spaces.Box(-np.inf, np.inf, (1,)))


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, np.inf), (np.nan, 1)])
def test_empty_and_infinite_bounds_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match=r"low is nan|'p' has bounds .* expected finite low < high"):
        Parameter("p", low, high)


def test_an_infinite_direction_of_difficulty_is_refused() -> None:
    with pytest.raises(ValueError, match="harder=inf"):
        Parameter("p", 0, 1, harder=np.inf)


def test_a_space_needs_parameters_with_unique_names() -> None:
    with pytest.raises(ValueError, match="at least one parameter"):
        TaskSpace([])
    with pytest.raises(ValueError, match="not unique"):
        TaskSpace([Parameter("p", 0, 1), Parameter("p", 0, 2)])


def test_it_describes_itself_in_one_line() -> None:
    assert make_space().describe() == "height [0, 3] steps, spacing [-6, 6]"
