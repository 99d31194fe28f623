"""Success progress: how fast success rates change, with rare successes under a magnifying glass."""

from typing import Annotated, Any, Literal, final

import numpy as np
from annotated_types import Gt, Lt, MinLen

from teachgym.agents.arms.arm_teacher import ArmTeacher
from teachgym.agents.arms.arms import ArmSettings
from teachgym.base.ranges import NonNegativeInt, PositiveInt, PositiveShare, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.needs import Needs
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice

LEFT_OUT = 0.001
"""What the weight of an arm that its stratum leaves out is multiplied by."""
_HIGHEST_BASELINE = 0.75
_PER_ARM = 10
_ROUNDING = 1e-12  # progress below is none


@checked_dataclass
class SuccessProgressSettings(ArmSettings):
    """Settings of ``SuccessProgress``; the defaults are those of the online version described there.

    Raises:
        ValueError: If a value is not allowed.
    """

    update_every: PositiveInt | None = None
    """Outcomes between two updates of the success rates; None takes 10 for every arm."""
    smoothing: PositiveShare = 0.1
    """Weight of the newest in both moving averages."""
    theta: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Success rate that counts as one half: differences below it are stretched; in ``(0, 1)``."""
    uniform_share: Share = 0.25
    """Share of uniform draws."""
    baseline: Literal["first", "none"] = "first"
    """What rates are measured from: an arm's ``"first"`` rate, but at most 0.75, or 0."""
    untried: Literal["keep", "zero"] = "keep"
    """What an arm without an outcome since the last update does: ``"keep"`` its averages, or count as a rate of 0."""
    carry_over: bool = False
    """Whether an arm's last rate counts as one outcome towards its next."""
    strata: tuple[Annotated[tuple[NonNegativeInt, ...], MinLen(1)], ...] = ()
    """Sets of arms, by number from 0, of which only the best keeps its weight; of none, all arms keep theirs."""
    best_by: Literal["success", "progress", "learnability"] = "success"
    """What makes an arm the best of its stratum: success rate p, its weight, or p (1 - p)."""


