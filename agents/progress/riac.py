"""RIAC: boxes of tasks that split where learning progress differs."""

from typing import Annotated, final

import numpy as np
from annotated_types import Ge

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.progress.region_tree import RegionTree
from teachgym.base.ranges import PositiveFloat, PositiveInt, PositiveShare, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray

_MARGIN = 1e-5
"""How far inside its region a mutated task stays, as a share of each parameter's range."""


@checked_dataclass
class RiacSettings:
    """Settings of ``Riac``; the defaults are those of Portelas et al. 2019.

    Raises:
        ValueError: If a value is not allowed.
    """

    max_region_size: Annotated[int, Ge(4)] = 200
    """Outcomes that a region holds without splitting."""
    split_attempts: PositiveInt = 50
    """Random cuts, the best of which splits a region."""
    min_dims_range_ratio: PositiveShare = 1 / 15
    """Shortest side of a region as a share of the parameter's range."""
    min_population: PositiveInt | None = None
    """Fewest outcomes on each side of a cut; None takes a twentieth of ``max_region_size``."""
    window: Annotated[int, Ge(2)] | None = None
    """Newest outcomes of a region that its progress is measured on; None takes ``max_region_size``."""
    random_share: Share = 0.2
    """Share of draws that are uniform over all tasks."""
    mutation_share: Share = 0.1
    """Share of draws near the task of a region with the least outcome; with ``random_share`` at most 1."""
    mutation_noise: PositiveFloat = 0.1
    """Standard deviation of such a draw for each parameter, in its own unit."""
    normalise: bool = False
    """Whether ``mutation_noise`` is a share of each parameter's range instead."""
    sampling_in_leaves_only: bool = False
    """Whether only regions that have not been split are drawn from."""
    scale_outcomes: bool = True
    """Whether outcomes are mapped from the environment's outcome range to ``[0, 1]`` and clipped before use."""
    faithful: bool = False
    """Whether to keep two slips of the authors' code: the score of a cut ignores how many outcomes are on each side,
    and new regions have the progress on the sides of the last cut tried until a task falls in them."""

    def __post_init__(self) -> None:
        if self.min_population is not None and 2 * self.min_population > self.max_region_size:
            raise ValueError(
                f"min_population is {self.min_population}; expected at most half of max_region_size, "
                f"which is {self.max_region_size}"
            )
        if self.random_share + self.mutation_share > 1:
            raise ValueError(
                f"random_share is {self.random_share} and mutation_share is {self.mutation_share}; expected a sum of "
                "at most 1"
            )


@final
class Riac(TaskTeacher):
    """Splits the task space into boxes, and samples where outcomes change most (SAGG-RIAC, Baranes and Oudeyer 2013).

    A box that is full of outcomes splits in two where its halves differ most in absolute learning progress
    (ALP): the difference in mean outcome between the newer and the older half of a box. Most tasks are
    uniform in a box that is chosen in proportion to its ALP, boxes that have been split included (with equal
    chances if all ALPs are 0). A share ``random_share`` is uniform over all tasks, and a share
    ``mutation_share`` lies near the task with the least outcome in a box chosen likewise. A cut is scored by
    the difference in ALP times the answers on the one side times those on the other, and must leave
    ``min_population`` answers and ``min_dims_range_ratio`` of each range on both sides; a box that can't be cut
    forgets its oldest quarter. This is the version of Portelas et al. 2019 (arXiv:1910.07224).

    Differs from their code: the generator is the teacher's own, so that a seed fixes the run; cuts that leave
    enough answers on each side are drawn directly, where their code draws cuts until one does, without end if
    nearly all tasks are equal (same distribution); a mutated task stays inside its box by a share of the range
    instead of an absolute margin; and two slips are mended unless ``faithful`` is set.

    ``origin`` is ``"random"``, ``"region 3"`` or ``"mutation 3"``, with the number of the box from 0, the whole
    space, in the order of splits.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: A ``RiacSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is no floating box.
    """

    Settings = RiacSettings
    settings: RiacSettings
    grows = True  # its regions, until they are too small to be split

    keeps = ("_tree",)

    def __init__(self, spec: TeachingSpec, settings: RiacSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen, space = self.settings, self.task_space
        self._noise = chosen.mutation_noise * (space.range if chosen.normalise else np.ones(space.dimensions))
        self._tree = RegionTree(
            space,
            max_region_size=chosen.max_region_size,
            split_attempts=chosen.split_attempts,
            min_population=chosen.min_population or max(chosen.max_region_size // 20, 1),
            min_side=chosen.min_dims_range_ratio * space.range,
            window=chosen.window or chosen.max_region_size,
            faithful=chosen.faithful,
        )

    def _choose(self) -> tuple[FloatArray, str]:
        way = self.rng.random()
        if way < self.settings.random_share:
            return self.task_space.uniform(self.rng), "random"
        number = self._tree.choose(self.rng, leaves_only=self.settings.sampling_in_leaves_only)
        region = self._tree.regions[number]
        if way >= self.settings.random_share + self.settings.mutation_share:
            return self.rng.uniform(region.low, region.high), f"region {number}"
        if not region.tasks:  # no answer yet
            return self.task_space.uniform(self.rng), "random"
        worst = region.tasks[int(np.argmin(region.outcomes))]
        margin = _MARGIN * self.task_space.range
        return np.clip(
            self.rng.normal(worst, self._noise), region.low + margin, region.high - margin
        ), f"mutation {number}"

    def _learn(self, task: FloatArray, outcome: float) -> None:
        if self.settings.scale_outcomes:
            outcome = self.spec.scale_outcome(outcome)
        self._tree.add(np.clip(task, self.task_space.low, self.task_space.high), outcome, self.rng)
