"""ALP-GMM: Gaussian mixtures over tasks and absolute learning progress."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from teachgym.agents.gaussian_mixtures import Criterion, Mixture, chances, fit_mixture
from teachgym.agents.task_teacher import TaskTeacher
from teachgym.learning_progress import WARM_UP, AbsoluteLearningProgress
from teachgym.problem import Problem
from teachgym.sampling import GaussianMixture
from teachgym.setting_checks import check_choice, check_numbers, check_share, check_whole
from teachgym.task_space import FloatArray
from teachgym.teacher import State


@dataclass(frozen=True)
class AlpGmmSettings:
    """Settings of ``AlpGmm``; the defaults are the paper's.

    Raises:
        ValueError: If a value is not allowed.
    """

    fit_every: int = 250
    """Answers between two fits, which is also the number of answers that a fit takes into account."""
    bootstrap_episodes: int | None = None
    """Answers until the mixture is first used; None takes ``fit_every``."""
    random_share: float = 0.2
    """Share of uniform draws after the bootstrap, in ``[0, 1]``."""
    components_min: int = 2
    """Fewest components of a mixture."""
    components_max: int = 10
    """Most components of a mixture, inclusive."""
    criterion: Criterion = "aic"
    """What the mixture kept has least of: ``"aic"``, ``"bic"``, or ``"aicc"`` (AIC for small samples)."""
    aicc_dimensions: Literal["fitted", "task"] = "fitted"
    """Dimensions that the AICc counts parameters of: those that are fitted, or one fewer as in the authors' code."""
    max_history: int | None = None
    """Answers that nearest neighbours are looked for among, above 5; the oldest are dropped. None keeps all."""
    normalise: bool = False
    """Whether distances and fits take each task parameter as a share of its range, instead of in its own unit."""
    scale_outcomes: bool = True
    """Whether outcomes are mapped from the problem's outcome range to ``[0, 1]`` and clipped before use."""
    initial_mean: tuple[float, ...] | None = None
    """Centre of the Gaussian that the bootstrap draws from, in task units; None draws uniformly."""
    initial_std: tuple[float, ...] | None = None
    """Standard deviation of that Gaussian for each parameter, in task units; draws are clipped to the bounds."""

    def __post_init__(self) -> None:
        check_whole("fit_every", self.fit_every, 1, "episodes")
        if self.bootstrap_episodes is not None:
            check_whole("bootstrap_episodes", self.bootstrap_episodes, 0, "episodes")
        check_share("random_share", self.random_share)
        check_whole("components_min", self.components_min, 1, "components")
        check_whole("components_max", self.components_max, self.components_min, "components (components_min)")
        check_choice("criterion", self.criterion, ("aic", "bic", "aicc"))
        check_choice("aicc_dimensions", self.aicc_dimensions, ("fitted", "task"))
        if self.max_history is not None:
            check_whole("max_history", self.max_history, WARM_UP + 1, "episodes")
        if (self.initial_mean is None) != (self.initial_std is None):
            raise ValueError(
                f"initial_mean is {self.initial_mean} and initial_std is {self.initial_std}; expected both or neither"
            )
        if self.initial_mean is not None and self.initial_std is not None:
            check_numbers("initial_mean", self.initial_mean)
            check_numbers("initial_std", self.initial_std)
            if min(self.initial_std, default=0) < 0:
                raise ValueError(f"initial_std is {self.initial_std}; expected numbers from 0 up")


