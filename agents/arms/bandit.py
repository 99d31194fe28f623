"""Bandits: every arm's reward, and a rule that weighs what is known against what is not."""

from typing import Any, ClassVar, Literal

import numpy as np

from teachgym.agents.arms.arm_rewards import ArmRewards, Rescale, RewardKind, check_rescale
from teachgym.agents.arms.arm_teacher import ArmTeacher
from teachgym.agents.arms.arms import ArmSettings
from teachgym.agents.arms.exploration import EXPLORATION_RULES
from teachgym.agents.base.optional_settings import given, refuse_unused
from teachgym.base.ranges import PositiveInt
from teachgym.base.setting_checks import check_positive, check_share, check_whole
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice

_OF_RULES = (
    "epsilon",
    "step_size",
    "temperature",
    "exploration",
    "discount",
    "window",
    "learning_rate",
    "share",
    "prior_mean",
    "prior_std",
    "noise_std",
)


@checked_dataclass
class BanditSettings(ArmSettings):
    """Settings of ``Bandit``. From ``epsilon`` on, each belongs to some rules; None takes the rule's own default.

    Raises:
        ValueError: If a value is not allowed, or a setting is given that the rule does not use.
    """

    rule: Literal[
        "epsilon-greedy",
        "boltzmann",
        "ucb",
        "discounted-ucb",
        "sliding-window-ucb",
        "exp3",
        "exp3.s",
        "thompson",
    ] = "exp3.s"
    """How arms are chosen; see ``teachgym.agents.arms.exploration``."""
    reward: RewardKind = "absolute-progress"
    """What an arm is valued for: ``"outcome"``, ``"progress"`` or ``"absolute-progress"`` (its outcome, scaled to
    ``[0, 1]``, against the one before of the same arm), or ``"environment"`` (what the environment pays)."""
    rescale: Rescale | None = None
    """How rewards are mapped to what the rule expects, ``[-1, 1]`` for ``"exp3.s"`` and ``[0, 1]`` for others: from
    their ``"bounds"``, from the ``"range"`` of those seen, or between two of their ``"quantiles"``; ``"none"`` leaves
    them. None takes ``"range"`` for ``"exp3.s"``, ``"bounds"`` for ``"exp3"`` and the three UCBs (``"range"`` where
    the environment pays), and ``"none"`` for the others."""
    quantiles: tuple[float, float] = (0.2, 0.8)
    """The two quantiles, for ``rescale="quantiles"``."""
    quantile_window: PositiveInt = 1000
    """Latest rewards that the quantiles are taken of."""
    epsilon: float | None = None
    """Share of uniform draws, in ``[0, 1]``: 0.1 for ``"epsilon-greedy"`` and ``"exp3"``, where it is gamma, and 0.2
    for ``"exp3.s"``; above 0 for the latter two."""
    step_size: float | None = None
    """``"epsilon-greedy"``, ``"boltzmann"``: how far a value moves towards a new reward, in ``(0, 1]``; None takes the
    mean of all rewards."""
    temperature: float | None = None
    """``"boltzmann"``: the difference in value that makes an arm e times as likely; 0.1."""
    exploration: float | None = None
    """The three UCBs: c in mean + c sqrt(ln t / n); sqrt(2) for ``"ucb"``, 2 sqrt(0.6) for ``"discounted-ucb"``,
    sqrt(0.6) for ``"sliding-window-ucb"``."""
    discount: float | None = None
    """How much less an outcome counts after each further one, in ``(0, 1]``: 0.99 for ``"discounted-ucb"``, 1 for
    ``"thompson"``."""
    window: int | None = None
    """``"sliding-window-ucb"``: latest outcomes that count; 1000."""
    learning_rate: float | None = None
    """Step of the log weights: epsilon over the number of arms for ``"exp3"``, 0.025 for ``"exp3.s"``."""
    share: float | None = None
    """``"exp3.s"``: how much of its weight an arm gives to the others with each outcome, in ``[0, 1)``; None takes
    1 / (t + 1) after the t-th."""
    prior_mean: float | None = None
    """``"thompson"``: expected reward of an arm before its first outcome; 0."""
    prior_std: float | None = None
    """``"thompson"``: how far off that may be; 1."""
    noise_std: float | None = None
    """``"thompson"``: how far one reward of an arm may be off its mean; 1."""

    def __post_init__(self) -> None:
        if self.rescale is not None:
            check_rescale(self.reward, self.rescale)
        if self.rescale == "none" and self.rule in ("exp3", "exp3.s"):
            raise ValueError(f"rescale is 'none', but rule {self.rule!r} needs rewards in known bounds")
        if len(self.quantiles) != 2 or not 0 <= self.quantiles[0] < self.quantiles[1] <= 1:
            raise ValueError(f"quantiles is {self.quantiles}; expected two numbers, 0 <= low < high <= 1")
        refuse_unused(self, _OF_RULES, "rule", {name: rule.takes() for name, rule in EXPLORATION_RULES.items()})
        self._check_values()

    def _check_values(self) -> None:
        if self.epsilon is not None:
            check_share("epsilon", self.epsilon, above_zero=self.rule in ("exp3", "exp3.s"))
        for name in ("step_size", "discount"):
            if getattr(self, name) is not None:
                check_share(name, getattr(self, name), above_zero=True)
        for name in ("temperature", "learning_rate", "prior_std", "noise_std"):
            if getattr(self, name) is not None:
                check_positive(name, getattr(self, name))
        if self.exploration is not None and not 0 <= self.exploration < np.inf:
            raise ValueError(f"exploration is {self.exploration}; expected a non-negative number")
        if self.window is not None:
            check_whole("window", self.window, 1)
        if self.share is not None and not 0 <= self.share < 1:
            raise ValueError(f"share is {self.share}; expected a number in [0, 1)")
        if self.prior_mean is not None and not np.isfinite(self.prior_mean):
            raise ValueError(f"prior_mean is {self.prior_mean}; expected a finite number")


