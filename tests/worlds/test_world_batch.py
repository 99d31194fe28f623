from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from teachgym.worlds.world_batch import SerialBatch, WorldBatchWrapper
from tests.toy import Reach, Wander


def test_it_plays_as_the_worlds_do_alone() -> None:
    batch, alone = SerialBatch([Wander() for _ in range(3)]), [Wander() for _ in range(3)]
    slots, seeds, tasks = np.array([2, 0]), [5, 6], [np.array([0.5, 0.5]), None]
    observations = batch.reset(slots, tasks, seeds)
    first = alone[2].reset(seed=5, options={"task": tasks[0]})[0]
    assert np.array_equal(observations, [first, alone[0].reset(seed=6)[0]])
    assert np.array_equal(batch.task(2), [0.5, 0.5])
    assert np.array_equal(batch.task(0), alone[0].task)
    played = batch.step(slots, np.array([[0.5], [-0.5]]))
    expected = [alone[2].step(np.array([0.5]))[:4], alone[0].step(np.array([-0.5]))[:4]]
    for part, values in zip(played, zip(*expected, strict=True), strict=True):
        assert np.array_equal(part, values)
    assert [part.dtype for part in played] == [np.float32, np.float64, np.bool_, np.bool_]
    with pytest.raises(ResetNeeded, match="slot 1"):
        batch.task(1)


def test_worlds_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one world"):
        SerialBatch([])
    with pytest.raises(ValueError, match="the action_space of world 1 is Discrete"):
        SerialBatch([Wander(), Wander(keys=True)])
    with pytest.raises(ValueError, match="has no task_space"):
        SerialBatch([gymnasium.make("Pendulum-v1")])

    class Parts(Reach):
        def __init__(self) -> None:
            super().__init__()
            self.observation_space: Any = spaces.Dict({"place": self.observation_space})

    with pytest.raises(ValueError, match=r"the observation_space is Dict.*; expected one whose members are arrays"):
        SerialBatch([Parts()])


def test_a_world_that_does_not_say_what_it_has_drawn_is_an_error() -> None:
    class Silent(Reach):
        def reset(self, **arguments: Any) -> Any:
            return super().reset(**arguments)[0], {}

    batch = SerialBatch([Silent()])
    batch.reset(np.arange(1), [np.array([0.5])])
    assert batch.task(0) == [0.5]
    with pytest.raises(ValueError, match=r"has drawn its task; expected it in info\['task'\]"):
        batch.reset(np.arange(1), [None])


def test_worlds_are_closed_once() -> None:
    closed = []

    class Closing(Reach):
        def close(self) -> None:
            closed.append(self)

    batch = SerialBatch([Closing(), Closing()])
    batch.close()
    batch.close()
    assert len(closed) == 2


def test_a_wrapper_passes_everything_on() -> None:
    batch = SerialBatch([Wander(render_mode="rgb_array") for _ in range(2)])
    wrapper = WorldBatchWrapper(batch)
    for name in ("size", "observation_space", "action_space", "task_spaces", "render_mode", "metadata", "generators"):
        assert getattr(wrapper, name) == getattr(batch, name)
    wrapper.reset(np.arange(2), [np.zeros(2), np.ones(2)], [0, 1])
    assert np.array_equal(wrapper.task(1), [1.0, 1.0])
    assert np.array_equal(wrapper.render(1), batch.render(1))
    wrapper.step(np.arange(2), np.zeros((2, 1)))
    wrapper.close()
