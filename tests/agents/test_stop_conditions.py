import re
from typing import Any

import pytest

from teachgym.agents.handmade.stop_conditions import Condition


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("steps>20000", {"steps": 20000}, False),
        ("steps>20000", {"steps": 20001}, True),
        ("episodes>=50", {"episodes": 50}, True),
        ("episodes<50", {"episodes": 50}, False),
        ("outcome <= -1.5e1", {"outcome": -15}, True),
        ("success>0.75", {}, False),
        ("success<0.75", {}, False),
        ("episodes>1 & success>0.8", {"episodes": 2, "success": 0.8}, False),
        ("episodes>1 & success>0.8", {"episodes": 2, "success": 0.9}, True),
        ("episodes>9 | success>0.8", {"episodes": 2, "success": 0.9}, True),
        ("episodes>9 | success>0.8", {"episodes": 10, "success": 0.1}, True),
        # & binds more closely than |: a | (b & c), not (a | b) & c
        ("episodes>1 | steps>1 & success>0.5", {"episodes": 2, "steps": 0, "success": 0.0}, True),
        ("steps>1 & success>0.5 | episodes>1", {"episodes": 2, "steps": 0, "success": 0.0}, True),
        ("steps>1 & success>0.5 | episodes>5", {"episodes": 2, "steps": 2, "success": 0.0}, False),
        ("total_steps>5&total_episodes>5", {"total_steps": 6, "total_episodes": 6}, True),
    ],
)
def test_conditions_hold_where_they_say(text: str, values: dict[str, float], holds: bool) -> None:
    assert Condition.parse(text).holds(values) is holds


def test_a_condition_knows_what_it_speaks_of() -> None:
    assert Condition.parse("steps>1 & success>0.5 | steps>9").quantities == {"steps", "success"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "''"),
        ("steps", "'steps'"),
        ("steps>1 &", "''"),
        ("steps>1 | | success>1", "''"),
        ("reward>1", "'reward>1'"),
        ("steps=1", "'steps=1'"),
        ("steps>1 and success>1", "'steps>1 and success>1'"),
        ("(steps>1)", "'(steps>1)'"),
        ("1<steps", "'1<steps'"),
    ],
)
def test_what_is_not_a_comparison_is_named(text: str, part: str) -> None:
    wanted = rf"{re.escape(part)} in condition .* is not a comparison; expected a quantity \(steps"
    with pytest.raises(ValueError, match=wanted):
        Condition.parse(text)


@pytest.mark.parametrize("number", ["many", "nan", "1,000"])
def test_what_is_no_number_is_named(number: str) -> None:
    with pytest.raises(ValueError, match=f"'{number}' in condition 'steps>{number}' is not a number"):
        Condition.parse(f"steps>{number}")


def test_what_is_no_text_is_refused() -> None:
    wrong: Any = 3
    with pytest.raises(ValueError, match="condition 3 is no text"):
        Condition.parse(wrong)
