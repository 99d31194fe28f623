import json
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.handmade.stages import Stages, StagesSettings
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spec import TeachingSpec
from teachgym.testing.made_up import discrete_specs, made_up_specs
from teachgym.testing.teacher import check_teacher
from tests.agents.arm_specs import answered, arms
from tests.agents.specs import spec

THREE = StagesSettings(
    [
        {"low": [0, 5], "high": [0.5, 6], "until": "episodes>=3 & success>0.5"},
        {"task": {"height": 1, "spacing": 2}, "until": "steps>=100"},
        {},
    ]
)
OPEN = StagesSettings(
    [{"until": "episodes>=10 & outcome>-200 | steps>3000"}, {"until": "success>0.2 | episodes>20"}, {}], window=5
)


def tell(teacher: Stages, decision: int, *, share: float = 0.5, cost: int = 1, success: bool = False) -> None:
    task = [0.0] * len(np.atleast_1d(teacher.sampling().low))
    teacher.update(answered(decision, task, share, cost=cost, success=success))


def test_it_keeps_the_contract_with_conditions_of_every_kind() -> None:
    required = Requirements(needs=Needs.SUCCESS)
    specs = [*made_up_specs(required), *discrete_specs(Needs.SUCCESS)]
    check_teacher(Stages, settings=OPEN, episodes=50, specs=specs)


def test_each_stage_lasts_until_its_condition() -> None:
    teacher, origins, tasks = Stages(spec(), THREE, seed=0), [], []
    for decision in range(9):
        tasks.append(teacher.act(None))
        origins.append(teacher.origin)
        tell(teacher, decision, cost=40, success=decision > 0)
    assert origins == ["stage 0"] * 3 + ["stage 1"] * 3 + ["stage 2"] * 3
    assert all((task >= [0, 5]).all() and (task <= [0.5, 6]).all() for task in tasks[:3])
    assert [task.tolist() for task in tasks[3:6]] == [[1, 2]] * 3
    assert teacher.sampling().high.tolist() == [3, 6]


def test_no_stages_are_the_whole_space() -> None:
    window = Stages(spec(), seed=0).sampling()
    assert [window.low.tolist(), window.high.tolist()] == [[0, 0], [3, 6]]


def test_corners_that_are_left_out_are_the_spaces_own() -> None:
    window = Stages(spec(), StagesSettings([{"high": [1, 6]}]), seed=0).sampling()
    assert [window.low.tolist(), window.high.tolist()] == [[0, 0], [1, 6]]


def test_stages_of_arms_draw_whole_numbers() -> None:
    settings = StagesSettings([{"task": 2, "until": "episodes>=2"}, {"low": [1], "high": [3]}])
    teacher, played = Stages(arms(5), settings, seed=0), []
    for decision in range(302):
        played.append(int(teacher.act(None)))
        tell(teacher, decision)
    assert played[:2] == [2, 2]
    assert set(played[2:]) == {1, 2, 3}


def test_means_are_over_the_last_answers_of_the_stage() -> None:
    settings = StagesSettings([{"until": "outcome>0"}, {"until": "outcome>0"}, {}], window=2)
    teacher = Stages(spec(), settings, seed=0)
    for decision, share in enumerate([0.0, 0.0, 0.5, 0.5, 0.0, 0.5, 0.5]):
        # outcomes -150, -150, 100, 100 | -150, 100, 100: means over two are above 0 after the 4th and the 7th
        teacher.act(None)
        assert teacher.origin == f"stage {int(decision >= 4)}"
        tell(teacher, decision, share=share)
    teacher.act(None)
    assert teacher.origin == "stage 2"


def test_an_answer_that_comes_after_its_stage_counts_towards_the_totals_only() -> None:
    settings = StagesSettings([{"until": "episodes>=1"}, {"until": "outcome>300"}, {"until": "total_episodes>=4"}, {}])
    teacher = Stages(spec(), settings, seed=0)
    for _ in range(3):
        teacher.act(None)
    tell(teacher, 1)
    tell(teacher, 0, share=1)
    teacher.act(None)
    assert teacher.origin == "stage 1"
    tell(teacher, 3, share=1)
    tell(teacher, 2)
    teacher.act(None)
    assert teacher.origin == "stage 2"
    tell(teacher, 4)
    teacher.act(None)
    assert teacher.origin == "stage 3"


def test_success_is_needed_where_a_condition_speaks_of_it() -> None:
    assert Stages.requirements(THREE).needs == Needs.SUCCESS
    assert not Stages.requirements(StagesSettings([{"until": "steps>5"}])).needs
    blind = TeachingSpec(spaces.Box(0, 1, (2,)), spaces.Box(0, 1), (0, 1), 0.5)
    with pytest.raises(ValueError, match="needs success"):
        Stages(blind, THREE, seed=0)


def test_stages_may_come_from_json() -> None:
    text = '[{"low": [0, 5], "high": [0.5, 6], "until": "episodes>50 & success>0.8"}, {"task": [1, 1]}]'
    teacher = Stages(spec(), StagesSettings(json.loads(text)), seed=0)
    assert teacher.sampling().high.tolist() == [0.5, 6]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"stages": "all"}, "stages is 'all'; expected a list"),
        ({"stages": {"low": [0]}}, "stages is {'low': .*; expected a list"),
        ({"stages": [3]}, r"stages is \[3\]; expected a list of items, each values by name"),
        ({"stages": [{"lower": [0]}]}, "unknown key of stage 0 'lower'; did you mean 'low'"),
        ({"stages": [{"task": [0], "low": [0]}]}, "expected either a task or low and high"),
        ({"stages": [{"task": [0]}, {"task": [1]}]}, "stage 0 never ends"),
        ({"stages": [{"until": "return>3"}]}, "'return>3' in condition 'return>3' is not a comparison"),
        ({"window": 0}, "window is 0; expected a whole number"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StagesSettings(**setting)


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ({"task": [4, 0]}, "stage 0: task parameter 'height' is 4"),
        ({"low": [0]}, "stage 0: task has shape"),
        ({"low": [2, 0], "high": [1, 6]}, "expected no number of low above high's"),
        ({"low": None}, "stage 0: task"),
    ],
)
def test_stages_outside_the_space_are_refused(stage: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Stages(spec(), StagesSettings([stage]), seed=0)
