"""Stable-Baselines3 sees a batch as it sees the same worlds in its own vector environment."""

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from teachgym.testing.equality import difference
from teachgym.worlds.sb3_vec_env import SB3VecEnv
from teachgym.worlds.vector_env import BatchVectorEnv
from teachgym.worlds.world_batch import SerialBatch
from tests.toy import Countdown, Reach, Wander


def make(count: int = 3, **settings: Any) -> SB3VecEnv:
    batch = SerialBatch([Wander(**settings) for _ in range(count)])
    return SB3VecEnv(BatchVectorEnv(batch, autoreset_mode=AutoresetMode.SAME_STEP))


def make_dummy(count: int = 3, **settings: Any) -> DummyVecEnv:
    return DummyVecEnv([lambda: Wander(**settings)] * count)


@pytest.mark.parametrize("keys", [True, False])
def test_it_gives_what_a_dummy_vec_env_gives(keys: bool) -> None:
    seen = []
    for env in (make(keys=keys), make_dummy(keys=keys)):
        env.seed(4)
        env.action_space.seed(0)
        played: list[Any] = [np.array(env.reset()), [info["task"] for info in env.reset_infos]]
        for _ in range(80):
            observations, rewards, dones, infos = env.step(np.array([env.action_space.sample() for _ in range(3)]))
            ends = [
                (info["terminal_observation"], info["TimeLimit.truncated"])
                for info in infos
                if "terminal_observation" in info
            ]
            played.append((observations, rewards, dones, ends, [info["task"] for info in env.reset_infos]))
        seen.append(played)
    assert difference(seen[1], seen[0]) is None
    assert sum(len(step[3]) for step in seen[0][2:]) > 30
    assert seen[0][2][1].dtype == seen[1][2][1].dtype == np.float32


@pytest.mark.parametrize("wrapper", [None, VecNormalize, VecMonitor])
def test_ppo_learns_the_same_weights_in_it_as_in_a_dummy_vec_env(wrapper: Any) -> None:
    def learn(env: Any) -> dict[str, torch.Tensor]:
        env = env if wrapper is None else wrapper(env)
        model = PPO("MlpPolicy", env, n_steps=32, batch_size=32, n_epochs=2, seed=0, device="cpu")
        model.learn(32 * 3 * 4)
        assert model._n_updates == 8
        return model.policy.state_dict()

    ours, theirs = learn(make()), learn(make_dummy())
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_sac_learns_the_same_weights_in_it_as_in_a_dummy_vec_env() -> None:
    def learn(env: Any) -> dict[str, torch.Tensor]:
        model = SAC("MlpPolicy", env, learning_starts=30, batch_size=16, seed=0, device="cpu")
        model.learn(150)
        return model.policy.state_dict()

    ours, theirs = learn(make()), learn(make_dummy())
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_time_outs_are_told_from_terminations() -> None:
    for times_out in (True, False):
        batch = SerialBatch([Countdown(times_out=times_out)])
        env = SB3VecEnv(BatchVectorEnv(batch, autoreset_mode="SameStep"))
        env.set_options({"task": [1.0, 0.5]})
        env.reset()
        _, _, dones, infos = env.step(np.zeros((1, 1)))
        assert dones.tolist() == [True]
        assert infos[0]["TimeLimit.truncated"] is times_out


def test_episode_statistics_work() -> None:
    worlds = [Reach() for _ in range(2)]
    env = VecMonitor(SB3VecEnv(BatchVectorEnv(SerialBatch(worlds), autoreset_mode="SameStep")))
    model = PPO("MlpPolicy", env, n_steps=20, batch_size=20, n_epochs=1, seed=0, device="cpu").learn(40)
    assert model.ep_info_buffer is not None
    assert [episode["l"] for episode in model.ep_info_buffer] == [5] * 8
    mean, _ = evaluate_policy(model, env, n_eval_episodes=4)
    assert float(np.mean(mean)) < 0


def test_options_go_to_the_next_reset_only() -> None:
    env = make(2)
    env.set_options({"task": [0.1, 0.2]})
    env.reset()
    assert [task.tolist() for task in env.get_attr("task")] == [[0.1, 0.2]] * 2
    env.set_options([{"task": [0.3, 0.4]}, {}])
    env.reset()
    assert env.get_attr("task", 0)[0].tolist() == [0.3, 0.4]
    env.reset()
    assert env.get_attr("task", 0)[0].tolist() != [0.3, 0.4]
    env.set_options([{}, {"tsk": [0.3, 0.4]}])
    with pytest.raises(ValueError, match="unknown reset option 'tsk'; did you mean 'task'"):
        env.reset()


def test_bare_numbers_set_the_task_of_one_slot_each() -> None:
    env = make(2, dimensions=1)
    env.set_options([{"task": 0.3}, {"task": 0.4}])
    env.reset()
    assert [task.tolist() for task in env.get_attr("task")] == [[0.3], [0.4]]


def test_attributes_are_those_of_the_slots_or_of_the_whole_batch() -> None:
    env = make(2, render_mode="rgb_array")
    env.seed(3)
    env.reset()
    assert env.render_mode == "rgb_array"
    assert env.get_attr("task_space") == [Wander().task_space] * 2
    assert env.get_attr("size", [1]) == [2]
    assert len(env.get_attr("np_random")) == 2
    assert env.has_attr("task_space")
    assert not env.has_attr("wings")
    assert env.env_is_wrapped(object) == [False, False]  # type: ignore[arg-type]
    pictures = env.env_method("render")
    assert difference(pictures, list(env.get_images())) is None
    picture = env.render(mode="rgb_array")
    assert picture is not None
    assert picture.shape == (8, 6, 3)
    with pytest.raises(AttributeError, match="no attributes of their own"):
        env.set_attr("task", 0)
    with pytest.raises(AttributeError, match="no method 'jump' for one slot; known: render"):
        env.env_method("jump")


def test_other_vector_environments_and_modes_are_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a teachgym\.worlds\.vector_env\.BatchVectorEnv"):
        SB3VecEnv(SyncVectorEnv([Wander]))
    with pytest.raises(ValueError, match=r"make it with AutoresetMode\.SAME_STEP"):
        SB3VecEnv(BatchVectorEnv(SerialBatch([Wander()])))
