"""What holds in every registered environment: in vectors and processes of other libraries, copied, stored, misspelt."""

import copy
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.vector.utils import create_shared_memory
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

from teachgym import Feedback
from teachgym.base.registry import environment_id
from teachgym.envs import ENVIRONMENTS, WORLDS
from teachgym.testing import check_teacher_env, check_world
from teachgym.testing.equality import difference
from tests.envs.every_environment import TABLE, WITH_RL_STUDENT, in_turn, make
from tests.envs.tasks.curricula import QUICK_PPO, make_env


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_keeps_the_contract(name: str) -> None:
    check_world(lambda: gymnasium.make(environment_id(name)))


@pytest.mark.parametrize(
    ("name", "variant"),
    [(name, variant) for name, entry in ENVIRONMENTS.items() for variant in ("", *entry.variants)],
)
def test_a_teacher_environment_keeps_the_contract(name: str, variant: str) -> None:
    check_teacher_env(lambda: make(name, variant))


@pytest.mark.parametrize("name", TABLE)
def test_an_unknown_keyword_is_an_error_as_pythons_own(name: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'frameskip'"):
        make(name, frameskip=4)
    if name in ("SimulatedSkills", "SimulatedTasks", "OpenEnded"):
        with pytest.raises(ValueError, match=r"unknown setting of .* 'frameskip'"):
            make(name, frameskip=4)


@pytest.mark.parametrize("name", [name for name in TABLE if name not in WITH_RL_STUDENT])
def test_what_is_copied_or_pickled_goes_on_as_the_original(name: str) -> None:
    def rest(env: gymnasium.Env[Any, Any]) -> list[Any]:
        outputs = [env.step(action) for action in actions]
        return [(*output[:-1], output[-1].get("spent")) for output in outputs]

    env = make(name)
    env.action_space.seed(0)
    first, *actions = [env.action_space.sample() for _ in range(3)]
    env.reset(seed=0)
    env.step(first)
    pickled, copied = pickle.loads(pickle.dumps(env)), copy.deepcopy(env)
    expected = rest(env)
    assert difference(expected, rest(pickled), "of the pickled one") is None
    assert difference(expected, rest(copied), "of the copy") is None


@pytest.mark.parametrize("name", WITH_RL_STUDENT)
def test_an_environment_with_a_student_in_its_loop_says_how_to_store_it(name: str) -> None:
    env = make(name)
    for store in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match=r"can't be copied or pickled, .* load_state_dict what state_dict of this"):
            store(env)


def test_ppo_teaches_a_student_that_learns_by_ppo() -> None:
    env = make("StumpTracks", budget=1500)
    teacher = PPO("MlpPolicy", env, n_steps=8, batch_size=8, device="cpu").learn(16)
    assert teacher.num_timesteps == 16


def test_traces_are_the_same_in_a_vector_of_stable_baselines() -> None:
    env, inside = (make_env(student="ppo", student_settings=QUICK_PPO, steps=50) for _ in range(2))
    vector = DummyVecEnv([lambda: inside])
    vector.seed(0)
    vector.reset()
    env.reset(seed=0)
    for task in ([0.5], [-0.5], [0.25]):
        *_, info = env.step(task)
        *_, infos = vector.step(np.array([task], dtype=np.float32))
        assert infos[0]["feedback"] == info["feedback"]
        assert infos[0]["feedback"].trace.values.tolist() == info["feedback"].trace.values.tolist()


@pytest.mark.slow
def test_all_that_environments_tell_crosses_processes() -> None:
    """One process for each library, in which all environments take their turn."""
    one: Any = SubprocVecEnv([in_turn], start_method="spawn")
    other: Any = AsyncVectorEnv([in_turn], context="spawn", autoreset_mode=AutoresetMode.DISABLED)
    nothing = np.zeros((1, 1), dtype=np.float32)
    try:
        one.reset()
        for name in TABLE:
            assert other.reset()[1]["of"][0] == one.reset_infos[0]["of"] == name
            over, answered = False, False
            while not over:
                *_, dones, infos = one.step(nothing)
                over, told = bool(dones[0]), infos[0]
                *_, info = other.step(nothing)
                assert info["of"][0] == told["of"] == name
                if "feedback" in told:
                    assert info["feedback"][0] == told["feedback"]
                    answered |= isinstance(told["feedback"], Feedback)
            assert answered or name == "ParametricBipedalWalker"
    finally:
        one.close()
        other.close()


@pytest.mark.parametrize("name", TABLE)
def test_observations_fit_the_shared_memory_of_a_vector(name: str) -> None:
    create_shared_memory(make(name).observation_space)
