"""ALP-GMM: Gaussian mixtures over tasks and absolute learning progress."""

from typing import Annotated, final

from annotated_types import Ge

from teachgym.agents.progress.gaussian_mixtures import Mixture
from teachgym.agents.progress.mixture_teacher import MixtureSettings, MixtureTeacher
from teachgym.base.settings import checked_dataclass
from teachgym.core.learning_progress import WARM_UP, AbsoluteLearningProgress
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray


@checked_dataclass
class AlpGmmSettings(MixtureSettings):
    """Settings of ``AlpGmm``; the defaults are the paper's.

    Raises:
        ValueError: If a value is not allowed.
    """

    max_history: Annotated[int, Ge(WARM_UP + 1)] | None = None
    """Outcomes that nearest neighbours are looked for among, above 5; the oldest are dropped. None keeps all."""
    normalise_distances: bool | None = None
    """Whether distances between tasks take each parameter as a share of its range; None does as ``normalise``."""


@final
class AlpGmm(MixtureTeacher):
    """Samples tasks where the student's outcomes change most, up or down (Portelas et al. 2019, arXiv:1910.07224).

    Every episode gets an absolute learning progress (ALP): how far its outcome is from that of the nearest
    task tried before (``teachgym.core.learning_progress``). After every ``fit_every`` answers, mixtures are fitted
    to the last ``fit_every`` vectors [task, ALP], and the one with the least information criterion is kept.
    From then on a task is uniformly random with probability ``random_share``; otherwise a component is chosen
    in proportion to its mean ALP (equally if all are 0) and a point drawn from it, without its ALP, and
    clipped to the bounds.

    Differs from the authors' code: the generator is the teacher's own, so that a seed fixes the run; the whole
    task-outcome history is searched in one pass, and where tasks repeat the newest one counts
    (``teachgym.core.learning_progress``); no more components are tried than there are distinct vectors; a fit that
    fails is passed over, and if all fail tasks are random until the next fit; the AICc counts the dimensions that are
    fitted unless ``aicc_dimensions`` says otherwise. Fits and distances are in raw task units as in the paper, so a
    parameter of wider range weighs more, and scikit-learn's floor of 1e-6 under variances matters for parameters with a
    range near 1e-3 or less: ``normalise`` changes both.

    Fits happen after every ``fit_every`` answers whether or not the bootstrap is over. With a bootstrap
    shorter than that, tasks are uniformly random from its end to the first fit.

    ``origin`` is ``"bootstrap"``, ``"random"``, or ``"component 3"``, counted from 0.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: An ``AlpGmmSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, or easy tasks are wanted and not offered.
    """

    Settings = AlpGmmSettings
    settings: AlpGmmSettings
    grows = True  # its history, unless max_history is set

    keeps = ("_progress",)

    def __init__(self, spec: TeachingSpec, settings: AlpGmmSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen = self.settings
        normalise = chosen.normalise if chosen.normalise_distances is None else chosen.normalise_distances
        self._progress = AbsoluteLearningProgress(
            self.task_space.dimensions,
            scale=self.task_space.range if normalise else None,
            max_size=chosen.max_history,
        )

    def _measures(self, task: FloatArray, outcome: float) -> list[float]:
        return [self._progress.add(task, outcome)]

    def _scores(self, mixture: Mixture) -> FloatArray:
        return mixture.means[:, -1]
