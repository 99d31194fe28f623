"""The base of teachers that fit a Gaussian mixture to the latest answers again and again, and draw tasks from it."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.progress.gaussian_mixtures import Criterion, Mixture, chances, fit_mixture
from teachgym.base.ranges import NonNegativeInt, PositiveInt, Share
from teachgym.base.setting_checks import check_numbers, check_whole
from teachgym.base.settings import checked_dataclass
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.sampling import GaussianMixture
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray


@checked_dataclass
class MixtureSettings:
    """Settings that ALP-GMM and Covar-GMM share; the defaults are those of Portelas et al. 2019.

    Raises:
        ValueError: If a value is not allowed.
    """

    fit_every: PositiveInt = 250
    """Outcomes between two fits, which is also the number of outcomes that a fit takes into account."""
    bootstrap_episodes: NonNegativeInt | None = None
    """Outcomes until the mixture is first used; None takes ``fit_every``."""
    bootstrap: Literal["uniform", "easy"] = "uniform"
    """What tasks are drawn from until then: the whole task space, or the environment's ``easy_tasks``."""
    random_share: Share = 0.2
    """Share of uniform draws after the bootstrap."""
    components_min: PositiveInt = 2
    """Fewest components of a mixture."""
    components_max: int = 10
    """Most components of a mixture, inclusive."""
    criterion: Criterion = "aic"
    """What the mixture kept has least of: ``"aic"``, ``"bic"``, or ``"aicc"`` (AIC for small samples)."""
    aicc_dimensions: Literal["fitted", "task"] = "fitted"
    """Dimensions that the AICc counts parameters of: those that are fitted, or the task's alone as in the authors'
    code."""
    weigh_components: bool = False
    """Whether a component's chance is in proportion to its weight in the mixture, too, which the authors ignore."""
    normalise: bool = False
    """Whether fits take each task parameter as a share of its range, instead of in its own unit."""
    scale_outcomes: bool = True
    """Whether outcomes are mapped from the environment's outcome range to ``[0, 1]`` and clipped before use."""

    def __post_init__(self) -> None:
        check_whole("components_max", self.components_max, self.components_min)


class MixtureTeacher(TaskTeacher):
    """A teacher that draws tasks from the components of a mixture fitted to vectors [task, measures].

    Every answer gives one vector. After every ``fit_every`` answers, mixtures are fitted to the last
    ``fit_every`` vectors, and the one with the least information criterion is kept. From the end of the
    bootstrap on, a task is uniformly random with probability ``random_share``; otherwise a component is chosen
    in proportion to its score (equally if all are 0) and a point drawn from it, of which the task is kept.

    Fits happen whether or not the bootstrap is over. Without a mixture, tasks are uniformly random: from the
    end of a bootstrap shorter than ``fit_every`` to the first fit, and where every fit has failed.

    Subclasses define ``_measures`` and ``_scores``, and extend ``keeps`` if they keep more.

    ``origin`` is ``"bootstrap"``, ``"random"``, or ``"component 3"``, counted from 0.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, or easy tasks are wanted and not offered, or have
            other dimensions.
    """

    Settings = MixtureSettings
    settings: MixtureSettings
    keeps: ClassVar[tuple[str, ...]] = ("_answers", "_vectors", "_mixture")
    _mixture: Mixture | None

    def __init__(self, spec: TeachingSpec, settings: MixtureSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        if spec.easy_tasks is not None:
            check_numbers("easy_tasks.mean", spec.easy_tasks.mean, count=self.task_space.dimensions)
            check_numbers("easy_tasks.std", spec.easy_tasks.std, count=self.task_space.dimensions)
        chosen = self.settings
        self._bootstrap = chosen.fit_every if chosen.bootstrap_episodes is None else chosen.bootstrap_episodes
        self._answers = 0
        self._vectors: list[FloatArray] = []  # since the last fit
        self._mixture = None
        self._described: GaussianMixture | None = None  # the mixture as it is shown, made when asked for

    @classmethod
    def requirements(cls, settings: Any) -> Requirements:
        """It needs easy tasks if the bootstrap is to draw from them."""
        found = super().requirements(settings)
        return found.needing(Needs.EASY_TASKS) if settings.bootstrap == "easy" else found

    @abstractmethod
    def _measures(self, task: FloatArray, outcome: float) -> list[float]:
        """What stands beside the task in the vector of a new answer; ``task`` ``(n,)`` is in task units."""

    @abstractmethod
    def _scores(self, mixture: Mixture) -> FloatArray:
        """How much each component promises: ``(k,)``; negative scores count as 0."""

    def sampling(self) -> GaussianMixture | None:
        """The mixture over tasks; None while tasks come from the bootstrap or there is no mixture."""
        if self._mixture is None or self._answers < self._bootstrap:
            return None
        if self._described is None:
            self._described = self._mixture.over_tasks(
                self.task_space,
                weights=self._chances(self._mixture),
                uniform=self.settings.random_share,
                normalised=self.settings.normalise,
            )
        return self._described

    def _chances(self, mixture: Mixture) -> FloatArray:
        scores = chances(self._scores(mixture))
        return chances(scores * mixture.weights) if self.settings.weigh_components else scores

    def _choose(self) -> tuple[FloatArray, str]:
        if self._answers < self._bootstrap:
            return self._initial(), "bootstrap"
        if self._mixture is None or self.rng.random() < self.settings.random_share:
            return self.task_space.uniform(self.rng), "random"
        weights = self._chances(self._mixture)
        component = int(self.rng.choice(len(weights), p=weights))
        task = self._mixture.draw(component, self.rng)[: self.task_space.dimensions]
        return self.task_space.denormalise(task) if self.settings.normalise else task, f"component {component}"

    def _initial(self) -> FloatArray:
        easy = self.spec.easy_tasks
        if self.settings.bootstrap == "uniform" or easy is None:
            return self.task_space.uniform(self.rng)
        return self.rng.normal(easy.mean, easy.std)

    def _learn(self, task: FloatArray, outcome: float) -> None:
        if self.settings.scale_outcomes:
            outcome = self.spec.scale_outcome(outcome)
        measures = self._measures(task, outcome)
        self._answers += 1
        self._vectors.append(np.append(self.task_space.normalise(task) if self.settings.normalise else task, measures))
        if len(self._vectors) == self.settings.fit_every:
            self._fit()

    def _fit(self) -> None:
        self._mixture = fit_mixture(
            np.array(self._vectors),
            self.rng,
            least=self.settings.components_min,
            most=self.settings.components_max,
            criterion=self.settings.criterion,
            aicc_dimensions=self.task_space.dimensions if self.settings.aicc_dimensions == "task" else None,
        )
        self._described = None
        self._vectors = []

    def _forget_derived(self) -> None:
        self._described = None
