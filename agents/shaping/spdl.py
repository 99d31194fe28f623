"""SPDL: a Gaussian over tasks that one trust-region step at a time weighs the student's values against a target."""

from collections import deque
from typing import Literal, final

import numpy as np

from teachgym.agents.shaping.context_gaussian import ContextGaussian
from teachgym.agents.shaping.self_paced_teacher import SelfPacedSettings, SelfPacedTeacher
from teachgym.base.ranges import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, PositiveShare
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Note

MOST_EPISODES = 1000
"""Answers that wait for a step at most; older ones are dropped."""
MOST_ALPHA = 1e5
"""Greatest weight of the target."""
_MOST_LOG_RATIO = 50.0
"""Greatest logarithm of a density ratio, so that no objective overflows."""
GRADIENT_ITERATIONS, DAMPING, TOLERANCE = 10, 1e-2, 1e-10
"""Of the conjugate gradients: iterations, what is added to the Fisher information, and the share of the squared
gradient that may be left."""
HALVINGS, SLACK = 10, 1.5
"""How often a step may be halved, and how far it may exceed the radius."""


@checked_dataclass
class SpdlSettings(SelfPacedSettings):
    """Settings of ``Spdl``; the defaults are those of TeachMyAgent's benchmark.

    Its constructor has the same ``max_kl``; its command line has ``update_every_steps=100_000``,
    ``alpha_zero_updates=0``, ``zeta=0.05``, ``max_kl=0.8`` and ``performance="value"``.

    Raises:
        ValueError: If a value is not allowed.
    """

    update_every_steps: PositiveInt = 50_000
    """Student steps between two updates; choose fewer where the student's budget is smaller than the walker's."""
    first_update_steps: NonNegativeInt = 200_000
    """Student steps until the first update."""
    update_every_episodes: PositiveInt | None = None
    """Outcomes between two updates; None goes by the student's steps instead."""
    max_kl: PositiveFloat = 0.1
    """Radius of a step: the divergence from the old Gaussian to the new one."""
    zeta: NonNegativeFloat = 0.25
    """How much the target weighs against the student's performance."""
    alpha_zero_updates: NonNegativeInt = 9
    """First updates that only raise the student's value and leave the target out. TeachMyAgent's offset of 10 makes
    nine such, as its counter is at 1 in the first update."""
    performance: Literal["return", "value"] = "return"
    """What the target is weighed by: the mean discounted return, or the mean of the student's values."""
    discount: PositiveShare = 0.99
    """Discount of a reward one step later."""


