"""Rules by which a bandit chooses among arms and learns from the rewards of those that it played."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, final

import numpy as np

from teachgym.agents.arms.arm_rewards import Rescale
from teachgym.base.state import Stateful
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice


def best(values: FloatArray, rng: np.random.Generator) -> int:
    """The arm of greatest value; ties are broken at random."""
    return int(rng.choice(np.flatnonzero(values == values.max())))


def greedy(values: FloatArray, epsilon: float, rng: np.random.Generator) -> tuple[int, str]:
    """The best arm, or with probability epsilon a uniformly random one; and which of the two it is."""
    if rng.random() < epsilon:
        return int(rng.integers(len(values))), "random"
    return best(values, rng), "best"


def softmax(values: FloatArray) -> FloatArray:
    """Probabilities in proportion to the exponentials of the values."""
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)


class ExplorationRule(ABC, Stateful):
    """How a bandit explores: it chooses an arm, and learns the rewards of those chosen.

    Subclasses take the number of arms and, by keyword, their own settings.
    """

    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    """What rewards are mapped to, where they are mapped at all."""
    rescale: ClassVar[Rescale] = "none"
    """How rewards are mapped where the settings don't say."""
    keeps: ClassVar[tuple[str, ...]] = ()
    """Attributes that make up what the rule has learnt: numbers and arrays of numbers."""

    def __init__(self, arms: int, **settings: Any) -> None:
        self.arms = arms

    @abstractmethod
    def choose(self, rng: np.random.Generator) -> Choice:
        """Choose an arm."""

    @abstractmethod
    def learn(self, arm: int, reward: float, memo: FloatArray | None) -> None:
        """Learn an arm's reward; the memo is that of the choice, or None where it is forgotten."""

    @classmethod
    def takes(cls) -> tuple[str, ...]:
        """Names of the rule's own settings."""
        return tuple(inspect.signature(cls).parameters)[1:]


class _Values(ExplorationRule):
    """Rules over the mean reward of every arm; each arm is played once before any is compared."""

    keeps = ("counts", "values")

    def __init__(self, arms: int, *, step_size: float | None = None) -> None:
        super().__init__(arms)
        self._step_size = step_size
        self.counts = np.zeros(arms)
        self.values = np.zeros(arms)

    @final
    def choose(self, rng: np.random.Generator) -> Choice:
        """An arm without an answer if there is one, else by the values."""
        untried = np.flatnonzero(self.counts == 0)
        if untried.size:
            return Choice(int(rng.choice(untried)), "untried")
        return self._compare(rng)

    @abstractmethod
    def _compare(self, rng: np.random.Generator) -> Choice:
        """Choose by the values."""

    @final
    def learn(self, arm: int, reward: float, memo: FloatArray | None) -> None:
        """Move the arm's value towards the reward."""
        self.counts[arm] += 1
        first = self.counts[arm] == 1
        step = 1.0 if first else self._step_size or 1 / self.counts[arm]
        self.values[arm] += step * (reward - self.values[arm])


class EpsilonGreedy(_Values):
    """The best mean so far, or with probability epsilon any arm (Sutton and Barto 2018, section 2.4)."""

    def __init__(self, arms: int, *, epsilon: float = 0.1, step_size: float | None = None) -> None:
        super().__init__(arms, step_size=step_size)
        self._epsilon = epsilon

    def _compare(self, rng: np.random.Generator) -> Choice:
        return Choice(*greedy(self.values, self._epsilon, rng))


class Boltzmann(_Values):
    """In proportion to exp(mean / temperature) (Sutton and Barto 2018, section 2.8, as of values)."""

    def __init__(self, arms: int, *, temperature: float = 0.1, step_size: float | None = None) -> None:
        super().__init__(arms, step_size=step_size)
        self._temperature = temperature

    def _compare(self, rng: np.random.Generator) -> Choice:
        return Choice(int(rng.choice(self.arms, p=softmax(self.values / self._temperature))), "chance")


