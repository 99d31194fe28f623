"""What a level is worth to a teacher that replays: scores of one task from what came of it."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from teachgym.base.ranges import NonNegativeFloat, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray

ScoreName = Literal[
    "value-l1",
    "positive-value-loss",
    "signed-value-loss",
    "grounded-value-l1",
    "grounded-positive-value-loss",
    "grounded-signed-value-loss",
    "one-step-td",
    "max-mc",
    "policy-entropy",
    "learnability",
    "outcome-slope",
    "outcome-change",
]
_OUTCOMES_ONLY = ("outcome-slope", "outcome-change")


@checked_dataclass
class ScoreSettings:
    """How a level is scored; see ``LevelScore`` for what the names mean.

    Raises:
        ValueError: If a value is not allowed.
    """

    score: ScoreName = "positive-value-loss"
    """What a level is worth; ``LevelScore`` lists the names. ``"outcome-slope"`` and ``"outcome-change"`` need nothing
    of the student but outcomes."""
    discount: Share = 0.99
    """Discount per step in advantages."""
    gae_lambda: Share = 0.9
    """Decay of generalised advantage estimates."""
    discount_best_return: bool = False
    """Whether the best return of ``"max-mc"`` is discounted like the values that it is compared with."""
    score_window: Annotated[int, Ge(2)] = 10
    """Most recent episodes on a level that ``"learnability"`` and ``"outcome-slope"`` look at."""
    success_prior: NonNegativeFloat = 1.0
    """Imaginary successes, and as many failures, that ``"learnability"`` starts from. At 0, where the share of
    successes counts as it is, every level seen once scores 0."""


def needs_of_score(score: ScoreName) -> Needs:
    """What a teacher that scores levels so needs of the environment."""
    if score in _OUTCOMES_ONLY:
        return NOTHING
    return {"policy-entropy": Needs.ENTROPIES, "learnability": Needs.SUCCESS}.get(score, Needs.VALUES)


class LevelScore:
    """Scores a level from what came of one episode on it, and from what is remembered of those before.

    With rewards r, value estimates V and advantages A over the T steps of an episode, in the unit of the student's
    own rewards:

    | name | score |
    |---|---|
    | ``value-l1`` | mean of abs(A), A by generalised advantage estimation (Jiang et al. 2021, arXiv:2010.03934) |
    | ``positive-value-loss`` | mean of max(A, 0) (Jiang et al. 2021, arXiv:2110.02439) |
    | ``signed-value-loss`` | mean of A |
    | ``grounded-...`` | the same three with the discounted sum of the rewards that followed, less V, for A |
    | ``one-step-td`` | mean of abs(r + discount * next V - V), the last step of the episode included, which the \
authors' code leaves out |
    | ``max-mc`` | mean of (best return so far on the level - V) (Jiang et al. 2021, arXiv:2110.02439) |
    | ``policy-entropy`` | mean entropy of the policy; of a density, it may be negative |
    | ``learnability`` | p (1 - p), p the share of successes on the level (Rutherford et al. 2024, arXiv:2408.15099) |
    | ``outcome-slope`` | abs(slope) of a line fitted to the level's outcomes, 0 for one seen once \
(Matiisen et al. 2017, arXiv:1707.00183) |
    | ``outcome-change`` | change of the outcome since the last episode on the level, or for a new level since the \
