"""Bandits that read the observation: every arm's reward is taken for linear in it."""

from abc import abstractmethod
from typing import Any, final

import numpy as np
from gymnasium import spaces

from teachgym.agents.arms.arm_rewards import ArmRewards, Rescale, RewardKind, check_rescale
from teachgym.agents.arms.arm_teacher import ArmTeacher
from teachgym.agents.arms.arms import ArmSettings
from teachgym.agents.arms.exploration import best
from teachgym.base.annotations import read_numbers
from teachgym.base.ranges import NonNegativeFloat, PositiveFloat
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice

MOST_NUMBERS = 2**25
"""Numbers in all arms' matrices together that are allowed: 256 MiB."""


@checked_dataclass
class LinearBanditSettings(ArmSettings):
    """Settings that ``LinUcb`` and ``LinearThompson`` share.

    Raises:
        ValueError: If a value is not allowed.
    """

    reward: RewardKind = "environment"
    """What an arm is valued for: ``"environment"`` (what the environment pays), ``"outcome"``, ``"progress"`` or
    ``"absolute-progress"`` (its outcome, scaled to ``[0, 1]``, against the one before of the same arm)."""
    rescale: Rescale | None = None
    """How rewards are mapped to ``[0, 1]``: from their ``"bounds"``, from the ``"range"`` of those seen, or between
    their 0.2 and 0.8 ``"quantiles"``; ``"none"`` leaves them. None takes ``"bounds"``, and ``"range"`` where the
    environment pays."""
    ridge: PositiveFloat = 1.0
    """Weight of the penalty on squared coefficients; 1 in both papers."""

    def __post_init__(self) -> None:
        if self.rescale is not None:
            check_rescale(self.reward, self.rescale)


@checked_dataclass
class LinUcbSettings(LinearBanditSettings):
    """Settings of ``LinUcb``.

    Raises:
        ValueError: If a value is not allowed.
    """

    alpha: NonNegativeFloat = 1.0
    """Standard deviations that are added to an arm's expected reward; the paper's bound takes
    1 + sqrt(ln(2 / delta) / 2) for a chance delta of being wrong, and its experiments try several."""


@checked_dataclass
class LinearThompsonSettings(LinearBanditSettings):
    """Settings of ``LinearThompson``.

    Raises:
        ValueError: If a value is not allowed.
    """

    spread: PositiveFloat = 0.5
    """v: standard deviation of a reward about its expectation. The paper's bound takes one that grows with
    sqrt(d ln t); 0.5 is the most that rewards in ``[0, 1]`` can have."""


