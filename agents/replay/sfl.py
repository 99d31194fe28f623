"""SFL: every so often, look for the levels that the student succeeds on now and then."""

from typing import Literal, final

import numpy as np

from teachgym.agents.base.task_teacher import TaskTeacher
from teachgym.agents.replay.level_store import in_proportion
from teachgym.base.ranges import PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Choice, Note


@checked_dataclass
class SflSettings:
    """Settings of ``Sfl``; see there for how the defaults follow from the paper's.

    Raises:
        ValueError: If a value is not allowed.
    """

    levels_probed: PositiveInt = 200
    """Random levels that are looked at before each refresh."""
    episodes_per_level: PositiveInt = 5
    """Episodes that the student plays on each of them, without learning."""
    levels_kept: PositiveInt = 20
    """Levels with the best scores, which are trained on until the next refresh."""
    refresh_every: PositiveInt = 2000
    """Decisions that the student trains on between two rounds of probes."""
    kept_share: Share = 0.5
    """Share of these decisions that go to the levels kept; the others are new random levels."""
    draw: Literal["top", "in-proportion"] = "top"
    """``"top"`` draws the levels kept equally often; ``"in-proportion"`` draws all that were probed in proportion to
    their scores, whatever ``levels_kept``."""
    tie_break: Share = 0.0
    """Weight of the share of successes p beside p (1 - p) in the score, which decides between p and 1 - p; 0.001 in
    Kinetix."""

    def __post_init__(self) -> None:
        if self.levels_kept > self.levels_probed:
            raise ValueError(
                f"levels_kept is {self.levels_kept}; expected at most levels_probed, which is {self.levels_probed}"
            )


@final
class Sfl(TaskTeacher):
    """Trains on levels on which the student succeeds now and then (SFL, Rutherford et al. 2024, arXiv:2408.15099).

    Every so often, the student plays some episodes on each of many random levels without learning from them, and those
    with the best learnability p (1 - p) are kept, where p is the share of successes. Of the next ``refresh_every``
    decisions, half are uniform draws from the levels kept, and half are new random levels.

    Published settings, as levels probed, steps on each, levels kept, and training between two refreshes:

    | | probed | steps | kept | refresh |
    |---|---|---|---|---|
    | JaxNav | 5 x 1000 | 1000 | 100 | 100 updates of 256 environments |
    | MiniGrid | 5 x 5000 | 2000 | 1000 | |
    | Kinetix | 3 x 4096 | 512 | 1024 | 128 updates |

    One such round of probes is 5 to 50 million steps, more than most studies on one machine have for all. The defaults
    here probe 200 levels by 5 episodes each, keep a tenth (theirs is between a fiftieth and a twelfth), and train for
    2000 decisions, so that a third of all decisions are probes. Whether these count against the budget is the
    environment's setting ``probes``, not the teacher's; in the paper they do not, so compare with ``"counted"``.

    Differs from the authors' code: a level is given a number of episodes, instead of a number of steps and as many
    episodes as end in these; decisions go to the levels kept by chance, instead of a fixed half of parallel
    environments; answers to probes may still come while training goes on, and then count at once. A level
    without an answer scores 0. Of levels that score the same, those probed first are kept.

    ``origin`` is ``"probe"``, ``"kept"`` or ``"random"``.

    Args:
        spec: The environment's fixed facts. Actions say whether they are probes (``ProbeSpace``).
        settings: An ``SflSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the environment offers no successes, or no probes.
    """

    Settings = SflSettings
    acts_on = (ProbeSpace,)
    needs = Needs.SUCCESS
    settings: SflSettings
    keeps = ("_round", "_probed", "_trained", "_levels", "_episodes", "_successes")

    def __init__(self, spec: TeachingSpec, settings: SflSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        self._round = -1
        self._probed = 0  # episodes handed out in this round
        self._trained = self.settings.refresh_every  # decisions since the last probe; so the first is due
        count = self.settings.levels_probed
        self._levels = np.zeros((count, self.task_space.dimensions))
        self._episodes = np.zeros(count)
        self._successes = np.zeros(count)
        self._chances: FloatArray | None = None  # made when asked for

    def _probes(self, origin: str) -> bool:
        return origin == "probe"

    def _choose(self) -> Choice:
        if self._trained == self.settings.refresh_every:
            self._start_round()
        if self._probed < self.settings.levels_probed * self.settings.episodes_per_level:
            level = self._probed // self.settings.episodes_per_level
            self._probed += 1
            return Choice(self._levels[level].copy(), "probe", [self._round, level])
        self._trained += 1
        if self.rng.random() >= self.settings.kept_share:
            return Choice(self.task_space.uniform(self.rng), "random")
        if self._chances is None:
            self._chances = self._make_chances()
        return Choice(self._levels[self.rng.choice(len(self._levels), p=self._chances)].copy(), "kept")

    def _start_round(self) -> None:
        self._round += 1
        self._probed = self._trained = 0
        self._levels = self.task_space.uniform(self.rng, self.settings.levels_probed)
        self._episodes[:] = 0
        self._successes[:] = 0
        self._chances = None

    def _learn_from(self, task: FloatArray, feedback: Feedback, note: Note | None) -> None:
        if note is None or note.memo is None:
            return
        of_round, level = note.memo
        if of_round == self._round:
            self._episodes[level] += 1
            self._successes[level] += feedback.success
            self._chances = None

    def _scores(self) -> FloatArray:
        """``(levels_probed,)`` learnability of each level, 0 without an answer."""
        shares = self._successes / np.maximum(self._episodes, 1)
        return np.asarray(shares * (1 - shares) + self.settings.tie_break * shares, dtype=np.float64)

    def _best(self) -> list[int]:
        order = np.argsort(-self._scores(), kind="stable")
        return [int(level) for level in order[: self.settings.levels_kept]]

    def _make_chances(self) -> FloatArray:
        if self.settings.draw == "in-proportion":
            return in_proportion(self._scores())
        chances = np.zeros(len(self._levels))
        chances[self._best()] = 1 / self.settings.levels_kept
        return chances

    def _forget_derived(self) -> None:
        self._chances = None
