"""Covar-GMM: Gaussian mixtures over tasks, time and outcomes."""

from typing import final

import numpy as np

from teachgym.agents.progress.gaussian_mixtures import Mixture
from teachgym.agents.progress.mixture_teacher import MixtureSettings, MixtureTeacher
from teachgym.base.settings import checked_dataclass
from teachgym.core.task_space import FloatArray


@checked_dataclass
class CovarGmmSettings(MixtureSettings):
    """Settings of ``CovarGmm``; the defaults are those of Portelas et al. 2019.

    Raises:
        ValueError: If a value is not allowed.
    """

    absolute_progress: bool = False
    """Whether a component's score is the size of its covariance, so that it goes back to what is being forgotten."""


@final
class CovarGmm(MixtureTeacher):
    """Samples tasks where the student's outcomes have been rising over time (IGMM, Moulin-Frier et al. 2014).

    Every outcome gives a vector [task, time, outcome], where time runs from 0 to 1 between two fits. After every
    ``fit_every`` answers, mixtures are fitted to the last ``fit_every`` vectors, and the one with the least
    information criterion is kept. From then on a task is uniformly random with probability ``random_share``;
    otherwise a component is chosen in proportion to the covariance of time and outcome within it, negative
    ones as 0 (equally if all are 0), and a point drawn from it, without time and outcome, and clipped to the
    bounds. Where a student forgets, only ``absolute_progress`` goes back. This is the version of Portelas et
    al. 2019 (arXiv:1910.07224).

    Differs from their code: the generator is the teacher's own, so that a seed fixes the run; no
    more components are tried than there are distinct vectors; a fit that fails is passed over, and if all fail
    tasks are random until the next fit; the AICc counts the dimensions that are fitted unless
    ``aicc_dimensions`` says otherwise. Fits are in raw task units, so the k-means clustering that they start
    from heeds a parameter of wider range more: ``normalise`` changes that.

    ``origin`` is ``"bootstrap"``, ``"random"``, or ``"component 3"``, counted from 0.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: A ``CovarGmmSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, or easy tasks are wanted and not offered.
    """

    Settings = CovarGmmSettings
    settings: CovarGmmSettings

    def _measures(self, task: FloatArray, outcome: float) -> list[float]:
        return [len(self._vectors) / self.settings.fit_every, outcome]

    def _scores(self, mixture: Mixture) -> FloatArray:
        progress = mixture.covariances[:, -2, -1]
        return np.abs(progress) if self.settings.absolute_progress else progress
