"""How strongly to pull a recurrent network to its data while it learns a chaotic system."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, final

import numpy as np

from teachgym.base.ranges import NonNegativeFloat
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_arguments
from teachgym.core.decision import COUNTED_PROBES
from teachgym.core.requirements import OnDemand
from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.envs.problems.control_env import ControlEnv
from teachgym.envs.problems.control_rules import Always
from teachgym.envs.problems.controlled_student import ControlledStudent
from teachgym.envs.problems.teacher_forcing.attractor_metrics import (
    prediction_error,
    spectrum_distance,
    state_divergence,
)
from teachgym.envs.problems.teacher_forcing.chaotic_systems import Series
from teachgym.envs.problems.teacher_forcing.clipped_plrnn import Adam, ClippedPlrnn

SystemName = Literal["logistic", "henon", "lorenz"]
BATCH, NOISE = 16, 0.02
RATE, LATE_RATE, LATE = 2e-3, 4e-4, 0.7
"""Of learning: at first, and from this share of the episode on."""
FREE_RUNS, TRANSIENT = 20, 50
AHEAD = 5
"""Steps of the prediction error."""
_MOST_ERROR = 10.0
PAPER_DECAY, RESCALED_DECAY, EVERY = 0.999, 0.99, 5
"""Of the source's annealing: decay of the strength, once in so many updates; rescaled from 250,000 to 4,000 of them."""
_BEST_CONSTANT = 0.6
"""For the Henon map, on a grid of 10 (0.1, 0.2, ..., 1) over 8 seeds."""


@dataclass(frozen=True)
class Sizes:
    """What is learnt, and how much of it."""

    hidden: int
    """Units of the network."""
    length: int
    """Of the sequences in training."""
    series: int
    """States to learn from."""
    updates: int
    """In a segment."""
    budget: int
    """Quanta of an episode, unless told otherwise."""
    free_length: int
    """Of each free run that is judged."""
    bins: int
    """Of a histogram of states, along each dimension."""


SIZES: Mapping[SystemName, Sizes] = {
    "logistic": Sizes(20, 20, 2000, 50, 40, 200, 30),
    "henon": Sizes(20, 30, 2000, 100, 40, 200, 30),
    "lorenz": Sizes(50, 60, 5000, 500, 100, 1000, 30),
}


class ForcedStudent(ControlledStudent):
    """A network that learns a series under forcing.

    Args:
        series: To learn from, and to be judged by.
        sizes: Of the network and the training.
        steps: Training segments of the episode, by which the learning rate falls.
        seeds: Of the episode.
    """

    def __init__(self, series: Series, sizes: Sizes, steps: int, seeds: Seeds) -> None:
        self._series, self._sizes = series, sizes
        self._rng = np.random.default_rng(seeds.student)
        self._network = ClippedPlrnn.drawn(series.train.shape[1], sizes.hidden, self._rng)
        self._adam = Adam(self._network.weights)
        self._updates, self._most = 0, steps * sizes.updates
        of_tests = np.random.default_rng(seeds.evaluation)
        self._places = of_tests.integers(0, len(series.test) - sizes.free_length - AHEAD, FREE_RUNS)
        self._loss = self._gradient = 0.0
        self._norms = dict.fromkeys(("product", "mean", "largest"), 1.0)
        self._test()

    def learn(self, controls: FloatArray) -> float:
        """Make the updates of a segment with this strength; a student that diverges ends the episode."""
        alpha, data, length = float(controls[0]), self._series.train, self._sizes.length
        losses, gradients = [], []
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(self._sizes.updates):
                starts = self._rng.integers(0, len(data) - length, BATCH)
                found = self._network.forced(data[starts[:, None] + np.arange(length + 1)], alpha)
                norm = float(np.sqrt(sum(np.sum(slope**2) for slope in found.gradient.values())))
                if not np.isfinite(norm):
                    self.over = True
                    break
                rate = RATE if self._updates < LATE * self._most else LATE_RATE
                self._adam.step(self._network.weights, found.gradient, rate=rate)
                self._updates += 1
                losses.append(found.loss)
                gradients.append(norm)
            if losses:
                self._loss, self._gradient = float(np.mean(losses)), float(max(gradients))
                self._norms = jacobian_norms(self._network.jacobians(found.slopes))
        self._test()
        return 0.0

    def score(self) -> float:
        """Minus the divergence of the states of free runs from those of the system."""
        return -self._divergence

    def seen(self) -> Mapping[str, float]:
        """Losses, gradients, norms of Jacobians along the last batch, and distances of free runs from the data."""
        return {
            "loss": self._loss,
            "log_gradient": float(np.log10(max(self._gradient, 1e-3))),
            "norm_of_product": self._norms["product"],
            "norm_of_mean": self._norms["mean"],
            "largest_norm": self._norms["largest"],
            "norm_bound": self._network.norm_bound(),
            "divergence": self._divergence,
            "spectrum": self._spectrum,
            "error": self._error,
        }

    def _test(self) -> None:
        """Free runs from states of the test series; the first steps tell the error, the last ones the attractor."""
        test, sizes = self._series.test, self._sizes
        with np.errstate(over="ignore", invalid="ignore"):
            runs = self._network.free(test[self._places], TRANSIENT + sizes.free_length)
            error = prediction_error(runs[AHEAD - 1], test[self._places + AHEAD])
        self._error = error if error < _MOST_ERROR else _MOST_ERROR
        settled = runs[TRANSIENT:].swapaxes(0, 1)
        self._divergence = state_divergence(settled.reshape(-1, test.shape[1]), test, bins=sizes.bins)
        wanted = test[self._places[:, None] + np.arange(sizes.free_length)]
        self._spectrum = spectrum_distance(settled, wanted)


