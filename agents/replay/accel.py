"""ACCEL: replayed levels are edited, so that levels grow with the student."""

from collections import deque
from typing import Literal, final

import numpy as np

from teachgym.agents.replay.editors import edit, edit_sizes
from teachgym.agents.replay.level_replay import LevelReplay, LevelReplaySettings, NewLevels
from teachgym.agents.replay.level_store import NOT_STORED
from teachgym.base.ranges import FiniteFloat, PositiveFloat, PositiveInt, PositiveShare, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray


@checked_dataclass
class AccelSettings(LevelReplaySettings):
    """Settings of ``Accel``; the defaults are those for BipedalWalker in the authors' code.

    Raises:
        ValueError: If a value is not allowed.
    """

    replay_chance: Share = 0.9
    """Chance that a decision replays a stored level, once there are enough."""
    new_levels: NewLevels = "easy-if-offered"
    """Where new levels come from: ``"uniform"``, ``"easy"`` for its easy tasks, or ``"easy-if-offered"``."""
    replay_batch: PositiveInt = 16
    """Finished replays after which as many children are made: the authors' number of parallel environments."""
    edit_chance: Share = 1.0
    """Chance that a batch of replays has children."""
    bases: Literal["batch", "easy"] = "easy"
    """Which levels of the batch have children: ``"batch"`` each one; ``"easy"`` the ``easy_bases`` whose outcome less
    score is best, those that the student does well and has little left to learn on, several each."""
    easy_bases: PositiveInt = 4
    """Levels that ``"easy"`` edits."""
    edits: PositiveInt = 3
    """Edits that lie between a child and its parent at most."""
    edit_sizes: tuple[FiniteFloat, ...] | None = None
    """Change of each parameter by one edit, in task units; None takes the next two settings."""
    edit_steps: PositiveFloat | None = 1.0
    """Change in steps towards harder tasks (``Parameter.harder``), for parameters that have such a step; None takes
    ``edit_share`` for all. For the obstacle course 1 makes the changes the authors'."""
    edit_share: PositiveShare = 0.05
    """Change of the other parameters as a share of their range."""


@final
class Accel(LevelReplay):
    """Evolves levels by small edits of those worth replaying (Parker-Holder et al. 2022, arXiv:2203.01302).

    It starts from easy levels, and replays those that score best as ``RobustPlr`` does. After every ``replay_batch``
    answered replays, as many children are made from the replayed levels by a few random edits each; the student plays
    each child once without learning from it, and the child enters the store if it scores well enough. So levels get
    harder by small steps, at the pace at which the student's scores ask for it.

    An edit picks a parameter and one of the directions -1, 0 and +1, and moves the parameter that way by a fixed step
    (``editors``). On the obstacle course the steps are the authors': 0.4 for pits, 0.2 for stumps and stairs, 1 for the
    number of steps, and a uniform draw from 0 to 0.6 for the roughness. The authors edit no other boxes of tasks; on
    these a step is that of the ``oracle`` towards harder tasks, or a twentieth of the range where no direction is
    known.

    Whether probes count against the budget is the environment's setting ``probes``, not the
    teacher's; the student trains on about half of the decisions. As for ``RobustPlr``, it learns nothing until the
    store is half full. minimax and JaxUED use ``replay_schedule="fixed", replay_chance=0.8`` and many more edits, of
    mazes.

    Differs from the authors' code as ``RobustPlr`` does, and: a batch is a number of answered replays, in whatever
    order they come, instead of one step of parallel environments; new levels are uniform where no task is known to be
    easy; ``bases="easy"`` edits the levels with the best outcome less score, as is meant, while versions of the
    code always edit the first level, or the worst ones.

    ``origin`` is ``"new"``, ``"replay"`` or ``"edited"``.

    Args:
        spec: The environment's fixed facts. Actions say whether they are probes (``ProbeSpace``).
        settings: An ``AccelSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the environment lacks what the settings need, or ``edit_sizes`` has other dimensions.
    """

    Settings = AccelSettings
    acts_on = (ProbeSpace,)
    settings: AccelSettings
    keeps = ("_batch", "_ease", "_children")

    def __init__(self, spec: TeachingSpec, settings: AccelSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        chosen = self.settings
        self._sizes = edit_sizes(
            self.task_space, sizes=chosen.edit_sizes, steps=chosen.edit_steps, share=chosen.edit_share
        )
        self._batch: list[FloatArray] = []  # the replayed tasks since children were last made
        self._ease: list[float] = []  # how easy each of them was
        self._children: deque[FloatArray] = deque()

    def _probes(self, origin: str) -> bool:
        return origin != "replay"

    def _choose_level(self) -> tuple[int, FloatArray, str]:
        if self._children:
            return NOT_STORED, self._children.popleft(), "edited"
        return super()._choose_level()

    def _replayed(self, task: FloatArray, feedback: Feedback, score: float | None) -> None:
        self._batch.append(task)
        self._ease.append(feedback.outcome - (score or 0.0))
        if len(self._batch) < self.settings.replay_batch:
            return
        if self.rng.random() < self.settings.edit_chance:
            parents = self._parents()
            for i in range(self.settings.replay_batch):
                self._children.append(self._child(parents[i % len(parents)]))
        self._batch, self._ease = [], []

    def _parents(self) -> list[FloatArray]:
        if self.settings.bases == "batch":
            return self._batch
        easiest = np.argsort(-np.array(self._ease), kind="stable")[: self.settings.easy_bases]
        return [self._batch[i] for i in easiest]

    def _child(self, parent: FloatArray) -> FloatArray:
        return edit(parent, self.task_space, self._sizes, count=self.settings.edits, rng=self.rng)
