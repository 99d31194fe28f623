from dataclasses import replace

import pytest

from teachgym.agents.shaping.outcome_thresholds import competent_outcome, failing_outcome
from tests.agents.specs import spec


def test_on_the_walker_they_are_the_sources_180_and_0() -> None:
    assert competent_outcome(spec()) == pytest.approx(180, abs=1e-9)
    assert failing_outcome(spec()) == pytest.approx(0, abs=1e-9)


def test_they_follow_the_unit_of_outcomes() -> None:
    tenth = replace(spec(), outcome_range=(-15.0, 35.0), mastered_above=23.0)
    assert competent_outcome(tenth) == pytest.approx(18)
    assert failing_outcome(tenth) == pytest.approx(0)
