"""What a teacher requires is held against what an environment gives, and asked for where it is given on demand."""

from typing import Any

import pytest
from gymnasium import spaces

from teachgym.core.needs import NOTHING, Needs
from teachgym.core.requirements import OnDemand, Requirements, keywords_for, only_on_demand
from teachgym.core.spaces import BoxWithTruth, ProbeSpace
from teachgym.core.spec import TeachingSpec

BOX = spaces.Box(0.0, 1.0, (1,))
TRUTH = BoxWithTruth([0.0], [1.0], truth=1)
ON_DEMAND = (
    OnDemand({"probes": "counted"}, action_space=ProbeSpace),
    OnDemand({"action": "arms"}, action_space=spaces.Discrete),
    OnDemand({"truth": True}, observation_space=BoxWithTruth),
    OnDemand({"observation": "text"}, observation_space=spaces.Text),
    OnDemand({"antagonist": True}, offers=Needs.ANTAGONIST),
)


def spec(actions: spaces.Space[Any] = BOX, seen: spaces.Space[Any] = BOX, offers: Needs = NOTHING) -> TeachingSpec:
    return TeachingSpec(actions, seen, (0.0, 1.0), 0.5, offers)


def test_needs_are_told_in_words() -> None:
    assert str(Needs.EASY_TASKS | Needs.VALUES) == "easy tasks, values"
    assert str(NOTHING) == "nothing beyond outcomes"


@pytest.mark.parametrize(
    ("required", "given", "unmet"),
    [
        (Requirements(), spec(), Requirements()),
        (Requirements((spaces.Box, ProbeSpace)), spec(), Requirements()),
        (Requirements((spaces.Box, ProbeSpace)), spec(ProbeSpace(BOX)), Requirements()),
        (Requirements((ProbeSpace,)), spec(), Requirements((ProbeSpace,))),
        (Requirements((spaces.Dict,)), spec(ProbeSpace(BOX)), Requirements()),
        (Requirements(reads=spaces.Box), spec(seen=TRUTH), Requirements()),
        (Requirements(reads=BoxWithTruth), spec(), Requirements(reads=BoxWithTruth)),
        (
            Requirements(needs=Needs.VALUES | Needs.SUCCESS),
            spec(offers=Needs.SUCCESS | Needs.ANTAGONIST),
            Requirements(needs=Needs.VALUES),
        ),
    ],
    ids=str,
)
def test_what_an_environment_does_not_meet_is_left(
    required: Requirements, given: TeachingSpec, unmet: Requirements
) -> None:
    assert required.unmet(given) == unmet
    assert bool(required.unmet(given)) is (unmet != Requirements())


def test_each_requirement_is_told_beside_what_there_is() -> None:
    required = Requirements((ProbeSpace, spaces.Discrete), spaces.Text, Needs.VALUES)
    assert str(required) == "acts on ProbeSpace or Discrete and reads Text and needs values"
    assert str(Requirements()) == "acts on any space"
    assert required.against(spec(offers=Needs.SUCCESS)) == (
        "it acts on ProbeSpace or Discrete, and the action space is Box(0.0, 1.0, (1,), float32); "
        "it reads Text, and the observation space is Box(0.0, 1.0, (1,), float32); "
        "it needs values, and the environment offers success"
    )


@pytest.mark.parametrize(
    ("required", "keywords"),
    [
        (Requirements(), {}),
        (Requirements((spaces.Discrete, ProbeSpace)), {"action": "arms"}),
        (Requirements((ProbeSpace, spaces.Discrete)), {"probes": "counted"}),
        (Requirements((spaces.MultiBinary,), needs=Needs.ANTAGONIST | Needs.VALUES), {"antagonist": True}),
        (Requirements((spaces.Discrete,), spaces.Text), {"action": "arms", "observation": "text"}),
        (Requirements(reads=spaces.Box), {"truth": True}),
    ],
    ids=str,
)
def test_an_environment_is_asked_for_what_it_gives_on_demand(required: Requirements, keywords: dict[str, Any]) -> None:
    assert keywords_for(required, ON_DEMAND) == keywords


def test_what_an_environment_may_give_by_default_is_not_on_demand_only() -> None:
    for required in (Requirements((ProbeSpace, spaces.Discrete)), Requirements(reads=BoxWithTruth)):
        assert only_on_demand(required, ON_DEMAND) == required
    for required in (Requirements((spaces.Box, ProbeSpace)), Requirements(reads=spaces.Box)):
        assert only_on_demand(required, ON_DEMAND) == Requirements()