def jacobian_norms(jacobians: FloatArray) -> dict[str, float]:
    """The source's estimates of how states drift apart, from Jacobians ``(length, batch, m, m)``.

    ``product``: the greatest, over sequences, geometric mean of their norms; ``mean``: the greatest norm of a
    sequence's mean Jacobian; ``largest``: the greatest norm of all.
    """
    norms = np.linalg.norm(jacobians, 2, axis=(-2, -1))
    return {
        "product": float(np.exp(np.log(np.maximum(norms, 1e-12)).mean(axis=0)).max()),
        "mean": float(np.linalg.norm(jacobians.mean(axis=0), 2, axis=(-2, -1)).max()),
        "largest": float(norms.max()),
    }


def bounding_strength(norm: float) -> float:
    """The least strength under which Jacobians of this norm do not blow a gradient up: ``max(0, 1 - 1 / norm)``."""
    return max(0.0, 1 - 1 / norm) if norm > 0 else 0.0


def annealed(decay: float, updates: int, seen: Mapping[str, float]) -> list[float]:
    """The source's annealing, from 1: down to the estimate slowly, up to it at once."""
    kept = decay ** (updates / EVERY)
    estimate = bounding_strength(seen["norm_of_product"])
    if seen["progress"] == 0:
        return [1.0]
    last = seen["last_alpha"]
    return [estimate if estimate > last else kept * last + (1 - kept) * estimate]


