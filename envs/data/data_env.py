"""The base of teacher environments whose action is data, or a plan that an engine turns into data."""

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from gymnasium import Space, spaces

from teachgym.base.ranges import NonNegativeFloat, PositiveInt, Share
from teachgym.base.settings import checked_arguments, make_settings
from teachgym.core.decision import action_space
from teachgym.core.feedback import Feedback
from teachgym.core.lifetime import Lifetime
from teachgym.core.needs import Needs
from teachgym.core.requirements import OnDemand
from teachgym.core.reward_rule import GainReward
from teachgym.core.spec import TeachingSpec
from teachgym.core.teacher_env import TeacherEnv
from teachgym.core.view import View
from teachgym.data.reports import SubjectReport
from teachgym.data.spaces import AnyText
from teachgym.envs.data.data_lifetime import DataLifetime
from teachgym.envs.data.data_settings import DataSettings

_MOST_TEXT = 10_000_000

ObservationKind = Literal["numbers", "text"]


class DataView(View):
    """What a teacher sees of a student that learns from data: numbers, or a report in JSON for teachers that read.

    Args:
        lifetime: The student.
        observation: ``"numbers"`` or ``"text"``.
    """

    def __init__(self, lifetime: Any, observation: ObservationKind) -> None:
        self._reads = observation == "text"
        self.space = AnyText(_MOST_TEXT) if self._reads else self._number_space(lifetime)

    @abstractmethod
    def _number_space(self, lifetime: Any) -> Space[Any]:
        """The space of observations as numbers."""

    @abstractmethod
    def _numbers(self, lifetime: Any) -> Any:
        """What is observed, as numbers."""

    @abstractmethod
    def _describe(self, lifetime: Any, report: SubjectReport) -> None:
        """Complete the report with what this environment shows."""

    def observe(self, feedback: Feedback | None, lifetime: Lifetime[Any]) -> Any:
        """What the teacher sees now."""
        if not self._reads:
            return self._numbers(lifetime)
        assert isinstance(lifetime, DataLifetime)
        report: SubjectReport = {
            "subject": (type(lifetime.subject).__doc__ or "").partition("\n")[0],
            "progress": round(lifetime.spent / lifetime.budget, 4),
            "examples_left": lifetime.left,
            "examples_now": lifetime.size,
            "steps_left": lifetime.most_rounds - lifetime.rounds,
        }
        if lifetime.sees:
            report["accuracy"] = round(lifetime.accuracy, 4)
        self._describe(lifetime, report)
        return json.dumps(report, ensure_ascii=False)


class DataEnv(TeacherEnv):
    """Teach a student by data; the base of the three data-generation environments.

    A step: the plan is made into examples, within all budgets; the student is trained on them, in proportion; and it is
    tested on the validation set. The reward is the gain in accuracy there, less ``price`` for each example, so that the
    undiscounted return is the whole gain less the price of everything. Each step is meant to take an equal part of what
    is left of the budget. The episode ends with the budget, or after ``rounds`` steps.

    Subclasses choose a ``DataLifetime`` and a ``DataView``.

    Args:
        make_lifetime: Makes the lifetime, which says how plans are carried out.
        make_view: Makes the view of it.
        action: What an action is; the subclass says.
        observation: ``"numbers"``, or ``"text"``: a report in JSON (``teachgym.data.reports``) for teachers that read.
        rounds: Steps of an episode; None takes 6, or, where an action is one choice of many, 6 for each of them.
        feedback: Whether the teacher is shown anything of the student. Without, observations and feedback tell only
            what data has been made; the reward is paid all the same.
        price: What the reward is lowered by for every example.
        mastered_above: Accuracy above which a skill counts as mastered.
        probes: ``"off"``, or ``"counted"``: the action says whether it is a probe, whose data are made, learnt and
            tested by copies; what that takes is spent and paid, while the student is as before.
        data: Fields of ``DataSettings``: what is learnt, by whom, from what, at what expense.

    Raises:
        ValueError: If an argument is not allowed, or something that is named does not exist; nothing is spent then.
    """

    on_demand: ClassVar[tuple[OnDemand, ...]] = (OnDemand({"observation": "text"}, observation_space=spaces.Text),)
    lifetime: DataLifetime[Any]

    @checked_arguments
    def __init__(
        self,
        make_lifetime: Callable[..., DataLifetime[Any]],
        make_view: Callable[[Any, ObservationKind], DataView],
        *,
        action: str = "discrete",
        observation: ObservationKind = "numbers",
        rounds: PositiveInt | None = None,
        feedback: bool = True,
        price: NonNegativeFloat = 0.0,
        mastered_above: Share = 0.9,
        probes: Literal["off", "counted"] = "off",
        **data: Any,
    ) -> None:
        lifetime = make_lifetime(
            make_settings("the environment", DataSettings, _plain(data)),
            action=action,
            rounds=rounds,
            sees=feedback,
            price=price,
            mastered_above=mastered_above,
        )
        view = make_view(lifetime, observation)
        spec = TeachingSpec(
            action_space=action_space(lifetime.decision_space, probes),
            observation_space=view.space,
            outcome_range=(0.0, 1.0),
            mastered_above=mastered_above,
            offers=Needs.SUCCESS,
            skills=lifetime.places,
        )
        super().__init__(lifetime, spec, reward=GainReward(), view=view)


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they come from a command line or a file, where a tuple is a list, or a bare name."""
    found = dict(data)
    checks = found.get("checks")
    if checks is not None:
        found["checks"] = (checks,) if isinstance(checks, str) else tuple(checks)
    return found
