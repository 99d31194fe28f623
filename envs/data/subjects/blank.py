"""The skills of another subject, with examples that carry nothing else: for students that only count them."""

from typing import final

import numpy as np

from teachgym.data.example import Example, Path
from teachgym.data.skills import Skill, find_skill
from teachgym.data.subject import Subject


@final
class BlankSubject(Subject):
    """Examples that say which skill they are of, and are all different; they cost a microsecond.

    The same generator gives the same examples, and draws for their numbers nothing that it would draw for others.

    Args:
        subject: Whose skills and numbers of held-out examples it has.
    """

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self._subject = subject

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Those of the other subject."""
        return self._subject.skills

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        """As many blank examples as the other subject has, of the same skills."""
        validation, test = self._subject.validation, self._subject.test
        return (
            [_blank(f"validation {number}", one.path) for number, one in enumerate(validation)],
            [_blank(f"test {number}", one.path) for number, one in enumerate(test)],
        )

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Blank examples of a skill or of a part of one."""
        leaves = find_skill(self.skills, path).leaves()
        paths = [(*path[:-1], *leaf) for leaf in leaves]
        chosen = rng.integers(len(leaves), size=count).tolist()
        numbers = rng.spawn(1)[0].integers(2**63, size=count).tolist()
        return [_blank(str(number), paths[leaf]) for number, leaf in zip(numbers, chosen, strict=True)]


def _blank(number: str, path: Path) -> Example:
    return Example(f"blank {number}", "right", path)
