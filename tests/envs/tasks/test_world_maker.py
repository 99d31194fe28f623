"""Worlds that are registered as a batch are played as that batch, all others one after the other."""

import sys
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from teachgym.envs.tasks.world_maker import WorldMaker
from teachgym.worlds.sb3_vec_env import SB3VecEnv
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import Played, SerialBatch
from tests.envs.tasks.curricula import QUICK_PPO, equal_weights, make_env, run, weights
from tests.toy import Reach

LENGTH = 4


class Whole(SerialBatch):
    """A batch that counts its calls."""

    calls = 0

    def step(self, slots: Any, actions: Any) -> Played:
        Whole.calls += 1
        return super().step(slots, actions)


def make_whole(
    num_envs: int, *, autoreset_mode: Any = AutoresetMode.NEXT_STEP, max_episode_steps: int, length: int = 5
) -> BatchVectorEnv:
    worlds = [gymnasium.wrappers.TimeLimit(Reach(length), max_episode_steps) for _ in range(num_envs)]
    return BatchVectorEnv(Whole(worlds), autoreset_mode=autoreset_mode)


def make_other(num_envs: int, *, autoreset_mode: AutoresetMode, max_episode_steps: int) -> VectorEnv[Any, Any, Any]:
    return SyncVectorEnv([Reach] * num_envs, autoreset_mode=autoreset_mode)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    entry = {"entry_point": Reach, "max_episode_steps": LENGTH}
    gymnasium.register("tests/Whole-v0", vector_entry_point=make_whole, **entry)  # type: ignore[arg-type]
    gymnasium.register("tests/Other-v0", vector_entry_point=make_other, **entry)  # type: ignore[arg-type]
    gymnasium.register("tests/Plain-v0", **entry)  # type: ignore[arg-type]
    yield
    for name in ("Whole", "Other", "Plain"):
        del gymnasium.registry[f"tests/{name}-v0"]


def test_a_world_that_is_registered_as_a_batch_is_made_as_one() -> None:
    batch = WorldMaker("tests/Whole-v0").make_batch(3)
    assert isinstance(batch, Whole)
    assert batch.size == 3
    assert isinstance(WorldMaker(f"{__name__}:tests/Whole-v0").make_batch(1), Whole)
    assert __name__ in sys.modules


@pytest.mark.parametrize("world", ["tests/Plain-v0", "tests/Other-v0", Reach])
def test_other_worlds_are_played_one_after_the_other(world: Any) -> None:
    batch = WorldMaker(world).make_batch(2)
    assert type(batch) is SerialBatch
    assert batch.size == 2


def test_settings_go_to_single_worlds_and_batches_alike() -> None:
    for name in ("Whole", "Plain"):
        maker = WorldMaker(f"tests/{name}-v0", {"length": 2})
        batch = maker.make_batch(1)
        batch.reset(np.arange(1), [np.zeros(1)])
        ends = [bool(batch.step(np.arange(1), np.zeros((1, 1), dtype=np.float32))[2][0]) for _ in range(2)]
        assert ends == [False, True]
        assert maker.make_world().unwrapped._length == 2  # type: ignore[attr-defined]
        assert maker.make_world(length=3).unwrapped._length == 3  # type: ignore[attr-defined]


def test_less_than_one_world_is_refused() -> None:
    with pytest.raises(ValueError, match="slots is 0; expected a whole number, at least 1"):
        WorldMaker(Reach).make_batch(0)


def test_a_curriculum_is_the_same_whether_its_worlds_are_a_batch_or_not() -> None:
    def teach(world: str) -> Any:
        env = make_env(world=world, student="ppo", student_settings=QUICK_PPO | {"slots": 3}, steps=120)
        answers = run(env, seed=2)
        return answers, weights(env), env.evaluate().returns

    Whole.calls = 0
    answers, weights_of_batch, returns = teach("tests/Whole-v0")
    assert Whole.calls == 120 / 3 + LENGTH
    expected, weights_of_worlds, expected_returns = teach("tests/Plain-v0")
    assert answers == expected
    assert equal_weights(weights_of_batch, weights_of_worlds)
    assert np.array_equal(returns, expected_returns)
    assert all(answer.cost == LENGTH for answer in answers if answer is not None)


def test_stable_baselines_plays_what_gymnasium_makes_of_its_name() -> None:
    env = SB3VecEnv(gymnasium.make_vec("tests/Whole-v0", num_envs=2, autoreset_mode=AutoresetMode.SAME_STEP))
    env.reset()
    for _ in range(LENGTH):
        _, _, dones, _ = env.step(np.zeros((2, 1), dtype=np.float32))
    assert dones.all()