class Bandit(ArmTeacher):
    """Plays the arms that have paid off, and sometimes others, by any of eight classic rules.

    What pays is the student's progress on an arm, its outcome, or the environment's reward; the rule says how an
    arm's record is weighed against how little is known of it. By default it is EXP3.S (Auer et al. 2002; as a
    teacher Graves et al. 2017, arXiv:1704.03003) on absolute progress with the settings of ACL in Klink et al. 2022
    (ICML): epsilon 0.2, learning rate 0.025, rewards mapped from the range of all seen to [-1, 1].

    Differs from these: a reward is divided by the probability with which its arm was chosen, uniform share
    included, as in Auer et al. and Graves et al. but not in ACL's code; the first answer of an arm has no progress
    and teaches nothing, where ACL's code counts 0; the share that weights give away starts at a half, since
    with Graves et al.'s 1 an arm would keep nothing of its own first reward. Ties are broken at random everywhere.
    Rules with a value or a bound for every arm play each arm until it has one first. An answer may be late: it
    is counted when it comes.

    The sources leave open: the discount of 0.99 and the window of 1000 (theirs grow with the number of steps),
    epsilon 0.1 for ``"exp3"`` and the temperature are ours. Rewards in [0, 1] make them fit.

    ``origin`` is ``"best"``, ``"random"`` (epsilon's), ``"untried"``, ``"chance"`` (drawn by probability) or
    ``"posterior"``.

    Args:
        spec: The environment's fixed facts. Tasks are arms, or a box that is cut into a grid of them.
        settings: A ``BanditSettings``; None takes the defaults.
        seed: Non-negative integer.
    """

    Settings: ClassVar[type[BanditSettings]] = BanditSettings
    settings: BanditSettings
    keeps = ("_rule", "_rewards")

    def __init__(self, spec: TeachingSpec, settings: BanditSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen = self.settings
        rule = EXPLORATION_RULES[chosen.rule]
        self._rule = rule(len(self.arms), **given(chosen, rule.takes()))
        rescale = rule.rescale if chosen.rescale is None else chosen.rescale
        if rescale == "bounds" and chosen.reward == "environment":
            rescale = "range"
        self._rewards = ArmRewards(
            spec,
            len(self.arms),
            chosen.reward,
            rescale=rescale,
            bounds=rule.bounds,
            quantiles=chosen.quantiles,
            window=chosen.quantile_window,
        )

    def _choose(self, observation: Any) -> Choice:
        return self._rule.choose(self.rng)

    def _learn(self, arm: int, memo: FloatArray | None, transition: Transition, feedback: Feedback) -> None:
        reward = self._rewards.of(arm, transition, feedback)
        if reward is not None:
            self._rule.learn(arm, reward, memo)
