"""A reference policy that the environment states."""

from dataclasses import replace
from typing import Annotated, Any, final

from annotated_types import MinLen

from teachgym.base.registry import unknown_name
from teachgym.base.settings import checked_dataclass
from teachgym.core.feedback import Transition
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spaces import BoxWithTruth
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher import Choice, Note, Teacher

TRUTH_RULE = "truth"


@checked_dataclass
class RuleSettings:
    """Settings of ``ReferenceRule``.

    Raises:
        ValueError: If a value is not allowed.
    """

    name: Annotated[str, MinLen(1)] = "none"
    """Which of the environment's rules; `"none"` does nothing, and `"truth"` knows what is best, where that is
    known. docs/environments.md lists them."""


@final
class ReferenceRule(Teacher):
    """Plays a reference policy of the environment, such as doing nothing, its source's rule, or the truth's.

    A rule maps the observation to an action; it learns nothing and draws nothing. ``truth`` is shown the truth, and is
    a bound for the others to be measured by, not a teacher to compare with. ``origin`` is the rule's name.

    Args:
        spec: The environment's fixed facts, with rules.
        settings: A ``RuleSettings``; None takes the defaults.
        seed: Non-negative integer; it makes no difference.

    Raises:
        ValueError: If the environment has no such rule.
    """

    Settings = RuleSettings
    settings: RuleSettings
    needs = Needs.RULES

    def __init__(self, spec: TeachingSpec, settings: RuleSettings | None = None, *, seed: int) -> None:
        super().__init__(spec, settings, seed=seed)
        if self.settings.name not in spec.rules:
            raise unknown_name("rule", self.settings.name, spec.rules)
        self._rule = spec.rules[self.settings.name]

    @classmethod
    def requirements(cls, settings: RuleSettings) -> Requirements:
        """It reads the truth, for the rule that is shown it."""
        found = super().requirements(settings)
        return replace(found, reads=BoxWithTruth) if settings.name == TRUTH_RULE else found

    def _act(self, observation: Any) -> Choice:
        """What the rule says."""
        return Choice(self._rule(observation), self.settings.name)

    def _update(self, transition: Transition, note: Note | None) -> None:
        """Do nothing."""
