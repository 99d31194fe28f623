from contextlib import closing
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from teachgym.testing.equality import difference
from teachgym.testing.world import check_world
from teachgym.worlds.slot_env import SlotEnv
from teachgym.worlds.world_batch import SerialBatch
from tests.toy import Wander


def make() -> SlotEnv:
    return SlotEnv(SerialBatch([Wander(render_mode="rgb_array")]))


@pytest.mark.filterwarnings("ignore:.*This is probably too (low|high):UserWarning")
@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes:UserWarning")
def test_it_plays_as_the_world_does() -> None:
    view, world = make(), Wander(render_mode="rgb_array")
    seen = []
    for env in (view, world):
        played: list[Any] = [env.reset(seed=3)]
        for _ in range(3):
            over = False
            while not over:
                observation, reward, terminated, truncated, info = env.step(np.array([0.5]))
                played.append((observation, reward, terminated, truncated, info))
                over = terminated or truncated
            played.append((env.render(),))
            played.append(env.reset(options={"task": [0.2, 0.3]}))
        seen.append(played)
    assert difference(seen[1], seen[0]) is None
    with closing(make()) as env:
        check_env(env, skip_render_check=True)


def test_it_is_a_world() -> None:
    check_world(make)


def test_it_must_be_reset_first_and_after_the_end_of_an_episode() -> None:
    env = make()
    with pytest.raises(ResetNeeded, match="has not begun, or is over"):
        env.step(np.zeros(1))
    env.reset(seed=0)
    over = False
    while not over:
        _, _, terminated, truncated, _ = env.step(np.zeros(1))
        over = terminated or truncated
    with pytest.raises(ResetNeeded, match="has not begun, or is over"):
        env.step(np.zeros(1))


def test_an_action_of_another_shape_is_refused() -> None:
    env = make()
    env.reset()
    with pytest.raises(ValueError, match=r"the action has shape \(2,\); expected \(1,\)"):
        env.step(np.zeros(2))
