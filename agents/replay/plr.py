"""Prioritized level replay, plain and robust."""

from typing import final

from teachgym.agents.replay.level_replay import LevelReplay, LevelReplaySettings
from teachgym.agents.replay.level_scores import ScoreName
from teachgym.base.ranges import PositiveInt, Share
from teachgym.base.settings import checked_dataclass
from teachgym.core.spaces import ProbeSpace


@checked_dataclass
class PlrSettings(LevelReplaySettings):
    """Settings of ``Plr``; the defaults are those of the code for Jiang et al. (2021, arXiv:2110.02439).

    But for ``replay_chance``, which is 0 there (no replay) until a configuration sets it.

    Raises:
        ValueError: If a value is not allowed.
    """

    score: ScoreName = "value-l1"
    """What a level is worth; ``teachgym.agents.replay.level_scores.LevelScore`` lists the names."""
    capacity: PositiveInt = 4000
    """Most levels kept."""
    staleness_share: Share = 0.3
    """Share of draws by how long ago a level was last handed out; the rest is by score."""
    least_filled: Share = 1.0
    """Filled share of the store below which nothing is replayed."""


@final
class Plr(LevelReplay):
    """Replays the levels whose returns the student predicts worst (Jiang et al. 2021, arXiv:2010.03934).

    A decision is a new random level, or with some chance a replay of a stored one, and the student trains on both.
    Every answer scores its level, by default by the mean size of the advantages. The chance of a stored level falls
    with its rank by score, mixed with its age since it was last handed out; when the store is full, a new level takes
    the place of the least likely one if it scores no less. With the defaults nothing is replayed until the store holds
    4000 levels: set ``capacity`` or ``least_filled`` lower for a short study.

    Settings that reach what others published, beside ``score``, of which they use ``"max-mc"`` or
    ``"positive-value-loss"``:

    | source | settings |
    |---|---|
    | JaxUED's examples | ``replay_schedule="fixed", replay_chance=0.8, least_filled=0.5, temperature=0.3, \
replace_ties=False``, or with ``priority="top-k"`` |
    | minimax | ``replay_schedule="fixed", replay_chance=0.5, least_filled=0.5, temperature=0.3`` |
    | Kinetix | ``replay_schedule="fixed", least_filled=0.5, priority="top-k", top_k=8, temperature=1`` |
    | Syllabus | ``staleness_share=0.1`` (with ``"value-l1"``) |
    | CURROT's comparison | ``replay_schedule="fixed", replay_chance=0.85, least_filled=0, capacity=100, \
temperature=0.45, staleness_share=0.15``; its score is ``"max-mc"`` with each difference floored at 0, which is not \
offered |

    Differs from the authors' code: a level is a task alone, whose terrain the world draws afresh in every episode,
    where theirs is a seed that fixes all of it; a level is scored by one episode at a time, where theirs takes all
    that fit in a roll-out; levels of equal score share the weight of their ranks; the age of a level counts all
    decisions, where theirs counts replays; ``"one-step-td"`` counts the last step of an episode, too; a level enters
    the store when its score is known, not when it is handed out, as answers may be late or never come. Without value
    estimates, the scores ``"outcome-slope"``, ``"outcome-change"`` and, where successes are told, ``"learnability"``
    serve.

    ``origin`` is ``"new"`` or ``"replay"``.

    Args:
        spec: The environment's fixed facts. Actions are tasks: a floating box of any shape.
        settings: A ``PlrSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the action space is not a floating box, or the environment lacks what the settings need.
    """

    Settings = PlrSettings
    settings: PlrSettings

    def _probes(self, origin: str) -> bool:
        return False


@checked_dataclass
class RobustPlrSettings(LevelReplaySettings):
    """Settings of ``RobustPlr``; the defaults are those for BipedalWalker in the code for Parker-Holder et al. (2022).

    Raises:
        ValueError: If a value is not allowed.
    """


@final
class RobustPlr(LevelReplay):
    """Trains only on replayed levels, which it has found by probing new ones (Jiang et al. 2021, arXiv:2110.02439).

    On a new random level the student plays one episode without learning from it, which tells whether the level is
    worth storing; it learns when a stored level is replayed. Otherwise as ``Plr``, see there. By default the score is
    the mean of the positive advantages, half of the decisions are replays once the store is half full, and half of
    the replays go by age.

    Whether these probes count against the budget is the environment's setting ``probes``, not the
    teacher's. With the defaults, the student learns nothing in the first 500 episodes: set ``capacity`` or
    ``least_filled`` lower for a short study.

    Differs from the authors' code as ``Plr`` does, and in that each decision for itself is a replay or not, where
    theirs decides for a batch of parallel environments.

    ``origin`` is ``"new"`` or ``"replay"``.

    Args:
        spec: The environment's fixed facts. Actions say whether they are probes (``ProbeSpace``).
        settings: A ``RobustPlrSettings``; None takes the defaults.
        seed: Non-negative integer.

    Raises:
        ValueError: If the environment lacks what the settings need.
    """

    Settings = RobustPlrSettings
    acts_on = (ProbeSpace,)
    settings: RobustPlrSettings

    def _probes(self, origin: str) -> bool:
        return origin != "replay"
