"""ADR: a box of tasks that grows where the student copes at its edge, and shrinks where it fails."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.shaping.outcome_thresholds import competent_outcome, failing_outcome
from teachgym.base.ranges import FiniteFloat, PositiveFloat, PositiveInt, PositiveShare, Share
from teachgym.base.setting_checks import check_numbers
from teachgym.base.settings import checked_dataclass
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.sampling import Window
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray


@checked_dataclass
class AdrSettings:
    """Settings of ``Adr``; the defaults are those of TeachMyAgent's benchmark, but for the step.

    Raises:
        ValueError: If a value is not allowed.
    """

    boundary_share: Share = 0.7
    """Share of tasks that are put on an edge of the box; 0.5 in the constructor of the source."""
    queue_length: PositiveInt = 10
    """Outcomes at one edge that are averaged to decide whether it moves."""
    step: PositiveFloat | None = None
    """How far an edge moves, in each parameter's own unit, the same number for all, as in the source with 0.1; None
    takes ``step_share``."""
    step_share: PositiveShare = 1 / 30
    """How far an edge moves as a share of the parameter's range, where ``step`` is None: 0.1 for stumps of height 0
    to 3, 0.2 for their spacing of 0 to 6."""
    grow_above: FiniteFloat | None = None
    """Mean outcome at an edge from which the edge moves outwards; None takes 33/38 of the way from the worst outcome
    to ``mastered_above``: on the walker 180, as in the source."""
    shrink_below: FiniteFloat | None = None
    """Mean outcome at an edge down from which the edge moves inwards, below ``grow_above``; None takes 15/38 of that
    way: on the walker 0, as in the source."""
    clip_outcomes: bool = False
    """Whether outcomes are clipped to the outcome range before they are averaged, as where the source scales them."""
    start: tuple[FiniteFloat, ...] | None = None
    """The point that the box starts from, in task units; None takes the centre of the environment's ``easy_tasks``
    where it has them, and a random point elsewhere."""
    use_easy_tasks: bool = True
    """Whether to start from the environment's easy tasks where it has them; False starts from a random point."""


@final
class Adr(TaskTeacher):
    """Widens a box of tasks wherever the student copes at its edge (OpenAI et al. 2019, arXiv:1910.07113).

    The box starts as one easy point and is uniform inside; a share of the tasks lies on an edge of it, to probe
    whether to move that edge. Automatic domain randomisation keeps the last outcomes at each of the 2 n edges.
    When there are ``queue_length`` at one, their mean decides: from ``grow_above`` on the edge moves one step
    outwards, down from ``shrink_below`` one step inwards, and the count starts anew either way. To probe, a
    parameter is chosen at random and set to its lower or upper edge with equal chance, unless both are already at
    the task space's bounds. An answer counts at every edge that its task lies on, so at the start, where the
    box is a point, it counts at all of them.

    This is TeachMyAgent's version of it (Romac et al. 2021, arXiv:2103.09815). Differs from its code: a step is a
    share of each parameter's range unless ``step`` gives one number for all; thresholds come from what counts as
    mastered; a task lies on an edge if it does so up to rounding; and the generator goes on drawing when an
    edge moves, where theirs replays the same draws.

    ``origin`` is ``"inside"``, or ``"edge"`` for a probe.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: An ``AdrSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, the start has other dimensions, or the threshold to
            grow is not above the one to shrink.
    """

    Settings = AdrSettings
    settings: AdrSettings
    keeps = ("_low", "_high", "_outcomes", "_counts")

    def __init__(self, spec: TeachingSpec, settings: AdrSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, space = self.settings, self.task_space
        self._grow = competent_outcome(spec) if chosen.grow_above is None else chosen.grow_above
        self._shrink = failing_outcome(spec) if chosen.shrink_below is None else chosen.shrink_below
        if not self._shrink < self._grow:
            raise ValueError(f"shrink_below is {self._shrink}; expected less than grow_above, which is {self._grow}")
        self._step = space.range * chosen.step_share if chosen.step is None else np.full(space.dimensions, chosen.step)
        self._slack = np.finfo(np.float32).eps * np.maximum(np.abs(space.low), np.abs(space.high))
        self._low = self._start()
        self._high = self._low.copy()
        # Row 0 is about the lower edge of each parameter, row 1 about the upper one.
        self._outcomes = np.zeros((2, space.dimensions, chosen.queue_length))
        self._counts: NDArray[np.int64] = np.zeros((2, space.dimensions), dtype=np.int64)
        self._window: Window | None = None  # made when asked for

    @classmethod
    def requirements(cls, settings: AdrSettings) -> Requirements:
        """It needs to know what mastered means, unless both thresholds are set."""
        found = super().requirements(settings)
        return found.needing(Needs.SUCCESS) if settings.grow_above is None or settings.shrink_below is None else found

    def sampling(self) -> Window:
        """The box; that some of the tasks are on its edge is left out."""
        if self._window is None:
            self._window = Window(low=self._low.copy(), high=self._high.copy())
        return self._window

    def _start(self) -> FloatArray:
        space, start, easy = self.task_space, self.settings.start, self.spec.easy_tasks
        if start is not None:
            check_numbers("start", start, count=space.dimensions)
        elif easy is not None and self.settings.use_easy_tasks:
            check_numbers("easy_tasks.mean", easy.mean, count=space.dimensions)
            start = easy.mean
        else:
            return space.uniform(self.rng)
        return np.clip(np.array(start, dtype=np.float64), space.low, space.high)

    def _choose(self) -> tuple[FloatArray, str]:
        task = self.rng.uniform(self._low, self._high)
        if self.rng.random() >= self.settings.boundary_share:
            return task, "inside"
        i = int(self.rng.integers(len(task)))
        if self._low[i] <= self.task_space.low[i] and self._high[i] >= self.task_space.high[i]:
            return task, "inside"
        task[i] = self._low[i] if self.rng.random() < 0.5 else self._high[i]
        return task, "edge"

    def _learn(self, task: FloatArray, outcome: float) -> None:
        if self.settings.clip_outcomes:
            worst, best = self.spec.outcome_range
            outcome = min(max(outcome, worst), best)
        edges = np.array([self._low, self._high])
        for side, i in zip(*np.nonzero(np.abs(task - edges) <= self._slack), strict=True):
            self._outcomes[side, i, self._counts[side, i]] = outcome
            self._counts[side, i] += 1
            if self._counts[side, i] == self.settings.queue_length:
                self._counts[side, i] = 0
                self._move(int(side), int(i), float(np.mean(self._outcomes[side, i])))

    def _move(self, side: int, i: int, mean: float) -> None:
        """Move an edge of parameter i, the lower if ``side`` is 0, as the mean outcome there says."""
        if self._shrink < mean < self._grow:
            return
        outwards = self._step[i] if mean >= self._grow else -self._step[i]
        if side == 0:
            self._low[i] = min(max(self._low[i] - outwards, self.task_space.low[i]), self._high[i])
        else:
            self._high[i] = max(min(self._high[i] + outwards, self.task_space.high[i]), self._low[i])
        self._window = None

    def _forget_derived(self) -> None:
        self._window = None
