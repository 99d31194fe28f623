"""What a bandit takes for the reward of an arm, and how it is mapped to the range that a rule expects."""

from typing import Literal

import numpy as np

from teachgym.base.state import Stateful
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.spec import TeachingSpec

RewardKind = Literal["outcome", "progress", "absolute-progress", "environment"]
Rescale = Literal["none", "bounds", "range", "quantiles"]
_KNOWN_BOUNDS = {"outcome": (0.0, 1.0), "progress": (-1.0, 1.0), "absolute-progress": (0.0, 1.0)}


def check_rescale(kind: RewardKind, rescale: Rescale | None) -> None:
    """Raise ``ValueError`` where rewards of a kind have no known bounds to map from."""
    if rescale == "bounds" and kind not in _KNOWN_BOUNDS:
        raise ValueError(
            f"rescale is 'bounds' and reward is {kind!r}, whose bounds are unknown; expected 'range', 'quantiles' "
            "or 'none'"
        )


class ArmRewards(Stateful):
    """The rewards of arms.

    Kinds: ``"outcome"`` is the outcome scaled to ``[0, 1]``; ``"progress"`` and ``"absolute-progress"`` are by how
    much that is more than, or differs from, what the arm's answer before gave, so that the first answer of an arm
    has no reward; ``"environment"`` is the transition's reward.

    They are mapped to the bounds linearly from their own (``"bounds"``), from the least and greatest so far
    (``"range"``, as ACL in Klink et al. 2022), or from two quantiles of the last ``window`` and clipped
    (``"quantiles"``, as in Graves et al. 2017, arXiv:1704.03003, who draw a reservoir of all); where those are the
    same number, to the middle.

    Args:
        spec: The environment's fixed facts.
        arms: How many arms there are.
        kind: What is the reward.
        rescale: How it is mapped; ``"none"`` leaves it.
        bounds: What it is mapped to.
        quantiles: The two quantiles.
        window: Rewards that the quantiles are taken of.
    """

    keeps = ("_before", "_least", "_greatest", "_recent", "_seen")

    def __init__(
        self,
        spec: TeachingSpec,
        arms: int,
        kind: RewardKind,
        *,
        rescale: Rescale,
        bounds: tuple[float, float] = (0.0, 1.0),
        quantiles: tuple[float, float] = (0.2, 0.8),
        window: int = 1000,
    ) -> None:
        check_rescale(kind, rescale)
        self._spec, self._kind, self._rescale = spec, kind, rescale
        self._bounds, self._quantiles = bounds, quantiles
        self._before = np.full(arms, np.nan)  # the arm's last scaled outcome
        self._least, self._greatest = np.inf, -np.inf
        self._recent = np.zeros(window if rescale == "quantiles" else 0)  # a ring
        self._seen = 0

    def of(self, arm: int, transition: Transition, feedback: Feedback) -> float | None:
        """The reward of an answer, mapped; None where it has none yet."""
        reward = self._raw(arm, transition, feedback)
        return None if reward is None else self._mapped(reward)

    def _raw(self, arm: int, transition: Transition, feedback: Feedback) -> float | None:
        if self._kind == "environment":
            return float(transition.reward)
        outcome = self._spec.scale_outcome(feedback.outcome)
        if self._kind == "outcome":
            return outcome
        before, self._before[arm] = float(self._before[arm]), outcome
        if np.isnan(before):
            return None
        progress = outcome - before
        return progress if self._kind == "progress" else abs(progress)

    def _mapped(self, reward: float) -> float:
        if self._rescale == "none":
            return reward
        if self._rescale == "bounds":
            low, high = _KNOWN_BOUNDS[self._kind]
        elif self._rescale == "range":
            self._least, self._greatest = min(self._least, reward), max(self._greatest, reward)
            low, high = self._least, self._greatest
        else:
            self._recent[self._seen % len(self._recent)] = reward
            self._seen += 1
            low, high = np.quantile(self._recent[: self._seen], self._quantiles).tolist()
        share = min(max((reward - low) / (high - low), 0.0), 1.0) if low < high else 0.5
        return self._bounds[0] + share * (self._bounds[1] - self._bounds[0])
