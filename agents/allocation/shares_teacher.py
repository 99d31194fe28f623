"""The base of teachers whose action is each skill's share of the next examples."""

from typing import Any

from teachgym.base.annotations import read_numbers
from teachgym.core.spec import TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Teacher
from teachgym.data.observation import SkillRow, SkillRows
from teachgym.data.spaces import Shares


class SharesTeacher(Teacher):
    """A teacher that divides the next examples among ``skills`` skills, which it sees in rows.

    Args:
        spec: The environment's fixed facts.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Non-negative integer.
    """

    acts_on = (Shares,)
    reads = SkillRows

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        assert isinstance(spec.action_space, Shares)
        self.skills = spec.action_space.count

    def _rows(self, name: str, observation: Any) -> FloatArray:
        """``(5, skills)`` of an observation, which the error calls by this name.

        Raises:
            ValueError: If it is not one of this environment.
        """
        return read_numbers(name, observation, shape=(len(SkillRow), self.skills))
