import json
from pathlib import Path
from typing import Any

import pytest
from gymnasium import spaces

from teachgym.agents.base.task_actions import TaskActions
from teachgym.agents.handmade.manual import Manual, ManualSettings
from teachgym.core.teacher import Teacher
from teachgym.testing.made_up import discrete_specs, made_up_specs
from teachgym.testing.teacher import check_teacher
from tests.agents.arm_specs import answered
from tests.agents.specs import spec


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def tasks(teacher: Teacher, count: int, cost: int = 1) -> list[Any]:
    """The tasks of that many decisions, each answered at once."""
    given = []
    for decision in range(count):
        action = teacher.act(None)
        given.append(action.tolist())
        teacher.update(answered(decision, action, 0.5, cost=cost))
    return given


@pytest.mark.parametrize("at_end", ["repeat", "cycle"])
def test_it_keeps_the_contract(tmp_path: Path, at_end: Any) -> None:
    for made_up in [*made_up_specs(), *discrete_specs()]:
        actions = TaskActions(made_up)
        rows = [actions.low.tolist(), {"task": actions.high.tolist(), "count": 3}]
        settings = ManualSettings(write(tmp_path, "tasks.json", json.dumps(rows)), at_end)
        check_teacher(Manual, settings=settings, episodes=20, specs=[made_up])


def test_it_keeps_the_contract_by_steps(tmp_path: Path) -> None:
    for made_up in made_up_specs():
        actions = TaskActions(made_up)
        rows = [
            {"task": actions.low.tolist(), "after_steps": 0},
            {"task": actions.high.tolist(), "after_steps": 1000},
        ]
        settings = ManualSettings(write(tmp_path, "tasks.json", json.dumps(rows)))
        check_teacher(Manual, settings=settings, episodes=20, specs=[made_up])


def test_a_csv_file_names_the_parameters_in_any_order_and_counts(tmp_path: Path) -> None:
    path = write(tmp_path, "tasks.csv", "spacing, height, count\n6, 0, 2\n5, 1,\n4, 2, 1\n")
    teacher = Manual(spec(), ManualSettings(path), seed=0)
    assert tasks(teacher, 6) == [[0, 6], [0, 6], [1, 5], [2, 4], [2, 4], [2, 4]]
    assert teacher.origin == "row 2"


def test_a_json_file_holds_lists_or_objects(tmp_path: Path) -> None:
    rows = [[0, 6], {"task": [1, 5], "count": 2}, {"height": 2, "spacing": 4}, {"task": {"height": 3, "spacing": 3}}]
    path = write(tmp_path, "tasks.json", json.dumps(rows))
    teacher = Manual(spec(), ManualSettings(path, "cycle"), seed=0)
    once = [[0, 6], [1, 5], [1, 5], [2, 4], [3, 3]]
    assert tasks(teacher, 12) == once + once + once[:2]


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "arm\n4\n2\n"), ("a.json", "[4, 2]"), ("b.json", '[{"arm": 4}, 2]')]
)
def test_arms_may_be_listed(tmp_path: Path, name: str, text: str) -> None:
    path = write(tmp_path, name, text)
    assert tasks(Manual(spec(spaces.Discrete(3, start=2)), ManualSettings(path), seed=0), 3) == [4, 2, 2]


def test_rows_may_begin_after_student_steps(tmp_path: Path) -> None:
    path = write(tmp_path, "tasks.csv", "height,spacing,after_steps\n0,6,0\n1,6,100\n2,6,250\n")
    heights = [task[0] for task in tasks(Manual(spec(), ManualSettings(path), seed=0), 8, cost=50)]
    assert heights == [0, 0, 1, 1, 1, 2, 2, 2]


def test_the_file_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path, "tasks.json", "[[0, 6], [1, 6]]")
    teacher = Manual(spec(), ManualSettings(path), seed=0)
    Path(path).unlink()
    assert tasks(teacher, 2) == [[0, 6], [1, 6]]


def test_without_a_path_the_format_is_told() -> None:
    with pytest.raises(ValueError, match=r"no schedule was given; expected path to name a \.csv file with a header"):
        Manual(spec(), seed=0)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tasks.txt", "0 6", "is of no known kind; expected a .csv file"),
        ("tasks.json", "{]", "can't be read"),
        ("tasks.json", '{"height": 1}', "it holds no list"),
        ("tasks.json", "[]", "has no rows"),
        ("tasks.csv", "height,spacing\n", "has no rows"),
        ("tasks.json", "[[0, 6], [9, 6]]", r"row 1 \(from 0\) of schedule .*'height' is 9"),
        ("tasks.json", "[[0, 6], [9]]", "row 1 .* task has shape"),
        ("tasks.json", '[{"task": [0, 6], "height": 3}]', "row 0 .* height stand beside the task"),
        ("tasks.csv", "height,spacing,width\n0,6,1\n", r"'width' is neither a parameter \(height, spacing\) nor count"),
        ("tasks.csv", "height\n0\n", "the task lacks spacing"),
        ("tasks.csv", "height,spacing\n0\n", "is not numeric"),
        ("tasks.csv", "height,spacing\n0,6,7\n", "is neither a parameter"),
        ("tasks.csv", "height,spacing,count\n0,6,0\n", "count is 0; expected a whole number, at least 1"),
        ("tasks.csv", "height,spacing,count\n0,6,some\n", "count is 'some'"),
        ("tasks.csv", "height,spacing,after_steps\n0,6,5\n", r"after \[5\] steps; expected after_steps in all rows, 0"),
        ("tasks.csv", "height,spacing,after_steps\n0,6,0\n0,5,\n", r"after \[0, -1\] steps"),
        ("tasks.csv", "height,spacing,after_steps\n0,6,0\n0,5,9\n0,5,8\n", r"after \[0, 9, 8\] steps"),
        ("tasks.csv", "height,spacing,after_steps,count\n0,6,0,2\n", "and no count"),
    ],
)
def test_files_that_are_no_schedule_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Manual(spec(), ManualSettings(write(tmp_path, name, text)), seed=0)


def test_a_missing_file_and_a_cycle_by_steps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be read"):
        Manual(spec(), ManualSettings(str(tmp_path / "none.csv")), seed=0)
    path = write(tmp_path, "tasks.csv", "height,spacing,after_steps\n0,6,0\n")
    with pytest.raises(ValueError, match="says no end; expected 'repeat'"):
        Manual(spec(), ManualSettings(path, "cycle"), seed=0)


@pytest.mark.parametrize("setting", [{"path": 3}, {"at_end": "stop"}])
def test_bad_settings_are_named(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(setting))} is"):
        ManualSettings(**setting)