class _Optimistic(ExplorationRule):
    """Rules that take the greatest mean + c sqrt(ln t / n), of some count n of the arm's answers and t of all."""

    rescale = "bounds"

    def __init__(self, arms: int, *, exploration: float) -> None:
        super().__init__(arms)
        self._exploration = exploration

    @abstractmethod
    def _totals(self) -> tuple[FloatArray, FloatArray]:
        """``(arms,)`` counts and sums of rewards; the counts' sum is t."""

    @final
    def choose(self, rng: np.random.Generator) -> Choice:
        """An arm that counts no answer if there is one, else that of the greatest upper bound."""
        counts, sums = self._totals()
        untried = np.flatnonzero(counts == 0)
        if untried.size:
            return Choice(int(rng.choice(untried)), "untried")
        time = max(counts.sum(), 1.0)
        return Choice(best(sums / counts + self._exploration * np.sqrt(np.log(time) / counts), rng), "best")


class UcbRule(_Optimistic):
    """UCB1 (Auer, Cesa-Bianchi and Fischer 2002): for rewards that stay what they are."""

    keeps = ("counts", "sums")

    def __init__(self, arms: int, *, exploration: float = 2**0.5) -> None:
        super().__init__(arms, exploration=exploration)
        self.counts = np.zeros(arms)
        self.sums = np.zeros(arms)

    def _totals(self) -> tuple[FloatArray, FloatArray]:
        return self.counts, self.sums

    def learn(self, arm: int, reward: float, memo: FloatArray | None) -> None:
        """Count the reward."""
        self.counts[arm] += 1
        self.sums[arm] += reward


class DiscountedUcb(_Optimistic):
    """Discounted UCB (Garivier and Moulines 2011, arXiv:0805.3415): every answer makes older ones count less."""

    keeps = ("counts", "sums")

    def __init__(self, arms: int, *, exploration: float = 2 * 0.6**0.5, discount: float = 0.99) -> None:
        super().__init__(arms, exploration=exploration)
        self._discount = discount
        self.counts = np.zeros(arms)
        self.sums = np.zeros(arms)

    def _totals(self) -> tuple[FloatArray, FloatArray]:
        return self.counts, self.sums

    def learn(self, arm: int, reward: float, memo: FloatArray | None) -> None:
        """Count the reward, and the earlier ones of all arms less."""
        self.counts *= self._discount
        self.sums *= self._discount
        self.counts[arm] += 1
        self.sums[arm] += reward


class SlidingWindowUcb(_Optimistic):
    """Sliding-window UCB (Garivier and Moulines 2011, arXiv:0805.3415): only the last answers count."""

    keeps = ("recent_arms", "recent_rewards", "answers")

    def __init__(self, arms: int, *, exploration: float = 0.6**0.5, window: int = 1000) -> None:
        super().__init__(arms, exploration=exploration)
        self.recent_arms = np.zeros(window, dtype=np.int64)  # a ring
        self.recent_rewards = np.zeros(window)
        self.answers: Any = 0

    def _totals(self) -> tuple[FloatArray, FloatArray]:
        filled = slice(min(int(self.answers), len(self.recent_arms)))
        arms = self.recent_arms[filled]
        counts = np.bincount(arms, minlength=self.arms).astype(np.float64)
        sums = np.bincount(arms, weights=self.recent_rewards[filled], minlength=self.arms)
        return counts, sums.astype(np.float64)

    def learn(self, arm: int, reward: float, memo: FloatArray | None) -> None:
        """Put the reward in the place of the oldest."""
        place = int(self.answers) % len(self.recent_arms)
        self.recent_arms[place] = arm
        self.recent_rewards[place] = reward
        self.answers += 1


class _Exponential(ExplorationRule):
    """Rules that draw in proportion to exponential weights, mixed with a uniform share."""

    def __init__(self, arms: int, *, epsilon: float) -> None:
        super().__init__(arms)
        self._epsilon = epsilon
        self.log_weights = np.zeros(arms)  # up to a constant

    def chances(self) -> FloatArray:
        """``(arms,)`` probability of every arm."""
        return (1 - self._epsilon) * softmax(self.log_weights) + self._epsilon / self.arms

    @final
    def choose(self, rng: np.random.Generator) -> Choice:
        """Draw an arm; the memo is its probability."""
        chances = self.chances()
        arm = int(rng.choice(self.arms, p=chances))
        return Choice(arm, "chance", (float(chances[arm]),))

    def _weighted(self, arm: int, reward: float, memo: FloatArray | None) -> float:
        """The reward over the probability with which its arm was chosen."""
        return reward / float(self.chances()[arm] if memo is None else memo[0])


