"""What PAIRED and minimax share: a policy that writes a task number by number, and is paid for what came of it."""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.running_mean_std import RunningMeanStd

import teachgym.students.rl.sb3_state  # noqa: F401 - by which running means are kept
from teachgym.agents.adversaries.ppo_learner import PPOLearner, PPOLearnerSettings, Rollout
from teachgym.agents.base.repeated_tasks import RepeatedTasks
from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.base.ranges import NonNegativeInt, PositiveInt
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note

MOST_UNLIKELY = 10.0
"""Log ratio of densities, in one step, above which a late answer is too far from the present policy to learn from."""


@checked_dataclass
class LevelAdversarySettings(PPOLearnerSettings):
    """Settings of an adversary that makes tasks, beside those of its PPO.

    Raises:
        ValueError: If a value is not allowed.
    """

    episodes_per_task: PositiveInt = 1
    """Times that a task is offered in a row before it is paid for."""
    tasks_per_update: int = 16
    """Paid tasks between two updates of the policy, a multiple of the minibatches; the source has 16 worlds at once."""
    noise_dimensions: NonNegativeInt = 10
    """Uniform random numbers that the policy sees at each step, from 0 to 1."""
    normalise_rewards: bool = True
    """Whether rewards are divided by their running standard deviation."""

    def __post_init__(self) -> None:
        check_whole("tasks_per_update", self.tasks_per_update, 2 * self.minibatches)
        if self.tasks_per_update % self.minibatches:
            raise ValueError(
                f"tasks_per_update is {self.tasks_per_update}; expected a multiple of minibatches, {self.minibatches}"
            )


class LevelAdversary(TaskTeacher):
    """A teacher that chooses a task's n parameters one after the other, and learns from its reward by PPO.

    At each step the policy sees the parameters chosen so far, mapped to [-1, 1] (0 for those to come), the index of
    the step divided by n, and fresh uniform noise. Its Gaussian action goes through a tanh to [-1, 1] and from there
    linearly to the parameter's range. The reward comes with the last step. Subclasses define it.

    Args:
        spec: The environment's fixed facts.
        settings: The settings; None takes the defaults.
        seed: Non-negative integer.
    """

    settings: LevelAdversarySettings
    keeps = ("_learner", "_offers", "_paid", "_rewards", "_spread")
    _paid: list[dict[str, NDArray[Any]]]

    def __init__(self, spec: TeachingSpec, settings: LevelAdversarySettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, n = self.settings, self.task_space.dimensions
        self._learner = PPOLearner(
            n + 1 + chosen.noise_dimensions,
            1,
            steps=n,
            lanes=chosen.tasks_per_update,
            settings=chosen,
            rng=self.rng,
        )
        self._offers = RepeatedTasks(chosen.episodes_per_task)
        self._paid = []
        self._rewards: list[float] = []
        self._spread = RunningMeanStd()

    @abstractmethod
    def _result(self, feedback: Feedback) -> FloatArray:
        """What to keep of an answer."""

    @abstractmethod
    def _reward(self, results: FloatArray) -> float:
        """What a task is worth, whose answers gave ``results``, ``(episodes_per_task, m)``."""

    def _choose(self) -> Choice:
        again = self._offers.again()
        if again is not None:
            task, number = again
            return Choice(task, "adversary", number)
        n = self.task_space.dimensions
        observations = np.zeros((n, n + 1 + self.settings.noise_dimensions))
        observations[:, n] = np.arange(n) / n
        observations[:, n + 1 :] = self.rng.random((n, self.settings.noise_dimensions))
        actions = np.empty((n, 1))
        for step in range(n):
            actions[step] = self._learner.draw(observations[step], self.rng)
            observations[step + 1 :, step] = np.tanh(actions[step])
        task = self.task_space.denormalise((np.tanh(actions[:, 0]) + 1) / 2)
        _, log_probs = self._learner.evaluate(observations, actions)
        memo = {"observations": observations, "actions": actions, "log_probs": log_probs}
        return Choice(task, "adversary", self._offers.begin(task, memo))

    def _learn_from(self, task: FloatArray, feedback: Feedback, note: Note | None) -> None:
        result = self._result(feedback)
        paid = None if note is None else self._offers.answer(note.memo, result)
        if paid is None:
            return
        values, log_probs = self._learner.evaluate(paid.memo["observations"], paid.memo["actions"])
        if np.max(np.abs(log_probs - paid.memo["log_probs"])) > MOST_UNLIKELY:
            return
        self._paid.append(paid.memo | {"values": values})
        self._rewards.append(self._reward(np.array(paid.results)))
        if len(self._rewards) == self.settings.tasks_per_update:
            self._update_policy()
            self._paid, self._rewards = [], []

    def _update_policy(self) -> None:
        final = np.array(self._rewards)
        if self.settings.normalise_rewards:
            self._spread.update(final)
            final = final / np.sqrt(self._spread.var + 1e-8)
        shape = self.task_space.dimensions, len(final)
        rewards, starts = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        rewards[-1], starts[0] = final, True
        columns = {name: np.stack([memo[name] for memo in self._paid], axis=1) for name in self._paid[0]}
        self._learner.train(Rollout(rewards=rewards, starts=starts, **columns), self.rng)
