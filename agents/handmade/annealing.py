"""Annealing: a box of tasks that grows or moves from a first to a last one, by the clock or by success."""

from typing import Literal, final

import numpy as np

from teachgym.agents.base.optional_settings import refuse_unused
from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.base.ranges import FiniteFloat, PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.sampling import Window
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Note

_CLOCK = ("total",)
_SUCCESS = ("increments", "threshold", "window")
_USED = {"steps": _CLOCK, "episodes": _CLOCK, "success": _SUCCESS}
_EASY_SHARE = 1 / 6


@checked_dataclass
class AnnealingSettings:
    """Settings of ``Annealing``.

    Raises:
        ValueError: If a value is not allowed, or a setting is given that the pace does not use.
    """

    pace: Literal["steps", "episodes", "success"] = "steps"
    """What moves the box on: student steps spent, episodes, or successes."""
    start_low: tuple[FiniteFloat, ...] | None = None
    """Lower corner of the first box, in task units; None takes easy tasks."""
    start_high: tuple[FiniteFloat, ...] | None = None
    """Upper corner of the first box."""
    end_low: tuple[FiniteFloat, ...] | None = None
    """Lower corner of the last box; None takes the whole task space."""
    end_high: tuple[FiniteFloat, ...] | None = None
    """Upper corner of the last box."""
    total: PositiveInt | None = None
    """``"steps"``, ``"episodes"``: how many until the last box is reached; None takes 1,000,000 and 1,000."""
    increments: PositiveInt | None = None
    """``"success"``: moves from the first box to the last; 5."""
    threshold: Share | None = None
    """``"success"``: share of successes that makes the box move; 0.75."""
    window: PositiveInt | None = None
    """``"success"``: outcomes between two decisions on whether to move; 10."""

    def __post_init__(self) -> None:
        refuse_unused(self, (*_CLOCK, *_SUCCESS), "pace", _USED)
        for end in ("start", "end"):
            low, high = getattr(self, f"{end}_low"), getattr(self, f"{end}_high")
            if (low is None) != (high is None):
                raise ValueError(f"{end}_low is {low} and {end}_high is {high}; expected both or neither")


@final
class Annealing(TaskTeacher):
    """Widens the box of tasks from easy ones to all of them, along a straight line in time.

    Tasks are uniform in a box whose corners go linearly from a first box to a last one while the student spends
    ``total`` steps or episodes, as in the simulated annealing curriculum of Syllabus (Sullivan et al. 2024); after
    that it stays. With ``pace="success"`` the box goes there in ``increments`` equal moves instead, one whenever the
    share of successes among ``window`` answers reaches the threshold, as Syllabus's expanding box (of one dimension)
    does after evaluations.

    Where the settings give no first box, it is that of the environment's easy tasks (mean plus and minus two standard
    deviations, within the bounds), or else the easiest sixth of each parameter's range, as its direction of
    difficulty says; a parameter that gets no harder either way is open from the start. The totals of 1,000,000
    steps and 1,000 episodes are ours.

    ``origin`` is ``"box"``.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: An ``AnnealingSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If nothing says what is easy, or a corner is no task.
    """

    Settings = AnnealingSettings
    settings: AnnealingSettings
    keeps = ("_done", "_answers", "_successes")

    def __init__(self, spec: TeachingSpec, settings: AnnealingSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, space = self.settings, self.task_space
        if chosen.start_low is None or chosen.start_high is None:
            self._start = self._easy()
        else:
            self._start = self._corners("start", chosen.start_low, chosen.start_high)
        if chosen.end_low is None or chosen.end_high is None:
            self._end = np.stack([space.low, space.high])
        else:
            self._end = self._corners("end", chosen.end_low, chosen.end_high)
        by_success = chosen.pace == "success"
        usual = 1_000_000 if chosen.pace == "steps" else 1000
        self._total = (chosen.increments or 5) if by_success else (chosen.total or usual)
        self._threshold = 0.75 if chosen.threshold is None else chosen.threshold
        self._window = chosen.window or 10
        self._done = 0  # of the total
        self._answers, self._successes = 0, 0  # since the last decision
        self._described: Window | None = None  # made when asked for

    @classmethod
    def requirements(cls, settings: AnnealingSettings) -> Requirements:
        """It needs to know successes, where they set the pace."""
        found = super().requirements(settings)
        return found.needing(Needs.SUCCESS) if settings.pace == "success" else found

    def sampling(self) -> Window:
        """The box within which tasks are drawn at this moment."""
        if self._described is None:
            self._described = Window(*self._box())
        return self._described

    def _easy(self) -> FloatArray:
        """``(2, n)`` corners of the easy tasks."""
        space, easy = self.task_space, self.spec.easy_tasks
        if easy is not None:
            mean, reach = np.array(easy.mean), 2 * np.array(easy.std)
            return self._within(mean - reach, mean + reach)
        unknown = [parameter.name for parameter in space.parameters if parameter.harder is None]
        if unknown:
            raise ValueError(
                f"no easy tasks are known, nor a direction of difficulty for {', '.join(unknown)}; give annealing "
                f"start_low=(...) and start_high=(...), {space.dimensions} numbers each"
            )
        harder = np.array([parameter.harder for parameter in space.parameters], dtype=np.float64)
        width = np.where(harder == 0, space.range, space.range * _EASY_SHARE)
        low = np.where(harder < 0, space.high - width, space.low)
        return self._within(low, low + width)

    def _within(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """``(2, n)`` corners, moved into the task space."""
        return np.asarray(np.clip(np.stack([low, high]), self.task_space.low, self.task_space.high), dtype=np.float64)

    def _corners(self, end: str, low: tuple[float, ...], high: tuple[float, ...]) -> FloatArray:
        """``(2, n)`` the corners of a box that the settings give."""
        first, last = self.task_space.validate(low), self.task_space.validate(high)
        if (first > last).any():
            raise ValueError(f"{end}_low is {low} and {end}_high is {high}; expected no number of low above high's")
        return np.stack([first, last])

    def _box(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner at this moment."""
        share = min(self._done / self._total, 1.0)
        low, high = self._within(*((1 - share) * self._start + share * self._end))  # rounding may leave the bounds
        return low, high

    def _choose(self) -> tuple[FloatArray, str]:
        return self.rng.uniform(*self._box()), "box"

    def _learn_from(self, task: FloatArray, feedback: Feedback, note: Note | None) -> None:
        if self.settings.pace == "success":
            self._answers += 1
            self._successes += int(feedback.success)
            if self._answers < self._window:
                return
            self._done += self._successes >= self._threshold * self._window
            self._answers, self._successes = 0, 0
        else:
            self._done += feedback.cost if self.settings.pace == "steps" else 1
        self._done = min(self._done, self._total)
        self._described = None

    def _forget_derived(self) -> None:
        self._described = None