@final
class TeacherForcingEnv(ControlEnv):
    """Choose how strongly a recurrent network is pulled to its data, while it learns a chaotic system.

    ## In Short
    - Decision: how strongly the states of a recurrent network are pulled to the data.
    - Student: a small piecewise linear recurrent network.
    - Reward: the drop of the divergence of its free runs from the attractor.
    - Truth: known exponents and densities of the systems; a theorem that bounds the gradient.
    - Episode: 2 seconds (Henon map).

    ## Description
    Generalized teacher forcing (Hess et al. 2023, arXiv:2306.04406). The student, a clipped shallow piecewise linear
    network, learns to continue a noisy chaotic series. In training each of its states is pulled to the data by
    ``alpha`` before the next step. With ``alpha=0``, gradients through time explode, as the system is chaotic; with 1,
    the student learns single steps, and not where they lead. Systems: ``"henon"`` and ``"logistic"``, the maps, and
    ``"lorenz"``, the flow of 1963, for long runs.

    ## Action Space
    ``alpha``, from 0 to 1, for the next ``updates`` updates.

    ## Observation Space
    ``progress``, ``last_alpha``; of the last segment the ``loss`` and ``log_gradient``, the log 10 of the greatest norm
    of the gradient; of its last batch the three norms of Jacobians, ``norm_of_product``, ``norm_of_mean`` and
    ``largest_norm``, and the ``norm_bound`` of the weights; of free runs the ``divergence`` (nats), the distance of the
    ``spectrum``, and the squared ``error`` five steps ahead.

    ## Rewards
    The drop of the divergence of binned states (``attractor_metrics.state_divergence``) of 20 free runs from the clean
    series.

    ## Starting State
    A fresh series and network.

    ## Episode Termination
    After ``budget`` segments, or when the student diverges.

    ## Truth
    If ``alpha`` is at least 1 - 1/N for a bound N of the norms of Jacobians, the gradient through forced time does not
    grow, whatever the weights. The greatest Lyapunov exponents are known (``log 2``, 0.419, and 0.906 a time unit), and
    the density of the logistic map is the arcsine's. The best schedule is not known.

    ## Reference Policies
    ``none`` does not force, ``forcing`` does fully, ``constant`` is the best constant. ``paper`` anneals to the
    product bound with the source's decay, made for 250,000 updates; ``rescaled`` forgets ten times as fast.

    Measured here, on the Henon map (8 seeds, divergence in nats): 14.8 with a strength of 0.1, 0.93 with the best
    constant, 0.6, and 1.58 with full forcing; the source's rule comes to 1.19 (median 0.94, against 0.98 of the best
    constant) without a search, and its strength to 0.75. On the logistic map 0.8 is best (0.14), and the source's rule
    has a median of 0.18. So adaptive forcing is near the best constant, and does not beat all constants.

    ## Arguments
    ``system="henon"``, ``budget=None`` (40; 100 for ``"lorenz"``), ``updates=None`` (100 in a segment; 50 for
    ``"logistic"``, 500 for ``"lorenz"``), ``noise=0.02`` (as a share of the signal's deviation), and ``probes``,
    ``truth``, ``reward`` and ``price`` of ``ControlEnv``.

    ## Version History
    - v0: first version.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (COUNTED_PROBES,)  # what is best is not known

    @checked_arguments
    def __init__(
        self,
        *,
        system: SystemName = "henon",
        budget: int | None = None,
        updates: int | None = None,
        noise: NonNegativeFloat = NOISE,
        **schedule: Any,
    ) -> None:
        default = SIZES[system]
        made = {**vars(default), "budget": default.budget if budget is None else budget}
        made["updates"] = default.updates if updates is None else updates
        sizes = Sizes(**made)
        check_whole("budget", sizes.budget, 1)
        check_whole("updates", sizes.updates, 1)
        super().__init__(
            TaskSpace([Parameter("alpha", 0.0, 1.0)]),
            TaskSpace(
                [
                    Parameter("loss", 0.0, 10.0),
                    Parameter("log_gradient", -3.0, 6.0),
                    Parameter("norm_of_product", 0.0, 10.0),
                    Parameter("norm_of_mean", 0.0, 10.0),
                    Parameter("largest_norm", 0.0, 20.0),
                    Parameter("norm_bound", 0.0, 100.0),
                    Parameter("divergence", 0.0, 30.0),
                    Parameter("spectrum", 0.0, 1.0),
                    Parameter("error", 0.0, _MOST_ERROR),
                ]
            ),
            partial(_student, system, sizes, noise),
            budget=sizes.budget,
            score_range=(-16.0, 0.0),
            rules={
                "none": Always(0.0),
                "forcing": Always(1.0),
                "constant": Always(_BEST_CONSTANT),
                "paper": partial(annealed, PAPER_DECAY, sizes.updates),
                "rescaled": partial(annealed, RESCALED_DECAY, sizes.updates),
            },
            **schedule,
        )


def _student(system: SystemName, sizes: Sizes, noise: float, seeds: Seeds) -> ForcedStudent:
    rng = np.random.default_rng(seeds.world)
    tests = FREE_RUNS * sizes.free_length
    series = Series(system, length=sizes.series, test_length=tests, noise=noise, rng=rng)
    return ForcedStudent(series, sizes, sizes.budget, seeds)
