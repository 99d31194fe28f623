import math
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from teachgym.base.files import read_state, write_state
from teachgym.envs.tasks.task_teaching_env import TaskTeachingEnv
from teachgym.students import STUDENTS, RLStudent, make_student
from teachgym.students.rl.averaged_policy import AveragedPolicy
from teachgym.students.rl.ppo import PPOSettings, PPOStudent
from teachgym.students.rl.sac import SACSettings, SACStudent
from tests.toy import Countdown, Reach

QUICK_PPO, QUICK_SAC = STUDENTS["ppo"].quick_settings, STUDENTS["sac"].quick_settings
QUICK = [("ppo", QUICK_PPO), ("sac", QUICK_SAC)]
SPACES = Reach().observation_space, Reach().action_space


class Watched:
    """Keeps the algorithm that a student makes, so that a test can look into it."""

    algorithm: BaseAlgorithm

    def _make_algorithm(self, worlds: VecEnv, *, steps: int, seed: int) -> BaseAlgorithm:
        self.algorithm = super()._make_algorithm(worlds, steps=steps, seed=seed)  # type: ignore[misc]
        return self.algorithm


class WatchedPPO(Watched, PPOStudent):
    pass


class WatchedSAC(Watched, SACStudent):
    pass


def make_env(student: RLStudent, steps: int, world: Any = Reach) -> TaskTeachingEnv:
    return TaskTeachingEnv(world, student=student, budget=steps, outcome_range=(-5.0, 0.0), mastered_above=-0.5)


def play(env: TaskTeachingEnv, decisions: int | None = None) -> None:
    """Teach random tasks, to the end of the budget or for some decisions."""
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    done, over = 0, False
    while not over and done != decisions:
        _, _, over, _, _ = env.step(env.task_space.uniform(rng))
        done += 1


def some_observations() -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-1, 1, size=(20, 2)).astype(np.float32)


@pytest.mark.learned
@pytest.mark.parametrize(
    ("name", "settings", "steps"),
    [("ppo", QUICK_PPO, 3000), ("sac", QUICK_SAC, 1200), ("sac", {**QUICK_SAC, "precision": "bfloat16"}, 1200)],
)
def test_the_student_learns_the_toy(name: str, settings: dict[str, Any], steps: int) -> None:
    env = make_env(make_student(name, **settings), steps)
    env.reset(seed=0)
    untrained = env.evaluate()
    play(env)
    trained = env.evaluate()
    assert untrained.mean_return < -1.5
    assert trained.mean_return > -0.5
    assert trained.mastered > 80 > untrained.mastered


