"""The base of teachers whose action is each skill's share of the next examples."""

from typing import Any, ClassVar

from teachgym.base.annotations import read_numbers
from teachgym.core.spec import SHARES, TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Teacher
from teachgym.data.observation import SkillRow
from teachgym.data.spaces import Shares


class SharesTeacher(Teacher):
    """A teacher that divides the next examples among ``skills`` skills, which it sees in rows.

    Args:
        spec: The environment's fixed facts; it offers ``"shares"``.
        settings: A ``Settings`` of this class; None takes the defaults.
        seed: Integer from 0 up.

    Raises:
        ValueError: If the action is not shares, or the observation does not show skills in rows.
    """

    needs: ClassVar[frozenset[str]] = frozenset({SHARES})

    def __init__(self, spec: TeachingSpec, settings: Any = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        space, seen = spec.action_space, spec.observation_space
        if not isinstance(space, Shares):
            raise ValueError(
                f"the action space is {space}; expected shares of skills: give the environment action=shares"
            )
        self.skills = int(space.shape[0])
        if seen.shape != (len(SkillRow), self.skills):
            raise ValueError(
                f"the observation space is {seen}; expected numbers of shape ({len(SkillRow)}, {self.skills}): give "
                "the environment observation=numbers"
            )

    def _rows(self, name: str, observation: Any) -> FloatArray:
        """``(5, skills)`` of an observation, which the error calls by this name.

        Raises:
            ValueError: If it is not one of this environment.
        """
        return read_numbers(name, observation, shape=(len(SkillRow), self.skills))
