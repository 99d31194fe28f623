"""Self-distillation in kernel ridge regression: how far to trust the labels, and how far the last fit."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from teachgym.base.ranges import NonNegativeFloat, PositiveFloat, PositiveInt
from teachgym.base.settings import checked_arguments
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.problems.control_env import ControlEnv
from teachgym.envs.problems.control_rules import Always
from teachgym.envs.problems.controlled_student import ControlledStudent, Fixed

Data = Literal["toy", "redrawn"]
# fmt: off
TOY_LABELS = (
    0.38476636465198066, 1.2333967683416893, 1.33232242218057, 0.6920159488889518, -0.29756145531871736,
    -0.24189291901377769, -0.7964485769175675, -0.9616480167034174, -0.49672509509916934, -0.3469066003991437,
    0.5589512650600734,
)
# fmt: on
"""Of Mobahi et al. 2020 (arXiv:2002.05715): the sine at 0, 0.1, ..., 1 with noise."""
BEST_CONSTANT = 0.318
"""Of the toy with 6 steps, on a grid of 1,001."""
_STARTS = 8


class RidgeProblem(Fixed):
    """Kernel ridge regression of noisy labels at 11 points, and its loss against the noiseless function.

    Args:
        labels: ``(11,)``.
        gamma: Of the kernel ``exp(-gamma (a - b)^2)``.
        ridge: Weight of the squared norm.
    """

    def __init__(self, labels: FloatArray, *, gamma: float, ridge: float) -> None:
        inputs, self.grid = np.linspace(0.0, 1.0, len(labels)), np.linspace(0.0, 1.0, 101)
        self.labels, self.function = labels, np.sin(2 * np.pi * self.grid)
        self.kernel = np.exp(-gamma * (inputs[:, None] - inputs) ** 2)
        solve = np.linalg.inv(self.kernel + ridge * np.eye(len(labels)))
        self.smoother: FloatArray = self.kernel @ solve
        """``(11, 11)`` from targets to the fit at the inputs."""
        self.predictor: FloatArray = np.exp(-gamma * (self.grid[:, None] - inputs) ** 2) @ solve
        """``(101, 11)`` from targets to the fit on the grid."""

    def loss(self, targets: FloatArray) -> float:
        """Mean squared error, against the noiseless function on the grid, of the fit to targets ``(11,)``."""
        return float(np.mean((self.predictor @ targets - self.function) ** 2))

    def mixed(self, weight: float, fit: FloatArray) -> FloatArray:
        """``(11,)`` targets, of labels and the last fit."""
        return weight * self.labels + (1 - weight) * fit

    def final_loss(self, weights: ArrayLike, fit: FloatArray) -> tuple[float, FloatArray]:
        """The loss after further steps with these weights ``(k,)``, from a fit ``(11,)``, and its gradient ``(k,)``."""
        weights, fits = np.asarray(weights, dtype=np.float64), [fit]
        for weight in weights:
            targets = self.mixed(weight, fits[-1])
            fits.append(self.smoother @ targets)
        error = self.predictor @ targets - self.function
        to_targets = 2 * self.predictor.T @ error / len(error)
        gradient = np.zeros(len(weights))
        for step in reversed(range(len(weights))):
            gradient[step] = to_targets @ (self.labels - fits[step])
            to_targets = self.smoother.T @ ((1 - weights[step]) * to_targets)
        return float(np.mean(error**2)), gradient

    def optimal(self, steps: int, fit: FloatArray, low: float, high: float) -> tuple[FloatArray, float]:
        """The weights ``(steps,)`` within bounds that make the loss after all of them least, and that loss.

        By L-BFGS-B from several starts, the same every time.
        """
        rng = np.random.default_rng(0)
        starts = [np.full(steps, share) for share in (0.0, 0.25, 0.5, 1.0)]
        starts += [rng.random(steps) for _ in range(_STARTS)]
        found = [
            minimize(
                self.final_loss,
                low + (high - low) * start,
                args=(fit,),
                jac=True,
                method="L-BFGS-B",
                bounds=[(low, high)] * steps,
                options={"ftol": 1e-15, "gtol": 1e-10},
            )
            for start in starts
        ]
        best = min(found, key=lambda result: float(result.fun))
        return np.asarray(best.x, dtype=np.float64), float(best.fun)


class SelfDistiller(ControlledStudent):
    """A student that fits a mixture of the labels and of its own last fit, again and again.

    Args:
        problem: The data.
        steps: Of an episode.
        low: Least weight of the labels.
        high: Greatest.
    """

    has_best = True

    def __init__(self, problem: RidgeProblem, *, steps: int, low: float, high: float) -> None:
        self.problem, self._left, self._bounds = problem, steps, (low, high)
        self._fit = problem.labels  # the zeroth fit is the labels themselves, so that the first step is a plain fit
        self._targets = np.zeros_like(problem.labels)

    def learn(self, controls: FloatArray) -> float:
        """Fit once."""
        self._targets = self.problem.mixed(float(controls[0]), self._fit)
        self._fit = self.problem.smoother @ self._targets
        self._left -= 1
        return 0.0

    def score(self) -> float:
        """Minus the loss against the noiseless function."""
        return -self.problem.loss(self._targets)

    def seen(self) -> Mapping[str, float]:
        """What the two pure next fits are like: that of the labels, and that of the last fit."""
        of_labels, of_fit = self.problem.predictor @ self.problem.labels, self.problem.predictor @ self._fit
        wanted, apart = self.problem.function - of_fit, of_labels - of_fit
        return {
            "loss": -self.score(),
            "residual": float(np.mean((self._fit - self.problem.labels) ** 2)),
            "loss_of_own": float(np.mean(wanted**2)),
            "along": float(np.mean(wanted * apart)),
            "apart": float(np.mean(apart**2)),
        }

    def best(self) -> FloatArray:
        """The first of the weights that make the last loss least."""
        return self.optimal()[0][:1] if self._left else np.ones(1)

    def optimal(self) -> tuple[FloatArray, float]:
        """The weights for all steps that are left that make the last loss least, and that loss."""
        return self.problem.optimal(self._left, self._fit, *self._bounds)

    def notes(self) -> dict[str, Any]:
        """The loss."""
        return {"loss": -self.score()}


def projection(seen: Mapping[str, float]) -> ArrayLike:
    """The weight whose next fit has the least loss: a projection on the line between the two pure fits."""
    return seen["along"] / seen["apart"] if seen["apart"] > 1e-12 else 1.0


@final
class SelfDistillationEnv(ControlEnv):
    """Weigh labels against the student's own last fit, in repeated self-distillation of kernel ridge regression.

    ## In Short
    - Decision: how much the next fit trusts the labels, and how much the last fit.
    - Student: kernel ridge regression.
    - Reward: the drop of the loss against the noiseless function.
    - Truth: the optimum over all steps, by minimisation; the source's losses to 5 decimals.
    - Episode: a millisecond.

    ## Description
    After Borup and Andersen 2021 (arXiv:2102.13088). The student fits ``alpha`` times the labels plus ``1 - alpha``
    times its last fit, by kernel ridge regression, ``budget`` times. The zeroth fit is the labels themselves, so that
    the first step is a plain fit, whatever is chosen. The default data are the 11 fixed points of the source, whose
    losses it reproduces; ``data="redrawn"`` draws other noise in every episode.

    ## Action Space
    ``alpha``, the weight of the labels, from ``low`` to ``high``.

    ## Observation Space
    ``progress``, ``last_alpha``, ``loss``, ``residual`` (mean squared distance of the last fit to the labels), and of
    the next fit: ``loss_of_own``, its loss with ``alpha`` 0, and ``along`` and ``apart``, of which the source's rule is
    the ratio.

    ## Rewards
    The drop of the loss, a mean squared error against the noiseless function on 101 points.

    ## Starting State
    No fit: the zero function.

    ## Episode Termination
    After ``budget`` steps.

    ## Truth
    The least last loss is a smooth minimisation over the weights of all steps, ``optimal()`` of
    ``env.lifetime.student``, from any state. Hence the exact regret of any policy. The rule ``truth`` plays it.

    ## Reference Policies
    ``none`` trusts the labels alone, ``paper`` is the projection with the least next loss, which is myopic,
    ``constant`` is the best constant of the toy.

    ## Arguments
    ``budget=6``, ``data="toy"`` or ``"redrawn"``, ``noise=0.5`` (its standard deviation, where it is redrawn),
    ``low=0.0``, ``high=1.0``, ``gamma=80.0``, ``ridge=0.2``, and ``probes``, ``truth``, ``reward`` and ``price`` of
    ``ControlEnv``. ``info["loss"]`` is the loss.

    ## Version History
    - v0: first version.
    """

    @checked_arguments
    def __init__(
        self,
        *,
        budget: PositiveInt = 6,
        data: Data = "toy",
        noise: NonNegativeFloat = 0.5,
        low: float = 0.0,
        high: float = 1.0,
        gamma: PositiveFloat = 80.0,
        ridge: PositiveFloat = 0.2,
        **schedule: Any,
    ) -> None:
        super().__init__(
            TaskSpace([Parameter("alpha", low, high)]),
            TaskSpace(
                [
                    Parameter("loss", 0.0, 4.0),
                    Parameter("residual", 0.0, 4.0),
                    Parameter("loss_of_own", 0.0, 4.0),
                    Parameter("along", -4.0, 4.0),
                    Parameter("apart", 0.0, 4.0),
                ]
            ),
            partial(_student, None if data == "toy" else noise, gamma, ridge, steps=budget, low=low, high=high),
            budget=budget,
            score_range=(-0.5, 0.0),
            rules={"none": Always(1.0), "paper": projection, "constant": Always(BEST_CONSTANT)},
            has_best=True,
            **schedule,
        )


def _student(noise: float | None, gamma: float, ridge: float, seeds: Seeds, **episode: Any) -> SelfDistiller:
    """A student of the toy's labels, or of labels that are drawn with this noise."""
    labels = np.array(TOY_LABELS)
    if noise is not None:
        drawn = noise * np.random.default_rng(seeds.world).standard_normal(len(labels))
        labels = np.sin(2 * np.pi * np.linspace(0.0, 1.0, len(labels))) + drawn
    return SelfDistiller(RidgeProblem(labels, gamma=gamma, ridge=ridge), **episode)