@pytest.mark.parametrize(("name", "settings"), QUICK)
def test_a_stored_student_acts_as_the_one_that_was_stored(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    env = make_env(make_student(name, **settings), 600)
    play(env, 50)
    state = env.lifetime.student.state_dict()
    assert state is not None
    write_state(tmp_path / "student", state)
    fresh = make_student(name, **settings)
    fresh.load_state_dict(read_state(tmp_path / "student"), *SPACES)
    observations = some_observations()
    expected = env.lifetime.student.act(observations)
    assert expected.shape == (20, 1)
    assert len(np.unique(expected)) > 1
    assert np.array_equal(fresh.act(observations), expected)
    again = fresh.state_dict()
    assert again is not None
    assert again.keys() == state.keys()
    assert all(np.array_equal(again["weights"][key], state["weights"][key]) for key in state["weights"])


@pytest.mark.parametrize(("name", "settings"), QUICK)
def test_a_state_is_a_snapshot_that_later_learning_does_not_change(name: str, settings: dict[str, Any]) -> None:
    env = make_env(make_student(name, **settings), 600)
    play(env, 50)
    fresh = make_student(name, **settings)
    state = env.lifetime.student.state_dict()
    expected = env.lifetime.student.act(some_observations())
    assert state is not None
    for _ in range(40):
        env.step(np.array([0.5]))
    assert not np.array_equal(env.lifetime.student.act(some_observations()), expected)
    fresh.load_state_dict(state, *SPACES)
    assert np.array_equal(fresh.act(some_observations()), expected)


def test_ppo_acts_as_stable_baselines_does_on_normalised_observations() -> None:
    env = make_env(WatchedPPO(PPOSettings(**QUICK_PPO)), 600)
    play(env)
    student = env.lifetime.student
    assert isinstance(student, WatchedPPO)
    normaliser = student.algorithm.get_vec_normalize_env()
    assert isinstance(normaliser, VecNormalize)
    assert normaliser.training
    observations = 3 * some_observations()
    normalised = np.asarray(normaliser.normalize_obs(observations))
    assert not np.allclose(normalised, observations, atol=0.1)
    expected, _ = student.algorithm.policy.predict(normalised, deterministic=True)
    assert np.array_equal(student.act(observations), expected)


def test_sac_acts_as_stable_baselines_does() -> None:
    env = make_env(WatchedSAC(SACSettings(**QUICK_SAC)), 400)
    play(env)
    student = env.lifetime.student
    assert isinstance(student, WatchedSAC)
    expected, _ = student.algorithm.predict(some_observations(), deterministic=True)
    assert np.array_equal(student.act(some_observations()), expected)


@pytest.mark.parametrize("every", [10, 4])
def test_sac_updates_after_each_episode_once_per_ten_steps_rounded_up(every: int) -> None:
    settings = SACSettings(hidden=(4,), batch_size=8, random_steps=60, steps_per_update=every, device="cpu")
    env = make_env(WatchedSAC(settings), 400, world=lambda: Countdown(longest=35.0))
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    student = env.lifetime.student
    assert isinstance(student, WatchedSAC)
    expected, played, waiting = 0, 0, 0
    for _ in range(12):
        task = env.task_space.uniform(rng)
        _, _, over, _, info = env.step(task)
        assert not over
        expected += waiting  # what an episode teaches is learnt at the start of the next step
        assert student.algorithm._n_updates == expected
        length = math.ceil(task[0])
        assert info["feedback"].cost == length
        played += length
        waiting = math.ceil(length / every) if played > 60 else 0
    assert expected > 10


@pytest.mark.parametrize("slots", [2, 3])
def test_sac_with_several_slots_updates_at_the_same_ratio(slots: int) -> None:
    settings = SACSettings(slots=slots, hidden=(4,), batch_size=8, random_steps=60, device="cpu")
    env = make_env(WatchedSAC(settings), 300)
    play(env)
    assert isinstance(env.lifetime.student, WatchedSAC)
    rounds = 300 // (10 * slots)
    before = 60 // (10 * slots)
    assert env.lifetime.student.algorithm._n_updates == slots * (rounds - before)


def test_ppo_updates_once_per_full_rollout() -> None:
    env = make_env(WatchedPPO(PPOSettings(**QUICK_PPO)), 4 * 32 * 3 + 100)
    play(env)
    assert isinstance(env.lifetime.student, WatchedPPO)
    assert env.lifetime.student.algorithm._n_updates == 3 * 5


def test_the_noise_and_the_discount_of_ppo_follow_their_lines_and_are_not_learnt() -> None:
    settings = PPOSettings(**QUICK_PPO, log_std_init=0.5, log_std_final=-1.0, discount=0.9, discount_final=0.99)
    env = make_env(WatchedPPO(settings), 600)
    env.reset(seed=0)
    student = env.lifetime.student
    assert isinstance(student, WatchedPPO)
    seen: dict[int, tuple[float, ...]] = {}
    over = False
    while not over:
        _, _, over, _, _ = env.step(np.array([0.5]))
        algorithm = student.algorithm
        assert isinstance(algorithm, PPO)
        assert isinstance(algorithm.policy, ActorCriticPolicy)
        rewards = algorithm.get_vec_normalize_env()
        assert rewards is not None
        seen[algorithm.num_timesteps // 128] = (
            float(algorithm.policy.log_std.detach()[0]), algorithm.gamma, algorithm.rollout_buffer.gamma, rewards.gamma
        )  # fmt: skip
    # A rollout is 128 steps; the log falls by 1.5 over half of the 600 steps, and 1 - gamma to a tenth.
    shares = {0: 0.0, 1: 128 / 300, 2: 256 / 300, 3: 1.0, 4: 1.0}
    assert seen.keys() == shares.keys()
    for number, share in shares.items():
        discount = 1 - 0.1 * 0.1**share
        np.testing.assert_allclose(seen[number], (0.5 - 1.5 * share, discount, discount, discount), atol=1e-6)


def test_the_lines_of_ppo_are_no_shorter_than_their_least_number_of_steps() -> None:
    settings = PPOSettings(**{**QUICK_PPO, "schedule_steps": 6_000}, log_std_init=0.0, log_std_final=-1.0)
    env = make_env(WatchedPPO(settings), 600)
    play(env)
    student = env.lifetime.student
    assert isinstance(student, WatchedPPO)
    assert isinstance(student.algorithm.policy, ActorCriticPolicy)
    assert math.isclose(float(student.algorithm.policy.log_std.detach()[0]), -512 / 6_000, abs_tol=1e-6)


@pytest.mark.parametrize(
    ("first", "desired", "sizes"),
    [
        (1e-3, None, [1e-3, 1e-3, 1e-3, 1e-3]),
        (1e-3, 1e-9, [1e-3, 1e-3 / 1.5, 1e-3 / 1.5**2, 1e-3 / 1.5**3]),
        (1e-3, 1e9, [1e-3, 1.5e-3, 1.5e-3 * 1.5, 3e-3]),
        (1e-2, 1e9, [1e-2, 1e-2, 1e-2, 1e-2]),  # beyond the bounds it is not pulled back against its direction
        (1e-6, 1e-9, [1e-6, 1e-6, 1e-6, 1e-6]),
    ],
)
def test_the_step_size_of_ppo_follows_the_divergence_of_its_updates(
    first: float, desired: float | None, sizes: list[float]
) -> None:
    settings = PPOSettings(**{**QUICK_PPO, "learning_rate": first}, desired_kl=desired)
    env = make_env(WatchedPPO(settings), 128 * 4)
    env.reset(seed=0)
    seen: dict[int, float] = {}
    over = False
    while not over:
        assert isinstance(env.lifetime.student, WatchedPPO)
        algorithm = env.lifetime.student.algorithm
        seen[algorithm.num_timesteps // 128] = algorithm.policy.optimizer.param_groups[0]["lr"]
        _, _, over, _, _ = env.step(np.array([0.5]))
    assert [seen[number] for number in sorted(seen)][:4] == pytest.approx(sizes)


def test_a_step_size_stays_where_updates_diverge_as_desired() -> None:
    env = make_env(WatchedPPO(PPOSettings(**{**QUICK_PPO, "learning_rate": 1e-3}, desired_kl=1.0)), 128 * 2)
    env.reset(seed=0)
    assert isinstance(env.lifetime.student, WatchedPPO)
    algorithm = env.lifetime.student.algorithm
    assert isinstance(algorithm, PPO)
    for found, size in ((0.6, 1e-3), (1.9, 1e-3), (2.1, 1e-3 / 1.5), (0.4, 1e-3)):
        with patch.object(PPO, "train", lambda self, found=found: self.logger.record("train/approx_kl", found)):
            algorithm.train()
        assert algorithm.policy.optimizer.param_groups[0]["lr"] == pytest.approx(size)
    env.close()


def test_averaged_weights_follow_each_step_of_the_optimiser_and_are_what_is_tested() -> None:
    observations, actions = spaces.Box(-1, 1, (2,)), spaces.Box(-1, 1, (1,))
    torch.manual_seed(0)
    policy = AveragedPolicy(observations, actions, lambda _: 0.1, averaging=0.5, net_arch=[3])
    plain = ActorCriticPolicy(observations, actions, lambda _: 0.1, net_arch=[3])
    given = some_observations()
    bias = policy.get_parameter("action_net.bias")
    expected = bias.detach().clone()
    for step in range(1, 12):
        policy.optimizer.zero_grad()
        bias.sum().backward()  # type: ignore[no-untyped-call]
        policy.optimizer.step()
        past = min(0.5, (1 + step) / (10 + step))  # a half from the eighth step on
        expected = past * expected + (1 - past) * bias.detach()
    averaged = dict(zip(policy.acting, policy.averaged, strict=True))
    assert torch.allclose(averaged["action_net.bias"], expected)
    assert not torch.allclose(averaged["action_net.bias"], bias)
    assert not any(parameter.requires_grad for parameter in policy.averaged)

    plain.load_state_dict({name: value for name, value in policy.state_dict().items() if name in plain.state_dict()})
    weights = [plain.get_parameter(name) for name in policy.acting]
    torch.manual_seed(1)
    sampled = policy.predict(given)[0]
    torch.manual_seed(1)
    assert np.array_equal(plain.predict(given)[0], sampled)
    for weight, average in zip(weights, policy.averaged, strict=True):
        weight.data.copy_(average)
    assert np.allclose(plain.predict(given, deterministic=True)[0], policy.predict(given, deterministic=True)[0])


def test_the_episode_that_ends_with_the_budget_is_still_learnt_from() -> None:
    settings = SACSettings(hidden=(4,), batch_size=8, random_steps=0, steps_per_update=5, device="cpu")
    env = make_env(WatchedSAC(settings), 15)
    play(env)
    assert isinstance(env.lifetime.student, WatchedSAC)
    assert env.lifetime.student.algorithm._n_updates == 3


@pytest.mark.parametrize(("name", "settings"), QUICK)
def test_without_a_learner_there_is_nothing_to_act_or_store(name: str, settings: dict[str, Any]) -> None:
    student = make_student(name, **settings)
    with pytest.raises(RuntimeError, match="has not begun to learn"):
        student.act(some_observations())
    with pytest.raises(RuntimeError, match="has not begun to learn"):
        student.state_dict()


@pytest.mark.parametrize(("name", "settings"), QUICK)
def test_weights_that_do_not_fit_are_refused(name: str, settings: dict[str, Any]) -> None:
    env = make_env(make_student(name, **settings), 30)
    env.reset(seed=0)
    state = env.lifetime.student.state_dict()
    assert state is not None
    with pytest.raises(ValueError, match="does not fit"):
        make_student(name, **settings | {"hidden": (7,)}).load_state_dict(state, *SPACES)
    with pytest.raises(ValueError, match="does not fit"):
        make_student(name, **settings).load_state_dict(state, spaces.Box(-1, 1, (3,)), SPACES[1])
    other = "sac" if name == "ppo" else "ppo"
    with pytest.raises(ValueError, match="does not fit"):
        make_student(other, **dict(QUICK)[other]).load_state_dict(state, *SPACES)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("ppo", {"slots": 0}, "slots is 0; expected a whole number, at least 1"),
        ("ppo", {"rollout_steps": 0}, "rollout_steps is 0"),
        ("ppo", {"epochs": 0}, "epochs is 0"),
        ("ppo", {"batch_size": 1}, r"batch_size is 1; expected from 2 to slots \* rollout_steps = 8192"),
        ("ppo", {"batch_size": 9000}, "batch_size is 9000"),
        ("sac", {"slots": 0}, "slots is 0; expected a whole number, at least 1"),
        ("sac", {"batch_size": 0}, "batch_size is 0"),
        ("sac", {"buffer_size": 0}, "buffer_size is 0"),
        ("sac", {"steps_per_update": 0}, "steps_per_update is 0"),
        ("ppo", {"hidden": (64, 0)}, "hidden is \\(64, 0\\); expected a list of whole numbers, each at least 1"),
        ("ppo", {"hidden": 64}, "hidden is 64; expected a list of whole numbers"),
        ("ppo", {"entropy_coefficient": -0.1}, "entropy_coefficient is -0.1; expected a number, at least 0"),
        ("ppo", {"entropy_coefficient": "0.1"}, "entropy_coefficient is '0.1'; expected a number"),
        ("ppo", {"log_std_init": 1e3}, "log_std_init is 1000.0; expected a number in \\[-20.0, 20.0\\]"),
        ("ppo", {"log_std_init": float("nan")}, "log_std_init is nan; expected a number, not nan"),
        ("ppo", {"log_std_final": -30.0}, "log_std_final is -30.0; expected a number in \\[-20.0, 20.0\\]"),
        ("ppo", {"schedule_share": -1}, r"schedule_share is -1; expected a number in \[0, 1\]"),
        ("ppo", {"schedule_steps": 0}, "schedule_steps is 0; expected"),
        ("ppo", {"discount_final": 1.0}, r"discount_final is 1\.0; expected a number from discount = 0\.99 to"),
        ("ppo", {"discount": 0.999}, r"discount_final is 0\.995; expected a number from discount = 0\.999 to"),
        ("ppo", {"desired_kl": 0}, "desired_kl is 0; expected a number above 0"),
        ("ppo", {"averaging": 1.0}, r"averaging is 1.0; expected a number in \[0, 1\)"),
        ("sac", {"hidden": (-1,)}, "hidden is \\(.*-1.*\\); expected a list of whole numbers, each at least 1"),
        ("sac", {"precision": "float16"}, "precision is 'float16'; expected one of 'float32', 'bfloat16'"),
        ("ppo", {"target_kl": 0}, "target_kl is 0; expected a number above 0"),
    ],
)
def test_settings_that_are_not_allowed_are_named(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_student(name, **settings)


@pytest.mark.learned
def test_sac_in_bfloat16_keeps_float32_weights_near_those_of_float32() -> None:
    weights = {}
    for precision in ("float32", "bfloat16"):
        env = make_env(make_student("sac", **QUICK_SAC, precision=precision), 220)
        play(env)
        state = env.lifetime.student.state_dict()
        assert state is not None
        weights[precision] = np.concatenate([array.ravel() for array in state["weights"].values()])
        assert weights[precision].dtype == np.float32
    assert (weights["float32"] != weights["bfloat16"]).any()
    np.testing.assert_allclose(weights["bfloat16"], weights["float32"], atol=0.25)


def test_settings_of_another_student_are_refused() -> None:
    with pytest.raises(TypeError, match="expected a PPOSettings"):
        PPOStudent(SACSettings())  # type: ignore[arg-type]


def test_sac_says_that_it_needs_a_box_to_act_in() -> None:
    student = make_student("sac", **QUICK_SAC)
    with pytest.raises(ValueError, match="SAC acts in a box"):
        student.load_state_dict({"weights": {}}, SPACES[0], spaces.Discrete(3))
