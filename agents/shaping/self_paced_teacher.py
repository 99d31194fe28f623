"""What the two self-paced teachers share: a Gaussian over tasks on its way from an easy one to a target."""

from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.shaping.context_gaussian import ContextGaussian
from teachgym.base.ranges import FiniteFloat, PositiveFloat
from teachgym.base.setting_checks import check_numbers
from teachgym.base.settings import checked_dataclass
from teachgym.core.sampling import GaussianMixture
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray

LEAST_INITIAL_STD = 1e-2
"""Least standard deviation to start from, in ranges: a point as the easy tasks has no Gaussian density."""


@checked_dataclass
class SelfPacedSettings:
    """Settings that ``Spdl`` and ``Sprl`` share.

    Raises:
        ValueError: If a value is not allowed.
    """

    initial_mean: tuple[FiniteFloat, ...] | None = None
    """Centre to start from, in task units; None takes the environment's ``easy_tasks`` where it has them, and a random
    point elsewhere."""
    initial_std: tuple[PositiveFloat, ...] | None = None
    """Standard deviations to start from, in task units; None takes those of the easy tasks (at least a hundredth of
    the range), or a tenth of the range."""
    use_easy_tasks: bool = True
    """Whether to start from the environment's easy tasks where it has them; False starts from a random point."""
    target_mean: tuple[FiniteFloat, ...] | None = None
    """Centre of the target, in task units and within bounds; None takes the middle of the task space."""
    target_std: tuple[PositiveFloat, ...] | None = None
    """Standard deviations of the target, in task units; None takes a quarter of the range."""
    std_floor: tuple[PositiveFloat, ...] | None = None
    """Least diagonal of the covariance's Cholesky factor, in task units, far from the target; None sets none."""
    std_floor_above: Annotated[float, Ge(0)] = 0.0
    """Divergence from the target above which ``std_floor`` holds."""


class SelfPacedTeacher(TaskTeacher):
    """A teacher that draws tasks from a Gaussian, which subclasses move towards a target Gaussian.

    Subclasses define ``_choose`` and ``_learn`` or ``_learn_from``, move with ``_move_to``, and extend
    ``keeps``. Densities are over tasks mapped to ``[0, 1]``. The centre stays within bounds, and the standard
    deviations between a thousandth and ten times the range, which the sources leave open.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, a Gaussian has other dimensions, or a centre is out of
            bounds.
    """

    Settings = SelfPacedSettings
    settings: SelfPacedSettings
    keeps: ClassVar[tuple[str, ...]] = ("_context",)

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, n = self.settings, self.task_space.dimensions
        target_std = np.full(n, 0.25) if chosen.target_std is None else self._widths("target_std", chosen.target_std)
        target_mean = np.full(n, 0.5) if chosen.target_mean is None else self._point("target_mean", chosen.target_mean)
        self._floor = None if chosen.std_floor is None else self._widths("std_floor", chosen.std_floor)
        self._target = ContextGaussian.diagonal(target_mean, target_std)
        self._context = self._start().bounded()
        self._described: GaussianMixture | None = None  # the Gaussian as it is shown, made when asked for

    def sampling(self) -> GaussianMixture:
        """The Gaussian over tasks, before draws are brought within bounds."""
        if self._described is None:
            unit, context = self.task_space.range, self._context
            self._described = GaussianMixture(
                means=(self.task_space.low + context.mean * unit)[None],
                covariances=(context.covariance * np.outer(unit, unit))[None],
                weights=np.ones(1),
                uniform=0.0,
            )
        return self._described

    def _start(self) -> ContextGaussian:
        chosen, n = self.settings, self.task_space.dimensions
        easy = self.spec.easy_tasks if chosen.use_easy_tasks else None
        if chosen.initial_mean is not None:
            mean = self._point("initial_mean", chosen.initial_mean)
        elif easy is not None:
            mean = np.clip(self._units("easy_tasks.mean", easy.mean), 0.0, 1.0)
        else:
            mean = self.rng.uniform(size=n)
        if chosen.initial_std is not None:
            std = self._widths("initial_std", chosen.initial_std)
        elif easy is not None:
            std = np.maximum(self._widths("easy_tasks.std", easy.std), LEAST_INITIAL_STD)
        else:
            std = np.full(n, 0.1)
        return ContextGaussian.diagonal(mean, std)

    def _move_to(self, context: ContextGaussian) -> None:
        """Draw from another Gaussian from now on, brought within what is allowed."""
        context = context.bounded()
        if self._floor is not None and context.kl(self._target) > self.settings.std_floor_above:
            context = context.with_floor(self._floor)
        self._context = context
        self._described = None

    def _units(self, name: str, point: tuple[float, ...]) -> FloatArray:
        check_numbers(name, point, count=self.task_space.dimensions)
        return self.task_space.normalise(point)

    def _point(self, name: str, point: tuple[float, ...]) -> FloatArray:
        units = self._units(name, point)
        if np.any(units < 0) or np.any(units > 1):
            raise ValueError(f"{name} is {point}; expected a point of the task space, {self.task_space.describe()}")
        return units

    def _widths(self, name: str, widths: tuple[float, ...]) -> FloatArray:
        check_numbers(name, widths, count=self.task_space.dimensions)
        return np.array(widths, dtype=np.float64) / self.task_space.range

    def _forget_derived(self) -> None:
        self._described = None
