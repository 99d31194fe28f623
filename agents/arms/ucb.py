"""The bandit's rule UCB1 by a name of its own, set up to be paid by the environment."""

from typing import Literal, final

from teachgym.agents.arms.arm_rewards import RewardKind
from teachgym.agents.arms.bandit import Bandit, BanditSettings
from teachgym.base.settings import checked_dataclass


@checked_dataclass
class UcbSettings(BanditSettings):
    """Settings of ``Ucb``: those of ``Bandit``, with two other defaults.

    Raises:
        ValueError: If a value is not allowed.
    """

    rule: Literal["ucb", "discounted-ucb", "sliding-window-ucb"] = "ucb"
    """How arms are chosen; see ``teachgym.agents.arms.exploration``."""
    reward: RewardKind = "environment"
    """What an arm is valued for, as of ``Bandit``."""


@final
class Ucb(Bandit):
    """Plays the arm that has paid best, plus a bonus for those that were played least (UCB1; Auer et al. 2002).

    It is ``bandit`` with ``rule=ucb`` and ``reward=environment``: in an environment whose reward is the student's gain,
    such as ``SkillList-v0``, it learns which skill is worth teaching without looking at anything else. ``origin`` is
    ``"untried"`` or ``"best"``.

    Args:
        spec: The environment's fixed facts. Tasks are arms, or a box that is cut into a grid of them.
        settings: A ``UcbSettings``; None takes the defaults.
        seed: Non-negative integer.
    """

    Settings = UcbSettings
    settings: UcbSettings
