"""The skills of another task, with examples that carry nothing else: for students that only count them."""

from itertools import count as counting
from typing import final

import numpy as np

from teachgym.data.example import Example, Path
from teachgym.data.skills import Skill, find_skill
from teachgym.data.task import DataTask


@final
class BlankTask(DataTask):
    """Examples that say which skill they are of, and are all different; they cost a microsecond.

    Args:
        task: Whose skills and numbers of held-out examples it has.
    """

    def __init__(self, task: DataTask) -> None:
        super().__init__()
        self._task, self._serial = task, counting()
        self.settings = task.settings

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Those of the other task."""
        return self._task.skills

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Blank examples of a skill or of a part of one."""
        leaves = find_skill(self.skills, path).leaves()
        paths = [(*path[:-1], *leaf) for leaf in leaves]
        chosen = rng.integers(len(leaves), size=count).tolist()
        return [Example(f"blank {next(self._serial)}", "right", paths[leaf]) for leaf in chosen]
