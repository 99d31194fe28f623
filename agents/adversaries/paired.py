"""PAIRED: an adversary that makes tasks which a second student masters, and the first does not."""

from typing import final

import numpy as np

from teachgym.agents.adversaries.level_adversary import LevelAdversary, LevelAdversarySettings
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.task_space import FloatArray


@checked_dataclass
class PairedSettings(LevelAdversarySettings):
    """Settings of ``Paired``.

    Raises:
        ValueError: If a value is not allowed.
    """

    flexible: bool = False
    """Whether the better of the two students on a task counts as the antagonist of it."""


@final
class Paired(LevelAdversary):
    """Generates tasks on which one student does better than another: regret (Dennis et al. 2020, arXiv:2012.02096).

    Two students learn the same tasks: the protagonist, whose outcomes are the environment's, and an antagonist. An
    adversary writes each task parameter by parameter (see ``LevelAdversary``) and is trained by PPO to maximise the
    regret, the antagonist's best outcome on the task minus the protagonist's mean, at least 0: such tasks can be
    mastered, but are not yet. With ``episodes_per_task`` above 1, best and mean are over as many episodes on one task.

    Follows the settings of Jiang et al.'s code (dcd) for BipedalWalker. Differs from it: the policy sees parameters
    and step scaled to about 1; the density that PPO compares is that of the action before its tanh; advantages are
    normalised in each minibatch, as Stable-Baselines3 does; an update comes after ``tasks_per_update`` answered tasks,
    in the order of answers, whichever worlds they ran in. An answer so late that the policy has become another is
    ignored.

    ``origin`` is ``"adversary"``.

    Args:
        spec: The environment's fixed facts, with an antagonist.
        settings: A ``PairedSettings``; None takes the defaults.
        seed: Non-negative integer.
    """

    Settings = PairedSettings
    settings: PairedSettings
    needs = Needs.ANTAGONIST

    def _result(self, feedback: Feedback) -> FloatArray:
        if feedback.antagonist_outcome is None:
            raise ValueError("this feedback has no antagonist_outcome, which paired needs; give antagonist=True")
        return np.array([feedback.outcome, feedback.antagonist_outcome])

    def _reward(self, results: FloatArray) -> float:
        best, mean = np.max(results, axis=0), np.mean(results, axis=0)
        better = int(best[1] > best[0]) if self.settings.flexible else 1
        return max(0.0, float(best[better] - mean[1 - better]))