last on the nearest one known (as in Portelas et al. 2019, arXiv:1910.07224), distances as shares of the ranges |

    The last two take outcomes scaled to ``[0, 1]`` by the environment's outcome range. Least confidence and minimal
    margin, which the literature also has, compare the chances of single actions and are left out: students here
    have continuous actions, which have none.

    Args:
        settings: Which score, and its numbers.
        spec: The environment's fixed facts.
    """

    def __init__(self, settings: ScoreSettings, spec: TeachingSpec) -> None:
        self._settings, self._spec = settings, spec
        windowed = settings.score in ("learnability", "outcome-slope")
        single = settings.score in ("max-mc", "outcome-change")
        self.memory = settings.score_window if windowed else int(single)
        """How many numbers are remembered per level."""
        self.borrows = settings.score == "outcome-change"
        """Whether a new level starts from what is remembered of the nearest level known."""

    def first_memory(self) -> FloatArray:
        """``(memory,)`` what is remembered of a level never seen."""
        return np.full(self.memory, np.nan)

    def __call__(self, feedback: Feedback, memory: FloatArray) -> tuple[float | None, FloatArray]:
        """Score one episode.

        Args:
            feedback: What came of it.
            memory: ``(memory,)`` what is remembered of the level.

        Returns:
            The score, None where there is none (no step, or numbers that are not finite), and what to remember.

        Raises:
            ValueError: If the feedback has no trace of what the score needs.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            score, memory = self._measure(feedback, memory)
        return (score if score is not None and np.isfinite(score) else None), memory

    def _measure(self, feedback: Feedback, memory: FloatArray) -> tuple[float | None, FloatArray]:
        name = self._settings.score
        if name == "policy-entropy":
            entropies = feedback.traced("entropies")
            return (float(np.mean(entropies)) if entropies.size else None), memory
        if name == "learnability":
            memory = np.append(memory[1:], float(feedback.success))
            return self._learnability(memory), memory
        if name == "outcome-slope":
            memory = np.append(memory[1:], self._spec.scale_outcome(feedback.outcome))
            return abs(slope(memory[~np.isnan(memory)])), memory
        if name == "outcome-change":
            outcome = self._spec.scale_outcome(feedback.outcome)
            return (0.0 if np.isnan(memory[0]) else abs(outcome - float(memory[0]))), np.array([outcome])
        return self._from_values(feedback, memory)

    def _learnability(self, successes: FloatArray) -> float:
        prior = self._settings.success_prior
        share = float((np.nansum(successes) + prior) / (np.sum(~np.isnan(successes)) + 2 * prior))
        return share * (1 - share)

    def _from_values(self, feedback: Feedback, memory: FloatArray) -> tuple[float | None, FloatArray]:
        name, discount = self._settings.score, self._settings.discount
        rewards, values = feedback.traced("rewards"), feedback.traced("values")
        if not len(rewards):
            return None, memory
        if name == "max-mc":
            gained = discounted_sums(rewards, discount if self._settings.discount_best_return else 1.0)[0]
            best = float(np.fmax(gained if np.isfinite(gained) else np.nan, memory[0]))
            return best - float(np.mean(values[:-1])), np.array([best])
        if name.startswith("grounded-"):
            errors = discounted_sums(rewards, discount) - values[:-1]
        else:
            decay = 0.0 if name == "one-step-td" else self._settings.gae_lambda
            errors = advantages(rewards, values, discount=discount, gae_lambda=decay)
        if name.endswith("positive-value-loss"):
            errors = np.maximum(errors, 0.0)
        elif not name.endswith("signed-value-loss"):
            errors = np.abs(errors)
        return float(np.mean(errors)), memory


def advantages(rewards: FloatArray, values: FloatArray, *, discount: float, gae_lambda: float) -> FloatArray:
    """Generalised advantage estimates ``(T,)`` (Schulman et al. 2016, arXiv:1506.02438) of one episode.

    Args:
        rewards: ``(T,)`` of each step.
        values: ``(T + 1,)`` estimates before each step and after the last.
        discount: Per step.
        gae_lambda: 0 takes the one-step errors, 1 all rewards that followed.
    """
    errors = rewards + discount * values[1:] - values[:-1]
    return discounted_sums(errors, discount * gae_lambda)


def discounted_sums(terms: FloatArray, factor: float) -> FloatArray:
    """``(T,)`` of each term and those after it, each weighing ``factor`` times as much as the one before it."""
    sums, total = np.empty(len(terms)), 0.0
    for i, term in zip(range(len(terms) - 1, -1, -1), reversed(terms.tolist()), strict=True):
        total = term + factor * total
        sums[i] = total
    return sums


def slope(values: FloatArray) -> float:
    """Least-squares slope of values over their places 0, 1, ...; 0 with fewer than two."""
    if len(values) < 2:
        return 0.0
    places = np.arange(len(values)) - (len(values) - 1) / 2
    return float(places @ values / (places @ places))