@final
class AlpGmm(TaskTeacher):
    """Goes where the student's outcomes change most, up or down (Portelas et al. 2019, arXiv:1910.07224).

    Every answer gets an absolute learning progress (ALP, see ``teachgym.learning_progress``). After every
    ``fit_every`` answers, mixtures are fitted to the last ``fit_every`` vectors [task, ALP], and the one with
    the least information criterion is kept. From then on a task is uniformly random with probability
    ``random_share``; otherwise a component is chosen in proportion to its mean ALP (equally if all are 0) and
    a point drawn from it, without its ALP, and clipped to the bounds.

    Differs from the authors' code: the generator is the teacher's own, so that a seed fixes the run; the
    whole task-outcome history is searched in one pass (same answers); no more components are tried than there
    are distinct vectors; a fit that fails is passed over, and if all fail tasks are random until the next fit;
    the AICc counts the dimensions that are fitted unless ``aicc_dimensions`` says otherwise. Fits and
    distances are in raw task units as in the paper, so a parameter of wider range weighs more, and
    scikit-learn's floor of 1e-6 under variances matters for parameters with a range near 1e-3 or less:
    ``normalise`` changes both.

    Fits happen after every ``fit_every`` answers whether or not the bootstrap is over. With a bootstrap
    shorter than that, tasks are uniformly random from its end to the first fit.

    ``origin`` is ``"bootstrap"``, ``"random"``, or ``"component 3"``, counted from 0.

    Args:
        problem: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: An ``AlpGmmSettings``; None takes the defaults.
        seed: Integer from 0 up.

    Raises:
        ValueError: If the action space is no floating box, or the initial Gaussian has other dimensions.
    """

    Settings = AlpGmmSettings
    settings: AlpGmmSettings

    def __init__(self, problem: Problem, settings: AlpGmmSettings | None = None, *, seed: int) -> None:
        super().__init__(problem, settings, seed=seed)
        chosen, dimensions = self.settings, self.task_space.dimensions
        if chosen.initial_mean is not None:
            check_numbers("initial_mean", chosen.initial_mean, count=dimensions)
            check_numbers("initial_std", chosen.initial_std, count=dimensions)
        self._bootstrap = chosen.fit_every if chosen.bootstrap_episodes is None else chosen.bootstrap_episodes
        self._progress = AbsoluteLearningProgress(
            dimensions,
            scale=self.task_space.range if chosen.normalise else None,
            max_size=chosen.max_history,
        )
        self._answers = 0
        self._vectors: list[FloatArray] = []  # [task, ALP] since the last fit
        self._mixture: Mixture | None = None
        self._described: GaussianMixture | None = None  # the mixture as it is shown, made when asked for

    def sampling(self) -> GaussianMixture | None:
        """The mixture over tasks; None while tasks come from the bootstrap or there is no mixture."""
        if self._mixture is None or self._answers < self._bootstrap:
            return None
        if self._described is None:
            self._described = self._mixture.over_tasks(
                self.task_space,
                weights=self._mixture.means[:, -1],
                uniform=self.settings.random_share,
                normalised=self.settings.normalise,
            )
        return self._described

    def _choose(self) -> tuple[FloatArray, str]:
        if self._answers < self._bootstrap:
            return self._initial(), "bootstrap"
        if self._mixture is None or self.rng.random() < self.settings.random_share:
            return self.task_space.uniform(self.rng), "random"
        weights = chances(self._mixture.means[:, -1])
        component = int(self.rng.choice(len(weights), p=weights))
        task = self._mixture.draw(component, self.rng)[:-1]
        return self._from_fit_units(task), f"component {component}"

    def _initial(self) -> FloatArray:
        if self.settings.initial_mean is None or self.settings.initial_std is None:
            return self.task_space.uniform(self.rng)
        return self.rng.normal(self.settings.initial_mean, self.settings.initial_std)

    def _learn(self, task: FloatArray, outcome: float) -> None:
        if self.settings.scale_outcomes:
            outcome = self.problem.scale_outcome(outcome)
        progress = self._progress.add(task, outcome)
        self._answers += 1
        self._vectors.append(np.append(self._to_fit_units(task), progress))
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

    def _to_fit_units(self, task: FloatArray) -> FloatArray:
        return self.task_space.normalise(task) if self.settings.normalise else task

    def _from_fit_units(self, task: FloatArray) -> FloatArray:
        return self.task_space.denormalise(task) if self.settings.normalise else task

    def _state(self) -> State:
        mixture = self._mixture
        return {
            "answers": self._answers,
            "progress": self._progress.state(),
            "vectors": np.array(self._vectors).reshape(-1, self.task_space.dimensions + 1),
            "mixture": None
            if mixture is None
            else {"means": mixture.means.copy(), "covariances": mixture.covariances.copy()},
        }

    def _load(self, state: State) -> None:
        self._answers = int(state["answers"])
        self._progress.load(state["progress"])
        self._vectors = [np.array(vector) for vector in state["vectors"]]
        self._described = None
        mixture = state["mixture"]
        self._mixture = (
            None if mixture is None else Mixture(np.array(mixture["means"]), np.array(mixture["covariances"]))
        )
