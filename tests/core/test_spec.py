"""What a spec says is what it offers."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spec import EasyTasks, TeachingSpec

BOX = spaces.Box(0.0, 1.0, (1,))


def spec(offers: Needs, mastered_above: float = 0.5, **facts: Any) -> TeachingSpec:
    return TeachingSpec(BOX, BOX, (0.0, 1.0), mastered_above, offers, **facts)


def test_what_counts_as_mastered_is_told_only_where_it_is_offered() -> None:
    assert spec(Needs.SUCCESS).mastered_above == 0.5
    assert np.isnan(spec(NOTHING).mastered_above)


@pytest.mark.parametrize(
    ("offers", "facts", "message"),
    [
        (Needs.SUCCESS, {"mastered_above": float("nan")}, "mastered_above is nan, and Needs.SUCCESS is offered"),
        (Needs.EASY_TASKS, {}, "easy_tasks is None, .* to have <Needs.EASY_TASKS"),
        (NOTHING, {"easy_tasks": EasyTasks((0.0,), (0.1,))}, "to have <Needs.EASY_TASKS"),
        (Needs.RULES, {}, "rules is {}, .* to have <Needs.RULES"),
        (NOTHING, {"rules": {"none": lambda seen: 0.0}}, "to have <Needs.RULES"),
    ],
)
def test_facts_and_offers_go_together(offers: Needs, facts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(offers, **facts)
