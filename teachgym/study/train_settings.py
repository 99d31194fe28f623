"""The settings of a training of a teacher: the command line and the JSON in its folder."""

from pathlib import Path

from teachgym.base.named_settings import NamedSettings, bounded_name
from teachgym.base.ranges import FolderName, PositiveInt, Seed
from teachgym.base.settings import checked_dataclass


@checked_dataclass
class TrainSettings:
    """Train a teacher: an algorithm of Stable-Baselines3 or sb3-contrib teaches student after student.

    A name may carry settings: ``--env SimulatedSkills,skills=5 --algorithm ppo,gamma=1.0,net_arch=[32,32]``.
    """

    env: str = "SimulatedSkills"
    """Teacher environment: a name from `teachgym list`, with or without `teachgym/` and `-v0`."""
    algorithm: str = "ppo"
    """a2c, ddpg, dqn, ppo, sac or td3; or crossq, qrdqn, recurrent-ppo, tqc or trpo (pip install 'teachgym[contrib]').
    Settings are those of its constructor in Stable-Baselines3, and of its network: net_arch, activation_fn=tanh, ..."""
    steps: PositiveInt | None = None
    """Teaching decisions to train for, rounded up to whole updates; 200,000 where neither this nor lifetimes is set."""
    lifetimes: PositiveInt | None = None
    """Students to train with, instead of a number of decisions."""
    slots: PositiveInt = 16
    """Students that are taught at once."""
    normalise_rewards: bool = True
    """Whether training divides rewards by the running deviation of their discounted sums."""
    seed: Seed = 0
    """Fixes the training."""
    name: FolderName = ""
    """Name of the teacher's folder; made from the other settings where it is empty."""
    runs: Path = Path("runs")
    """Where run folders are."""

    def __post_init__(self) -> None:
        if self.steps is not None and self.lifetimes is not None:
            raise ValueError("steps and lifetimes are both set; give one of them")

    @property
    def folder(self) -> Path:
        """The teacher's folder."""
        parts = [
            NamedSettings.parse(self.env).folder_name,
            NamedSettings.parse(self.algorithm).folder_name,
            f"seed-{self.seed}",
        ]
        return self.runs / (self.name or bounded_name("-".join(parts)))
