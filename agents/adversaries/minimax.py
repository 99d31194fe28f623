"""Minimax: an adversary that makes tasks which the student fails."""

from typing import final

import numpy as np

from teachgym.agents.adversaries.level_adversary import LevelAdversary, LevelAdversarySettings
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.task_space import FloatArray


@checked_dataclass
class MinimaxSettings(LevelAdversarySettings):
    """Settings of ``Minimax``.

    Raises:
        ValueError: If a value is not allowed.
    """

    normalise_rewards: bool = False
    """Whether rewards are divided by their running standard deviation; in the published walker runs they are not."""


@final
class Minimax(LevelAdversary):
    """Generates tasks on which the student does worst: a baseline of PAIRED (Dennis et al. 2020, arXiv:2012.02096).

    An adversary writes each task parameter by parameter (see ``LevelAdversary``) and is trained by PPO to minimise the
    student's best outcome on the task. Nothing keeps it from tasks that are impossible.

    Follows the settings of Jiang et al.'s code (dcd) for BipedalWalker, and differs from it as ``Paired`` does.

    ``origin`` is ``"adversary"``.

    Args:
        spec: The environment's fixed facts.
        settings: A ``MinimaxSettings``; None takes the defaults.
        seed: Non-negative integer.
    """

    Settings = MinimaxSettings
    settings: MinimaxSettings

    def _result(self, feedback: Feedback) -> FloatArray:
        return np.array([feedback.outcome])

    def _reward(self, results: FloatArray) -> float:
        return -float(np.max(results))