class Exp3(_Exponential):
    """EXP3 (Auer, Cesa-Bianchi, Freund and Schapire 2002): for rewards that an adversary may choose."""

    rescale = "bounds"
    keeps = ("log_weights",)

    def __init__(self, arms: int, *, epsilon: float = 0.1, learning_rate: float | None = None) -> None:
        super().__init__(arms, epsilon=epsilon)
        self._learning_rate = epsilon / arms if learning_rate is None else learning_rate

    def learn(self, arm: int, reward: float, memo: FloatArray | None) -> None:
        """Multiply the arm's weight."""
        self.log_weights[arm] += self._learning_rate * self._weighted(arm, reward, memo)
        self.log_weights -= self.log_weights.max()


class Exp3S(_Exponential):
    """EXP3.S as in Graves et al. 2017 (arXiv:1704.03003): weights leak to other arms, so that a switch is followed."""

    bounds = (-1.0, 1.0)
    rescale = "range"
    keeps = ("log_weights", "answers")

    def __init__(
        self, arms: int, *, epsilon: float = 0.2, learning_rate: float = 0.025, share: float | None = None
    ) -> None:
        super().__init__(arms, epsilon=epsilon)
        self._learning_rate, self._share = learning_rate, share
        self.answers: Any = 0

    def learn(self, arm: int, reward: float, memo: FloatArray | None) -> None:
        """Multiply the arm's weight, and let every arm take part of the others'."""
        self.answers += 1
        if self.arms == 1:
            return
        share = 1 / (1 + int(self.answers)) if self._share is None else self._share
        self.log_weights[arm] += self._learning_rate * self._weighted(arm, reward, memo)
        weights = np.exp(self.log_weights - self.log_weights.max())
        others = np.maximum(weights.sum() - weights, 0) / (self.arms - 1)
        self.log_weights = np.log(np.maximum((1 - share) * weights + share * others, np.finfo(np.float64).tiny))


class Thompson(ExplorationRule):
    """Thompson sampling (Thompson 1933): the best arm under means drawn from their Gaussian posteriors."""

    keeps = ("counts", "sums")

    def __init__(
        self,
        arms: int,
        *,
        prior_mean: float = 0.0,
        prior_std: float = 1.0,
        noise_std: float = 1.0,
        discount: float = 1.0,
    ) -> None:
        super().__init__(arms)
        self._prior_mean, self._prior_precision = prior_mean, prior_std**-2
        self._noise_precision, self._discount = noise_std**-2, discount
        self.counts = np.zeros(arms)
        self.sums = np.zeros(arms)

    def posterior(self) -> tuple[FloatArray, FloatArray]:
        """``(arms,)`` means and standard deviations of what the arms' mean rewards may be."""
        precision = self._prior_precision + self._noise_precision * self.counts
        means = (self._prior_precision * self._prior_mean + self._noise_precision * self.sums) / precision
        return means, precision**-0.5

    def choose(self, rng: np.random.Generator) -> Choice:
        """Draw a mean for every arm, and take the greatest."""
        means, stds = self.posterior()
        return Choice(best(rng.normal(means, stds), rng), "posterior")

    def learn(self, arm: int, reward: float, memo: FloatArray | None) -> None:
        """Count the reward, and earlier ones less where there is a discount."""
        if self._discount < 1:
            self.counts *= self._discount
            self.sums *= self._discount
        self.counts[arm] += 1
        self.sums[arm] += reward


EXPLORATION_RULES: Mapping[str, type[ExplorationRule]] = MappingProxyType(
    {
        "epsilon-greedy": EpsilonGreedy,
        "boltzmann": Boltzmann,
        "ucb": UcbRule,
        "discounted-ucb": DiscountedUcb,
        "sliding-window-ucb": SlidingWindowUcb,
        "exp3": Exp3,
        "exp3.s": Exp3S,
        "thompson": Thompson,
    }
)
"""Rules by name."""
