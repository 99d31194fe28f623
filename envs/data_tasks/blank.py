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

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Those of the other task."""
        return self._task.skills

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        """As many blank examples as the other task has, of the same skills."""
        return [self._blank(one.path) for one in self._task.validation], [
            self._blank(one.path) for one in self._task.test
        ]

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Blank examples of a skill or of a part of one."""
        leaves = find_skill(self.skills, path).leaves()
        paths = [(*path[:-1], *leaf) for leaf in leaves]
        chosen = rng.integers(len(leaves), size=count).tolist()
        return [self._blank(paths[leaf]) for leaf in chosen]

    def _blank(self, path: Path) -> Example:
        return Example(f"blank {next(self._serial)}", "right", path)