class LinearBandit(ArmTeacher):
    """One ridge regression of reward on context for every arm, kept up to date by the Sherman-Morrison formula.

    The context of a decision is the observation as a flat vector (``gymnasium.spaces.flatten``) and a constant 1. It
    is remembered until the answer comes.
    """

    settings: Any
    keeps = ("_inverses", "_sums", "_rewards")

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, arms, space = self.settings, len(self.arms), spec.observation_space
        if not space.is_np_flattenable:
            raise ValueError(f"the observation space is {space}; expected one that flattens to a vector of fixed size")
        size = spaces.flatdim(space) + 1
        if arms * size**2 > MOST_NUMBERS:
            raise ValueError(
                f"{arms} arms with {size} numbers in a context take {arms} matrices of {size} x {size}; expected at "
                f"most {MOST_NUMBERS} numbers in all: choose fewer arms, or another teacher"
            )
        self._size = size
        self._inverses = np.repeat(np.eye(size)[None] / chosen.ridge, arms, axis=0)  # (arms, d, d)
        self._sums = np.zeros((arms, size))  # of reward times context
        usual: Rescale = "range" if chosen.reward == "environment" else "bounds"
        self._rewards = ArmRewards(spec, arms, chosen.reward, rescale=chosen.rescale or usual)

    def context(self, observation: Any) -> FloatArray:
        """``(d,)`` what the regressions see of an observation."""
        space = self.spec.observation_space
        if isinstance(space, spaces.Box):
            observation = read_numbers("the observation", observation, shape=space.shape)
        flat = np.asarray(spaces.flatten(space, observation), dtype=np.float64)
        return np.append(flat, 1.0)

    def posterior(self, context: FloatArray) -> tuple[FloatArray, FloatArray]:
        """``(arms,)`` expected rewards in a context, and by how many noise standard deviations they may be off."""
        reach = self._inverses @ context  # (arms, d); the inverses are symmetric
        return np.einsum("kd,kd->k", reach, self._sums), np.sqrt(np.maximum(reach @ context, 0))

    @abstractmethod
    def _values(self, expected: FloatArray, width: FloatArray) -> tuple[FloatArray, str]:
        """What the greatest is chosen of, and the origin of the choice."""

    @final
    def _choose(self, observation: Any) -> Choice:
        context = self.context(observation)
        values, origin = self._values(*self.posterior(context))
        return Choice(best(values, self.rng), origin, context)

    @final
    def _learn(self, arm: int, memo: FloatArray | None, transition: Transition, feedback: Feedback) -> None:
        reward = self._rewards.of(arm, transition, feedback)
        if reward is None or memo is None:
            return
        reach = self._inverses[arm] @ memo
        self._inverses[arm] -= np.outer(reach, reach) / (1 + max(reach @ memo, 0.0))
        self._sums[arm] += reward * memo


@final
class LinUcb(LinearBandit):
    """Plays the arm that could pay most, given the observation (LinUCB; Li et al. 2010, arXiv:1003.0146).

    Each arm has its own ridge regression of reward on the observation, and the arm of the greatest expectation plus
    ``alpha`` standard deviations is played. So it learns which arm to teach in which state of the student, with far
    less data than a reinforcement learner, but looks no step ahead.

    This is the paper's algorithm with disjoint models. Differs from it: the context is the same for all arms (the
    observation and a constant 1); rewards are mapped to [0, 1] unless told otherwise; answers may be late, and one
    whose decision is forgotten teaches nothing. Contexts are taken as they are, so observations of size about 1 fit
    the ridge best.

    ``origin`` is ``"bound"``.

    Args:
        spec: The environment's fixed facts. Tasks are arms, or a box that is cut into a grid of them.
        settings: A ``LinUcbSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If observations don't flatten to a vector, or the arms' matrices would take too much memory.
    """

    Settings = LinUcbSettings
    settings: LinUcbSettings

    def _values(self, expected: FloatArray, width: FloatArray) -> tuple[FloatArray, str]:
        return expected + self.settings.alpha * width, "bound"


@final
class LinearThompson(LinearBandit):
    """Plays the best arm under coefficients drawn from their posterior (Agrawal and Goyal 2013, arXiv:1209.3352).

    Each arm has its own Bayesian linear regression of reward on the observation. A reward is drawn for every arm from
    its posterior in the present state of the student, and the arm of the greatest is played, so that arms are tried
    as often as they may be best.

    Differs from the paper, where arms have contexts of their own and share the coefficients: here they share the
    context (the observation and a constant 1) and have coefficients of their own, so that drawing an arm's
    expectation is the same as drawing its coefficients. Rewards are mapped to [0, 1] unless told otherwise; answers
    may be late, and one whose decision is forgotten teaches nothing.

    ``origin`` is ``"posterior"``.

    Args:
        spec: The environment's fixed facts. Tasks are arms, or a box that is cut into a grid of them.
        settings: A ``LinearThompsonSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If observations don't flatten to a vector, or the arms' matrices would take too much memory.
    """

    Settings = LinearThompsonSettings
    settings: LinearThompsonSettings

    def _values(self, expected: FloatArray, width: FloatArray) -> tuple[FloatArray, str]:
        return self.rng.normal(expected, self.settings.spread * width), "posterior"
