"""All data for one skill."""

from typing import final

import numpy as np

from teachgym.agents.allocation.allocation_teacher import AllocationTeacher
from teachgym.base.registry import unknown_name
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_dataclass
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray


@checked_dataclass
class SingleSkillSettings:
    """Settings of ``SingleSkill``.

    Raises:
        ValueError: If a value is not allowed.
    """

    skill: int | str = 0
    """Number of the skill, from 0, or its name."""

    def __post_init__(self) -> None:
        if isinstance(self.skill, int):
            check_whole("skill", self.skill, 0)


@final
class SingleSkill(AllocationTeacher):
    """Gives one skill everything: the floor that every sane teacher is above.

    A study in which it does not come last has something wrong with it. ``origin`` is ``"rule"``.

    Raises:
        ValueError: If there is no such skill.
    """

    Settings = SingleSkillSettings
    settings: SingleSkillSettings

    def __init__(self, spec: TeachingSpec, settings: SingleSkillSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        skill = self.settings.skill
        if isinstance(skill, str):
            if skill not in spec.skills:
                raise unknown_name("skill", skill, spec.skills)
            skill = spec.skills.index(skill)
        if skill >= self.skills:
            raise ValueError(f"skill is {skill!r}; expected a number from 0 to {self.skills - 1}, or a name")
        self._place = skill

    def _weights(self, rows: FloatArray) -> FloatArray:
        weights = np.zeros(self.skills)
        weights[self._place] = 1
        return weights