@final
class Spdl(SelfPacedTeacher):
    """Moves a Gaussian of tasks from easy ones to a target (SPDL, Klink et al. 2020, arXiv:2004.11812).

    Self-paced deep RL goes as fast as the student's own value estimates allow, a step of bounded length at a time.
    An update maximises ``mean_i[q(c_i) / q_old(c_i) V(s_i, c_i)] - alpha KL(q || target)`` over Gaussians q with
    ``KL(q_old || q) <= max_kl``, where the tasks c_i and the values V of their initial states are those of the
    answers since the last update. ``alpha`` is 0 for the first ``alpha_zero_updates``, then ``zeta`` times the
    student's performance (0 if that is negative) over ``KL(q_old || target)``. The update is one natural-gradient
    step, by conjugate gradients, scaled to the radius and halved until the objective has not fallen and the
    radius holds; if it never does, q stays.

    Two algorithms are called self-paced RL. This is the first, "v1": it weighs values against the target by
    ``alpha``, and is what TeachMyAgent calls ``Self-Paced`` and its paper SPDL. The second, "v2", puts a bound on
    performance instead: ``teachgym.agents.shaping.sprl``.

    Differs from TeachMyAgent's code (Romac et al. 2021): a value is the student's estimate when the episode ended,
    theirs is asked for again at the update; updates come with the first answer after ``update_every_steps``,
    not at an exact step; the solver works on tasks mapped to ``[0, 1]``, so that the damping does not depend on
    units, and its tolerance is relative; and the centre and widths stay within limits (``SelfPacedTeacher``).
    As in theirs, densities are those of clipped tasks, and values have no baseline: where all are negative, a step
    pushes the Gaussian away from its own tasks.

    ``origin`` is ``"context"``.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: An ``SpdlSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, the student estimates no values, a Gaussian has other
            dimensions, or a centre is out of bounds.
    """

    Settings = SpdlSettings
    settings: SpdlSettings
    needs = Needs.VALUES

    keeps = ("_batch", "_spent", "_next", "_updates")

    def __init__(self, spec: TeachingSpec, settings: SpdlSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        # Of each answer since the last update: the task in units, the value, the discounted return.
        self._batch: deque[FloatArray] = deque(maxlen=MOST_EPISODES)
        self._spent = 0
        every = self.settings.update_every_episodes
        self._next = self.settings.first_update_steps if every is None else every
        self._updates = 0

    def _choose(self) -> tuple[FloatArray, str]:
        return self.task_space.denormalise(self._context.draw(self.rng, 1)[0]), "context"

    def _learn_from(self, task: FloatArray, feedback: Feedback, note: Note | None) -> None:
        rewards, values = feedback.traced("rewards"), feedback.traced("values")
        discounted = float(rewards @ self.settings.discount ** np.arange(len(rewards)))
        value = float(values[0])
        self._batch.append(np.concatenate([self.task_space.normalise(task), [value, discounted]]))
        every = self.settings.update_every_episodes
        self._spent += feedback.cost if every is None else 1
        if self._spent < self._next:
            return
        every = self.settings.update_every_steps if every is None else every
        self._next = self._next + every * ((self._spent - self._next) // every + 1)
        self._improve()

    def _improve(self) -> None:
        batch = np.array(self._batch)
        self._batch.clear()
        contexts, values, returns = batch[:, :-2], batch[:, -2], batch[:, -1]
        alpha = 0.0
        if self._updates >= self.settings.alpha_zero_updates:
            performance = float(np.mean(returns if self.settings.performance == "return" else values))
            distance = max(self._context.kl(self._target), 1e-10)
            alpha = min(self.settings.zeta * max(performance, 0.0) / distance, MOST_ALPHA)
        self._updates += 1
        new = trust_region_step(self._context, self._target, contexts, values, alpha=alpha, max_kl=self.settings.max_kl)
        if new is not None:
            self._move_to(new)


def trust_region_step(
    old: ContextGaussian,
    target: ContextGaussian,
    contexts: FloatArray,
    values: FloatArray,
    *,
    alpha: float,
    max_kl: float,
) -> ContextGaussian | None:
    """One step from ``old`` towards more value and a nearer target, of a divergence of at most 1.5 ``max_kl``.

    Args:
        old: The Gaussian that the contexts were drawn from.
        target: Where to go.
        contexts: ``(m, n)`` tasks, m at least 1.
        values: ``(m,)`` the student's estimates of their returns.
        alpha: How much the divergence from the target weighs.
        max_kl: Radius of the step.

    Returns:
        The new Gaussian; None if no step is better.
    """
    count, start = len(contexts), old.vector()
    old_densities = old.log_densities(contexts)

    def objective(context: ContextGaussian) -> float:
        ratios = np.exp(np.minimum(context.log_densities(contexts) - old_densities, _MOST_LOG_RATIO))
        return float(np.mean(ratios * values)) - alpha * context.kl(target)

    gradient = old.log_density_gradient(contexts, values / count) - alpha * old.kl_gradient(target)
    direction = _natural(old, gradient)
    curvature = float(direction @ old.fisher_product(direction))
    if not curvature > 0:
        return None
    step = direction * np.sqrt(2 * max_kl / curvature)
    before = objective(old)
    for _ in range(HALVINGS):
        new = ContextGaussian.from_vector(start + step, old.dimensions)
        if objective(new) >= before and old.kl(new) <= SLACK * max_kl:
            return new
        step = step / 2
    return None


def _natural(context: ContextGaussian, gradient: FloatArray) -> FloatArray:
    """The natural gradient, up to a factor above 0: conjugate gradients on the damped Fisher information."""
    size = float(np.linalg.norm(gradient))
    if not 0 < size < np.inf:
        return np.zeros_like(gradient)
    left = gradient / size  # so that neither scale nor tolerance depend on the unit of outcomes
    solution, search = np.zeros_like(left), left
    square = float(left @ left)
    for _ in range(GRADIENT_ITERATIONS):
        product = context.fisher_product(search) + DAMPING * search
        length = square / float(search @ product)
        solution, left = solution + length * search, left - length * product
        previous, square = square, float(left @ left)
        if square <= TOLERANCE:
            break
        search = left + square / previous * search
    return solution
