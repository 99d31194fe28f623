"""SPRL: a Gaussian over tasks that nears a target as fast as a bound on the student's performance allows."""

import warnings
from typing import final

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

from teachgym.agents.shaping.context_gaussian import ContextGaussian
from teachgym.agents.shaping.outcome_thresholds import competent_outcome
from teachgym.agents.shaping.self_paced_teacher import SelfPacedSettings, SelfPacedTeacher
from teachgym.base.exclusive import one_core
from teachgym.base.ranges import FiniteFloat, PositiveFloat, PositiveInt
from teachgym.base.settings import checked_dataclass
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray

DRAWS = 100
"""Draws from the Gaussian until one must be in bounds; after that the last one is clipped."""
HOPELESS = 0.95
"""Share of the threshold, counted from the worst outcome, below which an update is no recovery."""
_MOST_LOG_RATIO = 50.0
"""Greatest logarithm of a density ratio, so that no trial of the solver overflows."""
HALVINGS = 30
"""How often what the solver found may be halved until it keeps to the radius."""


@checked_dataclass
class SprlSettings(SelfPacedSettings):
    """Settings of ``Sprl``; the defaults are those of the authors' classes.

    Raises:
        ValueError: If a value is not allowed.
    """

    update_every: PositiveInt = 50
    """Outcomes between two updates, which are all that an update takes into account."""
    threshold: FiniteFloat | None = None
    """Mean outcome that the student is to keep; None takes 33/38 of the way from the worst outcome to
    ``mastered_above``, on the walker 180. The authors choose it for each environment."""
    max_kl: PositiveFloat = 0.1
    """Radius of an update: the divergence from the new Gaussian to the old one."""
    normalise_weights: bool = False
    """Whether the weights q / q_old are divided by their mean, unlike the authors'. Otherwise a Gaussian that is denser
    at every task seen seems to perform better; with 10 dimensions or more, the threshold then hardly binds."""
    solver_iterations: PositiveInt = 200
    """Most iterations of the solver in one update."""


