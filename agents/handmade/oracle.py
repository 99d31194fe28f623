"""A window that a person aimed: it slides towards harder tasks whenever the student masters what is in it."""

from typing import final

import numpy as np

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.base.ranges import FiniteFloat, PositiveInt, PositiveShare
from teachgym.base.setting_checks import check_numbers
from teachgym.base.settings import checked_dataclass
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.sampling import Window
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray


@checked_dataclass
class OracleSettings:
    """Settings of ``Oracle``.

    Raises:
        ValueError: If a value is not allowed.
    """

    window_share: PositiveShare = 1 / 6
    """Side of the window as a share of each parameter's range."""
    move_every: PositiveInt = 50
    """Episodes between two decisions on whether to move."""
    threshold: FiniteFloat | None = None
    """Mean raw outcome above which the window moves; None takes the environment's ``mastered_above``."""
    steps: tuple[FiniteFloat, ...] | None = None
    """Signed step of one move for each parameter, in its own unit; None takes every ``Parameter.harder``.

    Where the step is 0 the window spans the parameter's whole range."""


@final
class Oracle(TaskTeacher):
    """A sliding window of tasks, with expert knowledge of what is hard (Portelas et al. 2019, arXiv:1910.07224).

    The window starts at a parameter's least value where the step is positive, and at its greatest where the
    step is negative. Tasks are uniform in the window. After each ``move_every`` answers, if the mean of their
    raw outcomes is above the threshold, the window moves by the steps, clamped so that it stays inside the
    bounds. It never moves back, so a student may forget what it learnt first. Whether it moved or not, the
    next decision takes only answers that come after this one.

    Differs from the authors' code: the steps belong to the task space or the settings instead of a table per
    environment, and a step of 0 opens the parameter's whole range instead of pinning the window to one end.

    ``origin`` is ``"window"``.

    Args:
        spec: The environment's fixed facts.
        settings: An ``OracleSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If a parameter has no known direction of difficulty and the settings give no steps, or
            they give more or fewer steps than there are parameters.
    """

    Settings = OracleSettings
    settings: OracleSettings
    keeps = ("_low", "_outcomes")

    def __init__(self, spec: TeachingSpec, settings: OracleSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        space = self.task_space
        self._steps = self._find_steps()
        self._threshold = spec.mastered_above if self.settings.threshold is None else self.settings.threshold
        self._width = np.where(self._steps == 0, space.range, space.range * self.settings.window_share)
        self._low = np.where(self._steps < 0, space.high - self._width, space.low)
        self._outcomes: list[float] = []
        self._window: Window | None = None  # made when asked for

    @classmethod
    def requirements(cls, settings: OracleSettings) -> Requirements:
        """It needs to know what mastered means, unless a threshold is set."""
        found = super().requirements(settings)
        return found.needing(Needs.SUCCESS) if settings.threshold is None else found

    def sampling(self) -> Window:
        """The window within which tasks are drawn at this moment."""
        if self._window is None:
            self._window = Window(low=self._low.copy(), high=self._high())
        return self._window

    def _find_steps(self) -> FloatArray:
        parameters = self.task_space.parameters
        if self.settings.steps is not None:
            check_numbers("steps", self.settings.steps, count=len(parameters))
            return np.array(self.settings.steps, dtype=np.float64)
        unknown = [parameter.name for parameter in parameters if parameter.harder is None]
        if unknown:
            raise ValueError(
                f"no direction of difficulty is known for {', '.join(unknown)}; set Parameter.harder in the task "
                f"space, or give the oracle steps=(...), {len(parameters)} signed steps towards harder tasks"
            )
        return np.array([parameter.harder for parameter in parameters], dtype=np.float64)

    def _high(self) -> FloatArray:
        return np.asarray(np.minimum(self._low + self._width, self.task_space.high), dtype=np.float64)

    def _choose(self) -> tuple[FloatArray, str]:
        return self.rng.uniform(self._low, self._high()), "window"

    def _learn(self, task: FloatArray, outcome: float) -> None:
        self._outcomes.append(outcome)
        if len(self._outcomes) < self.settings.move_every:
            return
        if np.mean(self._outcomes) > self._threshold:
            self._low = np.clip(self._low + self._steps, self.task_space.low, self.task_space.high - self._width)
            self._window = None
        self._outcomes = []

    def _forget_derived(self) -> None:
        self._window = None
