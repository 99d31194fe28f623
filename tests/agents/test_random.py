import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.random import Random
from tests.agents.problems import problem


def test_tasks_fill_the_space_evenly() -> None:
    teacher = Random(problem(), seed=0)
    tasks = np.array([teacher.act(None) for _ in range(4000)])
    counts, *_ = np.histogram2d(tasks[:, 0], tasks[:, 1], bins=4, range=[[0, 3], [0, 6]])
    assert counts.min() > 200
    assert counts.max() < 300
    assert teacher.origin == "random"


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_actions_have_the_shape_and_dtype_of_any_box(shape: tuple[int, ...], dtype: type[np.floating]) -> None:
    box = spaces.Box(-0.1, 0.3, shape, dtype)
    action = Random(problem(box), seed=0).act(None)
    assert action.shape == shape
    assert action.dtype == dtype
    assert box.contains(action)


@pytest.mark.parametrize(
    "space", [spaces.Discrete(3), spaces.Box(0, 255, (2,), np.uint8), spaces.Box(-np.inf, 0, (1,))]
)
def test_other_action_spaces_are_refused(space: spaces.Space) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=r"box|finite"):
        Random(problem(space), seed=0)