@final
class Sprl(SelfPacedTeacher):
    """Moves a Gaussian of tasks to a target while performance holds (SPRL, Klink et al. 2021, arXiv:2102.13176).

    Self-paced RL goes as near to the target as it can without the student's mean outcome falling below a threshold.
    After every ``update_every`` answers with tasks c_i and outcomes R_i, it minimises ``KL(q || target)`` over
    Gaussians q with ``mean_i[q(c_i) / q_old(c_i) R_i] >= threshold`` and ``KL(q || q_old) <= max_kl``. Until the
    mean outcome has reached the threshold once, it maximises that mean instead, within the same radius. A new
    Gaussian is refused if performance is hopeless before and after (below 0.95 of the threshold), or if it gained
    nothing. Tasks are redrawn up to 100 times until one is in bounds, then clipped.

    Two algorithms are called self-paced RL. This is the second, "v2": ``SelfPacedTeacherV2`` in the authors' code,
    from the JMLR paper, and what papers since 2021 mostly mean by SPDL or SPRL. It needs outcomes only. The
    first, "v1", weighs the student's value estimates against the target: ``teachgym.agents.shaping.spdl``.

    Differs from the authors' code: R_i is the undiscounted outcome, mapped from the outcome range to ``[0, 1]`` and
    clipped (so that 0.95 of a threshold has a meaning where outcomes are negative), theirs the discounted return by
    default; the target is a Gaussian and its divergence exact, theirs any density and sampled; the radius is
    ``KL(q || q_old)`` as in the paper, theirs the reverse; a move away from the target is accepted where it wins
    back a performance that had been lost. Their solver (trust-constr of SciPy, with their tolerances) runs in
    coordinates in which q_old is the standard normal distribution: in task coordinates it stalled, or ran out of
    iterations, from five dimensions on.

    ``origin`` is ``"context"``, or ``"clipped"`` where no draw was in bounds.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: An ``SprlSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, a Gaussian has other dimensions, or a centre is out of
            bounds.
    """

    Settings = SprlSettings
    settings: SprlSettings
    keeps = ("_reached", "_contexts", "_outcomes")

    def __init__(self, spec: TeachingSpec, settings: SprlSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        threshold = competent_outcome(spec) if self.settings.threshold is None else self.settings.threshold
        worst, best = spec.outcome_range
        self._threshold = (threshold - worst) / (best - worst)
        self._reached = False
        self._contexts: list[FloatArray] = []  # in units, since the last update
        self._outcomes: list[float] = []  # scaled to [0, 1]

    @classmethod
    def requirements(cls, settings: SprlSettings) -> Requirements:
        """It needs to know what mastered means, unless a threshold is set."""
        found = super().requirements(settings)
        return found.needing(Needs.SUCCESS) if settings.threshold is None else found

    def _choose(self) -> tuple[FloatArray, str]:
        draws = self._context.draw(self.rng, DRAWS)
        inside = np.all((draws >= 0) & (draws <= 1), axis=1)
        first = int(np.argmax(inside))
        if not inside[first]:
            return self.task_space.denormalise(draws[-1]), "clipped"
        return self.task_space.denormalise(draws[first]), "context"

    def _learn(self, task: FloatArray, outcome: float) -> None:
        self._contexts.append(self.task_space.normalise(task))
        self._outcomes.append(self.spec.scale_outcome(outcome))
        if len(self._outcomes) == self.settings.update_every:
            self._improve(np.array(self._contexts), np.array(self._outcomes))
            self._contexts, self._outcomes = [], []

    def _improve(self, contexts: FloatArray, outcomes: FloatArray) -> None:
        before = float(np.mean(outcomes))
        self._reached = self._reached or before >= self._threshold
        search = _Search(
            self._context, self._target, contexts, outcomes, normalise_weights=self.settings.normalise_weights
        )
        vector = search.solve(
            self.settings.max_kl, self._threshold if self._reached else None, self.settings.solver_iterations
        )
        if vector is None:
            return
        after = search.performance(vector)
        if self._reached:
            nearer = search.distance(vector) <= search.distance(np.zeros_like(vector))
            hopeful = max(before, after) >= HOPELESS * self._threshold
            accepted = hopeful and (nearer or before < self._threshold)
        else:
            accepted = after >= before
        if accepted:
            self._move_to(search.gaussian(vector).placed_in(self._context))


class _Search:
    """One update's problem, in coordinates in which the old Gaussian is the standard normal distribution.

    Vectors are those of ``ContextGaussian`` in these coordinates; the old Gaussian is the zero vector.
    """

    def __init__(
        self,
        old: ContextGaussian,
        target: ContextGaussian,
        contexts: FloatArray,
        outcomes: FloatArray,
        *,
        normalise_weights: bool,
    ) -> None:
        n = old.dimensions
        self._old = ContextGaussian.diagonal(np.zeros(n), np.ones(n))
        self._target = target.seen_from(old)
        self._contexts = old.standardise(contexts)
        self._old_densities = self._old.log_densities(self._contexts)
        self._outcomes = outcomes
        self._normalise_weights = normalise_weights

    def gaussian(self, vector: FloatArray) -> ContextGaussian:
        """The Gaussian with these parameters."""
        return ContextGaussian.from_vector(vector, self._old.dimensions)

    def distance(self, vector: FloatArray) -> float:
        """Divergence from the target."""
        return self.gaussian(vector).kl(self._target)

    def radius(self, vector: FloatArray) -> float:
        """Divergence from the old Gaussian."""
        return self.gaussian(vector).kl(self._old)

    def performance(self, vector: FloatArray) -> float:
        """What the mean outcome would be."""
        return float(self._weights(self.gaussian(vector)) @ self._outcomes)

    def solve(self, max_kl: float, threshold: float | None, iterations: int) -> FloatArray | None:
        """Near the target while performance keeps to the threshold; if that is None, raise performance.

        Returns:
            The best vector found, within the radius; None if the solver failed.
        """
        constraints = [
            NonlinearConstraint(lambda vector: [self.radius(vector)], -np.inf, max_kl, jac=self._radius_gradient)
        ]
        if threshold is not None:
            constraints.append(
                NonlinearConstraint(
                    lambda vector: [self.performance(vector)], threshold, np.inf, jac=self._performance_gradient
                )
            )
        with one_core(), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a trial that went wrong is rejected, by the solver or below
            try:
                found = minimize(
                    self._fall if threshold is None else self.distance,
                    self._old.vector(),
                    jac=self._fall_gradient if threshold is None else self._distance_gradient,
                    method="trust-constr",
                    constraints=constraints,
                    options={"gtol": 1e-4, "xtol": 1e-6, "maxiter": iterations},
                )
            except ValueError:  # a trial that is not finite; LinAlgError is a ValueError
                return None
        vector = np.array(found.x, dtype=np.float64)
        for _ in range(HALVINGS):
            if self.radius(vector) <= 1.01 * max_kl:
                return vector
            vector = vector / 2
        return None

    def _weights(self, gaussian: ContextGaussian) -> FloatArray:
        """``(m,)`` how much each answer's outcome counts."""
        log_ratios = gaussian.log_densities(self._contexts) - self._old_densities
        ratios = np.exp(np.minimum(log_ratios, _MOST_LOG_RATIO))
        return np.asarray(ratios / (max(np.sum(ratios), 1e-300) if self._normalise_weights else len(ratios)))

    def _fall(self, vector: FloatArray) -> float:
        return -self.performance(vector)

    def _fall_gradient(self, vector: FloatArray) -> FloatArray:
        return -self._performance_gradient(vector)

    def _performance_gradient(self, vector: FloatArray) -> FloatArray:
        gaussian = self.gaussian(vector)
        weights = self._weights(gaussian)
        baseline = float(weights @ self._outcomes) if self._normalise_weights else 0.0
        return gaussian.log_density_gradient(self._contexts, weights * (self._outcomes - baseline))

    def _distance_gradient(self, vector: FloatArray) -> FloatArray:
        return self.gaussian(vector).kl_gradient(self._target)

    def _radius_gradient(self, vector: FloatArray) -> FloatArray:
        return self.gaussian(vector).kl_gradient(self._old)
