from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from teachgym.agents.adversaries.ppo_learner import LOG_STD_RANGE, PPOLearner, PPOLearnerSettings, Rollout
from teachgym.core.task_space import FloatArray
from teachgym.students.lifetimes.global_state import preserved, seed_all
from teachgym.students.torch_state import weights_of
from teachgym.testing.equality import difference

LANES, STEPS = 4, 3


class Target(gymnasium.Env[Any, Any]):
    """Three steps; each is paid by how near the action is to a number that the observation shows."""

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def _observation(self) -> FloatArray:
        return np.array([self.target, self.step_index / 3], dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[FloatArray, dict[str, Any]]:
        super().reset(seed=seed)
        self.target, self.step_index = self.np_random.uniform(-1, 1), 0
        return self._observation(), {}

    def step(self, action: FloatArray) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        self.step_index += 1
        return self._observation(), -abs(float(action[0]) - self.target), self.step_index == STEPS, False, {}


class Keep(BaseCallback):
    """Keeps a copy of the rollout before the algorithm trains on it."""

    rollout: Rollout

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        buffer = self.model.rollout_buffer  # type: ignore[attr-defined]
        assert isinstance(buffer, RolloutBuffer)
        names = ("observations", "actions", "rewards", "values", "log_probs")
        arrays = {name: getattr(buffer, name).astype(np.float64) for name in names}
        self.rollout = Rollout(starts=buffer.episode_starts.astype(np.bool_), **arrays)
        seed_all(77)


class FixedSeed:
    """A generator that gives the seed 77."""

    def integers(self, high: int) -> int:
        return 77


def learner(settings: PPOLearnerSettings | None = None, *, lanes: int = LANES, seed: int = 0) -> PPOLearner:
    chosen = PPOLearnerSettings(minibatches=2) if settings is None else settings
    return PPOLearner(2, 1, steps=STEPS, lanes=lanes, settings=chosen, rng=np.random.default_rng(seed))


def play(policy: PPOLearner, rng: np.random.Generator, lanes: int = LANES) -> Rollout:
    """One episode of ``Target`` in each lane."""
    observations, actions = np.zeros((STEPS, lanes, 2)), np.zeros((STEPS, lanes, 1))
    rewards, starts = np.zeros((STEPS, lanes)), np.zeros((STEPS, lanes), dtype=np.bool_)
    starts[0] = True
    for lane in range(lanes):
        target = rng.uniform(-1, 1)
        for step in range(STEPS):
            observations[step, lane] = target, step / 3
            actions[step, lane] = policy.draw(observations[step, lane], rng)
            rewards[step, lane] = -abs(np.clip(actions[step, lane, 0], -1, 1) - target)
    values, log_probs = policy.evaluate(observations.reshape(-1, 2), actions.reshape(-1, 1))
    shape = STEPS, lanes
    return Rollout(observations, actions, rewards, starts, values.reshape(shape), log_probs.reshape(shape))


@pytest.mark.learned
def test_an_update_is_bit_for_bit_the_one_of_stable_baselines3_on_the_same_rollout() -> None:
    settings = PPOLearnerSettings(minibatches=2)
    mine = learner(settings)
    keep = Keep()
    with preserved():
        seed_all(5)
        theirs = PPO(
            "MlpPolicy",
            DummyVecEnv([Target] * LANES),
            n_steps=STEPS,
            batch_size=LANES * STEPS // 2,
            n_epochs=8,
            learning_rate=3e-4,
            ent_coef=0.01,
            clip_range=0.2,
            gamma=0.99,
            gae_lambda=0.9,
            policy_kwargs={"net_arch": [64, 64], "activation_fn": nn.Tanh},
            device="cpu",
            seed=5,
        )
        mine.policy.load_state_dict(theirs.policy.state_dict())
        for _ in range(2):  # the second update begins with what Adam remembers of the first
            theirs.learn(LANES * STEPS, callback=keep, reset_num_timesteps=False)
            mine.train(keep.rollout, FixedSeed())  # type: ignore[arg-type]
            assert difference(weights_of(theirs.policy), weights_of(mine.policy)) is None


@pytest.mark.learned
def test_it_learns_to_do_what_is_paid() -> None:
    settings = PPOLearnerSettings(learning_rate=3e-3, entropy_coefficient=0)
    policy, rng = learner(settings, lanes=16), np.random.default_rng(1)
    rewards = []
    for _ in range(60):
        rollout = play(policy, rng, 16)
        rewards.append(float(rollout.rewards.mean()))
        policy.train(rollout, rng)
    assert rewards[0] < -0.6
    assert np.mean(rewards[-5:]) > -0.3


def test_draws_follow_the_gaussian_whose_log_density_is_given() -> None:
    policy, rng = learner(PPOLearnerSettings(minibatches=2, log_std_init=-1)), np.random.default_rng(0)
    observation = np.array([0.3, 0.7])
    actions = np.array([policy.draw(observation, rng) for _ in range(3000)])
    _, log_probs = policy.evaluate(np.tile(observation, (3000, 1)), actions)
    mean, std = actions.mean(), actions.std()
    assert std == pytest.approx(np.exp(-1), rel=0.05)
    expected = -0.5 * ((actions[:, 0] - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(log_probs, expected, atol=0.4)
    assert np.corrcoef(log_probs, expected)[0, 1] > 0.99


def test_a_learner_restored_from_its_state_goes_on_bit_for_bit() -> None:
    first, second = learner(), learner(seed=1)
    rng = np.random.default_rng(0)
    first.train(play(first, rng), rng)
    second.train(play(second, rng), rng)
    second.load(first.state())
    rollout = play(first, rng)
    for policy in (first, second):
        policy.train(rollout, np.random.default_rng(9))
    assert difference(first.state(), second.state()) is None


def test_the_policys_spread_stays_within_limits() -> None:
    settings = PPOLearnerSettings(minibatches=2, log_std_init=1.95, entropy_coefficient=1e3, learning_rate=0.1)
    policy, rng = learner(settings), np.random.default_rng(0)
    policy.train(play(policy, rng), rng)
    assert policy.policy.log_std.tolist() == [LOG_STD_RANGE[1]]


def test_global_generators_are_left_as_they_were() -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    policy, rng = learner(), np.random.default_rng(0)
    policy.train(play(policy, rng), rng)
    assert torch.equal(torch_before, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_before[1], np.random.get_state()[1])  # type: ignore[index] # noqa: NPY002


def test_transitions_that_make_no_equal_minibatches_are_refused() -> None:
    with pytest.raises(ValueError, match="5 minibatches can't share 12 transitions"):
        learner(PPOLearnerSettings(minibatches=5))
    with pytest.raises(ValueError, match="with 2 or more in each"):
        learner(PPOLearnerSettings(minibatches=12))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"clip_range": 0}, "clip_range is 0"),
        ({"entropy_coefficient": -1}, "entropy_coefficient is -1; expected a number, at least 0"),
        ({"discount": 1.01}, "discount is 1.01"),
        ({"hidden": (0,)}, "hidden is .0,.; expected"),
        ({"log_std_init": 3}, r"log_std_init is 3; expected a number in \[-5.0, 2.0\]"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PPOLearnerSettings(**setting)