@final
class SuccessProgress(ArmTeacher):
    """Draws the tasks whose success rate changes, up or down (Kanitscheider et al. 2021, arXiv:2106.14876).

    After every ``update_every`` outcomes, each task's success rate p (less that of the beginner) enters a fast moving
    average, and that a slow one; both are stretched by f(x) = x (1 - theta) / (x + theta (1 - 2 x)), so that small
    rates count more, and progress is |f(fast) - f(slow)|. Tasks with progress or any success are drawn in proportion
    to the sigmoid of their progress, standardised among them; where there are none, all alike. A share of the draws
    is uniform.

    The paper evaluates every task at times; here, as in Syllabus's online version (Sullivan et al. 2024), rates are
    of the answers since the last update. Differs from that: a task without an answer keeps its averages, where the
    online version counts a rate of 0, which looks like progress when the task is next tried (``untried="zero"``
    does so too); its baseline is its own first rate, whenever that comes. Where sources are silent, the
    interval of 10 answers for every arm is ours.

    ``origin`` is ``"uniform"`` until the first update, then ``"progress"``.

    Args:
        spec: The environment's fixed facts. Tasks are arms, or a box that is cut into a grid of them.
        settings: A ``SuccessProgressSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If a stratum names an arm that there is none of, or the environment does not offer successes.
    """

    Settings = SuccessProgressSettings
    settings: SuccessProgressSettings
    needs = Needs.SUCCESS

    keeps = (
        "_since",
        "_updated",
        "_successes",
        "_counts",
        "_baseline",
        "_fast",
        "_slow",
        "_rates",
        "_average",
        "_chances",
    )

    def __init__(self, spec: TeachingSpec, settings: SuccessProgressSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        arms, every = len(self.arms), self.settings.update_every
        for stratum in self.settings.strata:
            if max(stratum) >= arms:
                raise ValueError(f"strata name arm {max(stratum)}; expected numbers below {arms}, counted from 0")
        self._every = _PER_ARM * arms if every is None else every
        self._since = 0
        self._successes, self._counts = np.zeros(arms), np.zeros(arms)
        self._baseline = np.full(arms, np.nan if self.settings.baseline == "first" else 0.0)
        self._fast, self._slow = np.full(arms, np.nan), np.full(arms, np.nan)  # NaN before the first rate
        self._rates, self._average = np.zeros(arms), np.zeros(arms)  # last rates, and a moving average; as they are
        self._chances = np.full(arms, 1 / arms)
        self._updated = False

    def _choose(self, observation: Any) -> Choice:
        arm = int(self.rng.choice(len(self.arms), p=self._chances))
        return Choice(arm, "progress" if self._updated else "uniform")

    def _learn(self, arm: int, memo: FloatArray | None, transition: Transition, feedback: Feedback) -> None:
        self._successes[arm] += feedback.success
        self._counts[arm] += 1
        self._since += 1
        if self._since == self._every:
            self._weigh_anew()

    def _weigh_anew(self) -> None:
        tried = self._counts > 0
        rates = np.where(tried, self._successes / np.maximum(self._counts, 1), 0.0)
        known = tried if self.settings.untried == "keep" else np.ones_like(tried)
        self._rates = np.where(known, rates, self._rates)
        self._average_rates(known)
        self._chances = self._weigh()
        self._updated, self._since = True, 0
        carried = known & self.settings.carry_over
        self._successes, self._counts = np.where(carried, self._rates, 0.0), carried.astype(np.float64)

    def _average_rates(self, known: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
        """Take the newest rates of known arms into the moving averages."""
        weight = self.settings.smoothing
        first = known & np.isnan(self._fast)
        self._baseline = np.where(
            first & np.isnan(self._baseline), np.minimum(self._rates, _HIGHEST_BASELINE), self._baseline
        )
        rates = np.maximum(self._rates - self._baseline, 0) / (1 - self._baseline)
        fast = np.where(first, rates, weight * rates + (1 - weight) * self._fast)
        slow = np.where(first, rates, weight * fast + (1 - weight) * self._slow)
        average = np.where(first, self._rates, weight * self._rates + (1 - weight) * self._average)
        self._fast, self._slow = np.where(known, fast, self._fast), np.where(known, slow, self._slow)
        self._average = np.where(known, average, self._average)

    def _weigh(self) -> FloatArray:
        """Probabilities by the averages as they are."""
        theta, arms = self.settings.theta, len(self.arms)
        fast, slow = np.nan_to_num(self._fast), np.nan_to_num(self._slow)
        progress = np.abs(stretch(fast, theta) - stretch(slow, theta))
        active = (progress > _ROUNDING) | (self._average > 0)
        if not active.any():
            active[:] = True
        spread = progress[active].std()
        scores = (progress[active] - progress[active].mean()) / (spread if spread > _ROUNDING else 1)
        weights = np.zeros(arms)
        weights[active] = 1 / (1 + np.exp(-scores))
        share = self.settings.uniform_share
        chances = (1 - share) * weights / weights.sum() + share / arms
        if self.settings.strata:
            chances = chances * self._kept(chances)
        return np.asarray(chances / chances.sum(), dtype=np.float64)

    def _kept(self, chances: FloatArray) -> FloatArray:
        """What the strata leave of every arm's weight."""
        kept = np.full(len(chances), LEFT_OUT)
        rates = self._rates
        by = {"success": rates, "progress": chances, "learnability": rates * (1 - rates)}[self.settings.best_by]
        for stratum in self.settings.strata:
            kept[stratum[int(np.argmax(by[list(stratum)]))]] = 1
        return kept


def stretch(rates: FloatArray, theta: float) -> FloatArray:
    """f(x) = x (1 - theta) / (x + theta (1 - 2 x)): 0 to 0, theta to one half, 1 to 1."""
    return rates * (1 - theta) / (rates + theta * (1 - 2 * rates))
