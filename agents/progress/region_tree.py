"""Boxes of tasks that split in two where learning progress differs within them: the memory of RIAC."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from teachgym.agents.progress.gaussian_mixtures import chances
from teachgym.base.state import Stateful
from teachgym.core.task_space import FloatArray, TaskSpace


@dataclass(eq=False)
class Region:
    """One box, with the latest answers about tasks in it, oldest first."""

    low: FloatArray
    """``(n,)`` lower corner, in task units."""
    high: FloatArray
    """``(n,)`` upper corner, in task units."""
    tasks: list[FloatArray] = field(default_factory=list)
    """``(n,)`` each; regions share the arrays."""
    outcomes: list[float] = field(default_factory=list)
    """One for each task."""
    dimension: int = -1
    """The dimension that it is split in; -1 while it is a leaf."""
    first_child: int = -1
    """Number of the child below the threshold; the next number is that of the child above."""

    def forget(self, answers: int) -> None:
        """Drop this many of the oldest answers."""
        del self.tasks[:answers], self.outcomes[:answers]


def progress_of(outcomes: Sequence[float], window: int) -> float:
    """How far the mean of the newest outcomes lies from the mean of those before: their absolute learning progress.

    Half of the last ``window`` outcomes, or of all if there are fewer, are compared with the other half, which is
    one larger where the count is odd. With 2 outcomes or fewer, progress is 0.
    """
    if len(outcomes) <= 2:
        return 0.0
    window = min(len(outcomes), window)
    half = window // 2
    return abs(fmean(outcomes[-window:-half]) - fmean(outcomes[-half:]))


class RegionTree(Stateful):
    """A binary tree of regions, the root of which is the whole task space.

    An answer is remembered by every region that holds its task, inner ones included; at a threshold, by both
    sides. A leaf with more than ``max_region_size`` answers tries to split, by the best of ``split_attempts``
    random cuts. Where none is admissible it forgets the oldest quarter of its answers instead.

    A cut is a random dimension, and a threshold uniform within the region, given that ``min_population`` answers
    or more are left on each side. Instead of drawing until that holds, which takes forever where nearly all tasks
    are equal, the dimension is drawn in proportion to the share of thresholds that qualify, and the threshold
    among these: the same distribution, without a loop. A cut is admissible if both sides are at least
    ``min_side`` long.

    Args:
        space: The task space.
        max_region_size: Answers that a leaf holds without splitting; every region keeps one more at most.
        split_attempts: Cuts to try.
        min_population: Fewest outcomes on each side of a cut, at least 1 and at most half of ``max_region_size``.
        min_side: ``(n,)`` shortest side of a region, in task units; above 0, it bounds the depth of the tree.
        window: Outcomes that progress is measured on, the newest; from 2 up.
        faithful: Whether to score a cut, and to set the progress of new regions, as the authors' code does.
    """

    keeps = ("regions", "progress")
    regions: list[Region]

    def __init__(
        self,
        space: TaskSpace,
        *,
        max_region_size: int,
        split_attempts: int,
        min_population: int,
        min_side: FloatArray,
        window: int,
        faithful: bool,
    ) -> None:
        self._max_region_size, self._split_attempts, self._window = max_region_size, split_attempts, window
        self._min_population, self._min_side, self._faithful = min_population, min_side, faithful
        self.regions = [Region(np.array(space.low, np.float64), np.array(space.high, np.float64))]
        self.progress = np.zeros(1)
        """``(regions,)`` absolute learning progress of each region."""
        self._is_leaf = np.ones(1, dtype=np.bool_)

    def add(self, task: FloatArray, outcome: float, rng: np.random.Generator) -> None:
        """Remember an answer about a task ``(n,)``, which is kept as it is; a leaf may split."""
        path = self._holding(task)
        for number in path:
            region = self.regions[number]
            region.tasks.append(task)
            region.outcomes.append(outcome)
            if self._is_leaf[number] and len(region.tasks) > self._max_region_size:
                self._split(number, rng)
            region.forget(max(len(region.tasks) - self._max_region_size - 1, 0))
            self.progress[number] = progress_of(region.outcomes, self._window)

    def choose(self, rng: np.random.Generator, *, leaves_only: bool) -> int:
        """Choose the number of a region in proportion to progress; with equal chances if there is none."""
        numbers = np.flatnonzero(self._is_leaf) if leaves_only else np.arange(len(self.regions))
        return int(rng.choice(numbers, p=chances(self.progress[numbers])))

    def _holding(self, task: FloatArray) -> list[int]:
        """Numbers of all regions that hold a task, parents first."""
        found, to_look_at = [], [0]
        while to_look_at:
            number = to_look_at.pop()
            found.append(number)
            region = self.regions[number]
            if region.first_child >= 0:
                threshold = self.regions[region.first_child].high[region.dimension]
                if task[region.dimension] >= threshold:
                    to_look_at.append(region.first_child + 1)
                if task[region.dimension] <= threshold:
                    to_look_at.append(region.first_child)
        return found

    def _split(self, number: int, rng: np.random.Generator) -> None:
        """Split a leaf by the best of some random cuts, or let it forget a quarter of its answers."""
        region = self.regions[number]
        tasks, outcomes = np.array(region.tasks), np.array(region.outcomes)
        best, best_score, progress = None, 0.0, (0.0, 0.0)
        for dimension, threshold in self._cuts(region, tasks, rng):
            below = tasks[:, dimension] <= threshold
            sides = outcomes[below].tolist(), outcomes[~below].tolist()
            progress = progress_of(sides[0], self._window), progress_of(sides[1], self._window)
            score = abs(progress[0] - progress[1])
            if not self._faithful:
                score *= len(sides[0]) * len(sides[1])
            room = min(threshold - region.low[dimension], region.high[dimension] - threshold)
            if room >= self._min_side[dimension] and score >= best_score:
                best, best_score = (dimension, threshold, below, progress), score
        if best is None:
            region.forget(max(self._max_region_size // 4, 1))
            return
        dimension, threshold, below, best_progress = best
        region.dimension, region.first_child = dimension, len(self.regions)
        for inside in (below, ~below):
            kept = np.flatnonzero(inside)
            child = Region(region.low.copy(), region.high.copy())
            child.tasks, child.outcomes = [region.tasks[i] for i in kept], [region.outcomes[i] for i in kept]
            self.regions.append(child)
        self.regions[-2].high[dimension] = self.regions[-1].low[dimension] = threshold
        # The authors' code leaves new regions with the progress on the two sides of the last cut, not of the best.
        self.progress = np.append(self.progress, progress if self._faithful else best_progress)
        self._is_leaf[number] = False
        self._is_leaf = np.append(self._is_leaf, [True, True])

    def _cuts(self, region: Region, tasks: FloatArray, rng: np.random.Generator) -> list[tuple[int, float]]:
        """Draw cuts, each a dimension and a threshold, that leave enough answers on each side; none if none do."""
        ordered = np.sort(tasks, axis=0)
        least, bound = ordered[self._min_population - 1], ordered[-self._min_population]
        shares = np.maximum(bound - least, 0) / (region.high - region.low)
        if not shares.any():
            return []
        dimensions = rng.choice(len(shares), size=self._split_attempts, p=chances(shares))
        thresholds = rng.uniform(least[dimensions], bound[dimensions])
        thresholds = np.minimum(thresholds, np.nextafter(bound[dimensions], -np.inf))  # rounding may reach the bound
        return list(zip(dimensions.tolist(), thresholds.tolist(), strict=True))

    def _forget_derived(self) -> None:
        self._is_leaf = np.array([region.first_child < 0 for region in self.regions])
