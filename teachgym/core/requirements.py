"""What a teacher asks of its environment, and how an environment is asked for what it gives on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gymnasium import Space

from teachgym.base.annotations import shown
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spec import TeachingSpec

SpaceType = type[Space[Any]]


@dataclass(frozen=True)
class Requirements:
    """What a teacher asks of its environment; by default nothing."""

    acts_on: tuple[SpaceType, ...] = (Space,)
    """Types of action spaces, any of which will do."""
    reads: SpaceType = Space
    """Type of the observation space."""
    needs: Needs = NOTHING
    """What it has to be told beyond outcomes."""

    def __bool__(self) -> bool:
        return self != Requirements()

    def __str__(self) -> str:
        return " and ".join(self._in_words().values()) or "acts on any space"

    def needing(self, more: Needs) -> "Requirements":
        """These, and to be told more."""
        return replace(self, needs=self.needs | more)

    def unmet(self, spec: TeachingSpec) -> "Requirements":
        """Those that an environment with these facts does not meet."""
        return Requirements(
            (Space,) if isinstance(spec.action_space, self.acts_on) else self.acts_on,
            Space if isinstance(spec.observation_space, self.reads) else self.reads,
            self.needs & ~spec.offers,
        )

    def against(self, spec: TeachingSpec) -> str:
        """In words, each requirement beside what an environment with these facts has in its place."""
        there = {
            "acts_on": f"the action space is {shown(spec.action_space)}",
            "reads": f"the observation space is {shown(spec.observation_space)}",
            "needs": f"the environment offers {spec.offers}",
        }
        return "; ".join(f"it {words}, and {there[name]}" for name, words in self._in_words().items())

    def _in_words(self) -> dict[str, str]:
        """What is asked, by attribute; without those that ask for nothing."""
        words = {}
        if Space not in self.acts_on:
            words["acts_on"] = f"acts on {' or '.join(kind.__name__ for kind in self.acts_on)}"
        if self.reads is not Space:
            words["reads"] = f"reads {self.reads.__name__}"
        if self.needs:
            words["needs"] = f"needs {self.needs}"
        return words


@dataclass(frozen=True)
class OnDemand:
    """Keywords of an environment's constructor, and what it gives with them that it does not give by default.

    ``TeacherEnv.on_demand`` lists them.
    """

    keywords: Mapping[str, Any]
    """For instance ``{"action": "shares"}``."""
    action_space: SpaceType | None = None
    """Type of the action space, if they change it."""
    observation_space: SpaceType | None = None
    """Type of the observation space, if they change it."""
    offers: Needs = NOTHING
    """What is offered with them."""


def keywords_for(required: Requirements, on_demand: Sequence[OnDemand]) -> dict[str, Any]:
    """Keywords that ask an environment for as much of what is required as it gives on demand."""
    chosen: list[OnDemand] = []
    if Space not in required.acts_on:
        chosen += [one for kind in required.acts_on for one in on_demand if _is_kind(one.action_space, kind)][:1]
    if required.reads is not Space:
        chosen += [one for one in on_demand if _is_kind(one.observation_space, required.reads)][:1]
    chosen += [one for one in on_demand if one.offers & required.needs]
    return {name: value for one in chosen for name, value in one.keywords.items()}


def only_on_demand(required: Requirements, on_demand: Sequence[OnDemand]) -> Requirements:
    """Those that an environment does not meet by default, as it lists that very type as given on demand."""
    acting, seeing = ({getattr(one, name) for one in on_demand} for name in ("action_space", "observation_space"))
    return replace(
        required,
        acts_on=required.acts_on if acting.issuperset(required.acts_on) else (Space,),
        reads=required.reads if required.reads in seeing else Space,
    )


def _is_kind(given: SpaceType | None, wanted: SpaceType) -> bool:
    return given is not None and issubclass(given, wanted)
