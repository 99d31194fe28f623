"""What a spec says is what it offers."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.core.spec import EASY_TASKS, RULES, SUCCESS, EasyTasks, TeachingSpec

BOX = spaces.Box(0.0, 1.0, (1,))


def spec(offers: set[str], mastered_above: float = 0.5, **facts: Any) -> TeachingSpec:
    return TeachingSpec(BOX, BOX, (0.0, 1.0), mastered_above, frozenset(offers), **facts)


def test_what_counts_as_mastered_is_told_only_where_it_is_offered() -> None:
    assert spec({SUCCESS}).mastered_above == 0.5
    assert np.isnan(spec(set()).mastered_above)


@pytest.mark.parametrize(
    ("offers", "facts", "message"),
    [
        ({SUCCESS}, {"mastered_above": float("nan")}, "mastered_above is nan, and 'success' is offered"),
        ({EASY_TASKS}, {}, "easy_tasks is None, .* to name easy-tasks"),
        (set(), {"easy_tasks": EasyTasks((0.0,), (0.1,))}, "to name easy-tasks"),
        ({RULES}, {}, "rules is {}, .* to name rules"),
        (set(), {"rules": {"none": lambda seen: 0.0}}, "to name rules"),
    ],
)
def test_facts_and_offers_go_together(offers: set[str], facts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(offers, **facts)
