"""ARTE (Liu et al. 2024, arXiv:2406.19227): a generator tilted towards the data that helps the student most."""

from typing import Any, Literal, final

import numpy as np

from teachgym.agents.allocation.shares_teacher import SharesTeacher
from teachgym.base.annotations import read_numbers
from teachgym.base.ranges import NonNegativeInt, PositiveFloat, PositiveShare
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Transition
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note
from teachgym.data.observation import SkillRow


@checked_dataclass
class ArteSettings:
    """Settings of ``Arte``.

    Raises:
        ValueError: If a value is not allowed.
    """

    beta: PositiveFloat = 0.02
    """Price of a nat of divergence from the reference, in accuracy: with less, the best skills get more."""
    reference: Literal["uniform", "data"] = "uniform"
    """What the shares are tilted from: ``"uniform"``, or ``"data"``, the shares of all data so far, so that tilts add
    up from step to step, and a skill without data stays without."""
    warm_up: NonNegativeInt = 3
    """Steps in which the skills take turns, alike, before any shares are tilted."""
    decay: PositiveShare = 0.9
    """What a step counts for each step that has come after it; 1 forgets nothing."""
    ridge: PositiveFloat = 0.1
    """Weight of the penalty on squared differences between scores: what little data says is not believed."""


@final
class Arte(SharesTeacher):
    """Gives skills shares in proportion to ``reference * exp(score / beta)``, where scores tell what helps the student.

    Preference alignment of a data generator after ARTE (Liu et al. 2024, arXiv:2406.19227), which scores each draft by
    the student's accuracy when it is shown that draft, and trains the generator by DPO to prefer the best. Here the
    generator chooses among skills, for which the optimum that DPO tends to has a closed form, and is played. A skill's
    score is the gain in accuracy, in the mean over skills, that a step of its data alone would bring. In the warm-up
    the skills take turns, in an order drawn from the seed; on these steps and all that follow, gains are regressed on
    shares, with a ridge that pulls scores towards each other and weights that decay. Differs from the source: scores
    come from training, not from examples in context; they are taken anew in every step, not once; and there is one
    for each skill, not for each question and rationale.

    Measured here: with three skills of six that are learnt over a hundred times faster, and ``beta=0.01, warm_up=6`` in
    12 steps, they get 65 to 75 % of the data, and the student learns more than by ``uniform`` on every seed. Where each
    skill helps until it is known, as with the simulated students of ``math``, it ends behind ``uniform``: gains so far
    tell less of gains to come.

    ``origin`` is ``"warm-up"``, or ``"rule"``.

    Args:
        spec: The environment's fixed facts.
        settings: An ``ArteSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action is not shares, or the observation does not show skills in rows.
    """

    Settings = ArteSettings
    settings: ArteSettings
    keeps = ("_order", "_steps", "_gram", "_moment")

    def __init__(self, spec: TeachingSpec, settings: ArteSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self._order = self.rng.permutation(self.skills)
        self._steps = 0
        self._gram = np.zeros((self.skills, self.skills))  # of shares with shares, weighted
        self._moment = np.zeros(self.skills)  # of shares with gains, weighted

    @property
    def scores(self) -> FloatArray:
        """``(skills,)`` the gain in mean accuracy that a step of each skill's data alone is expected to bring."""
        if self._steps == 0:
            return np.zeros(self.skills)
        apart = np.eye(self.skills) - 1 / self.skills
        return np.asarray(np.linalg.solve(self._gram + self.settings.ridge * apart, self._moment), dtype=np.float64)

    def _act(self, observation: Any) -> Choice:
        """The skills whose turn it is, alike; after the warm-up the tilted reference."""
        turns = min(self.settings.warm_up, self.skills)
        if self._steps < self.settings.warm_up:
            now = self._order[self._steps % turns :: turns]
            shares = np.zeros(self.skills)
            shares[now] = 1 / len(now)
            return Choice(shares.astype(np.float32), "warm-up")
        data = self._rows("the observation", observation)[SkillRow.DATA]
        given = self.settings.reference == "data" and data.min() >= 0 and data.sum() > 0
        reference = data / data.sum() if given else np.full(self.skills, 1 / self.skills)
        return Choice(tilted(reference, self.scores, self.settings.beta).astype(np.float32), "rule")

    def _update(self, transition: Transition, note: Note | None) -> None:
        """Regress the gain that is seen on the shares that brought it."""
        if transition.feedback is None:
            return
        shares = read_numbers("the feedback's task", transition.feedback.task, shape=(self.skills,))
        gain = float(np.mean(self._rows("the next observation", transition.next_observation)[SkillRow.GAIN]))
        self._gram = self.settings.decay * self._gram + np.outer(shares, shares)
        self._moment = self.settings.decay * self._moment + gain * shares
        self._steps += 1


def tilted(reference: FloatArray, scores: FloatArray, beta: float) -> FloatArray:
    """``(n,)`` the shares p that maximise the mean score less ``beta`` times the divergence KL(p || reference).

    Args:
        reference: ``(n,)`` non-negative shares that sum to 1; a skill with none gets none.
        scores: ``(n,)`` finite.
        beta: Above 0. As it grows, p tends to the reference; as it falls to 0, to what has the greatest score alone.
    """
    best = scores[reference > 0].max()
    with np.errstate(over="ignore"):  # far behind the best is nothing
        weights = reference * np.exp(np.minimum(scores - best, 0) / beta)
    return np.asarray(weights / weights.sum())
