import dataclasses
from pathlib import Path

import pytest

from teachgym.base.named_settings import NamedSettings
from teachgym.study.settings import Cell, StudySettings


@pytest.mark.parametrize(
    ("text", "name", "settings"),
    [
        ("random", "random", {}),
        ("alp-gmm,fit_every=100,criterion=bic", "alp-gmm", {"fit_every": 100, "criterion": "bic"}),
        ("package.module:Class,alpha=1e-3", "package.module:Class", {"alpha": 1e-3}),
        ("ppo,hidden=[64,32],device=cpu", "ppo", {"hidden": [64, 32], "device": "cpu"}),
        (
            'stages,stages=[{"low":[0,5],"until":"a>1 & b,\\"c"},{}],window=5',
            "stages",
            {"stages": [{"low": [0, 5], "until": 'a>1 & b,"c'}, {}], "window": 5},
        ),
        ("riac,faithful=False,window=None", "riac", {"faithful": False, "window": None}),
        ("x,a=[True,None],b={'c':False}", "x", {"a": [True, None], "b": {"c": False}}),
        ('x,a="False",b="1",c="d,e"', "x", {"a": "False", "b": "1", "c": "d,e"}),
        ("x,a=none,b=,c='d',d=(1", "x", {"a": "none", "b": "", "c": "'d'", "d": "(1"}),
        (f"x,a={'1' * 5000}", "x", {"a": "1" * 5000}),
        ('StumpTracks,defects={"lidar":"faithful"}', "StumpTracks", {"defects": {"lidar": "faithful"}}),
    ],
)
def test_a_spec_is_read_and_written_back(text: str, name: str, settings: dict[str, object]) -> None:
    named = NamedSettings.parse(text)
    assert (named.name, dict(named.settings)) == (name, settings)
    assert NamedSettings.parse(str(named)) == named


@pytest.mark.parametrize(
    "text", ["", ",", "fit_every=3", "alp-gmm,fit_every", "alp-gmm,3=4", "alp-gmm,fit_every=1,fit_every=2"]
)
def test_a_spec_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        NamedSettings.parse(text)


def test_folder_names_hold_no_separators() -> None:
    assert NamedSettings.parse("a.b:C,x=[1,2]").folder_name == "a.b_C_x=_1_2_"


def test_the_grid_has_a_cell_for_every_teacher_and_seed_and_seeds_come_first() -> None:
    cells = list(StudySettings(teachers=("random", "oracle"), seeds=2, first_seed=5).grid())
    assert [(cell.teacher, cell.seed) for cell in cells] == [
        ("random", 5),
        ("oracle", 5),
        ("random", 6),
        ("oracle", 6),
    ]
    assert len({cell.folder_name for cell in cells}) == 4


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("0-2", [0, 1, 2]),
        ("5", [5]),
        ("3, 1-2,2 - 3", [1, 2, 3]),
        ("0-5", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_slice_of_the_grid_is_chosen_by_number(cells: str, numbers: list[int]) -> None:
    settings = StudySettings(teachers=("random", "oracle"), seeds=3, cells=cells)
    grid = list(settings.grid())
    assert settings.chosen() == [(number, grid[number]) for number in numbers]


@pytest.mark.parametrize("cells", ["6", "0-6", "3,7"])
def test_a_number_outside_the_grid_is_refused(cells: str) -> None:
    settings = StudySettings(teachers=("random", "oracle"), seeds=3, cells=cells)
    with pytest.raises(ValueError, match=f"cells is '{cells}'; the grid has 6 cells, numbered 0 to 5"):
        settings.chosen()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": 0}, "budget is 0; expected a whole number, at least 1"),
        ({"seeds": 0}, "seeds is 0"),
        ({"evaluations": 0}, "evaluations is 0"),
        ({"workers": -1}, "workers is -1"),
        ({"first_seed": -1}, "seed is -1"),
        ({"teachers": ()}, "teachers is \\(\\); expected a list of texts, not empty"),
        ({"teachers": ("random", "random")}, "twice"),
        ({"teachers": ("oracle,steps=[1,2]", 'oracle,steps="1,2"')}, "share a folder"),
        ({"name": "a/b"}, "name is 'a/b'"),
        ({"budget": 10, "evaluations": 11}, "evaluations is 11"),
        ({"name": ".."}, "name is '..'; expected at most 200 letters"),
        ({"name": "n" * 201}, "name is 'nnn"),
        ({"seeds": 10**400}, "seeds is 1000.*; expected a whole number of at most 64 bits"),
        ({"seeds": 10**9}, "seeds is 1000000000; expected a whole number, at least 1 and at most 100,000"),
        ({"seeds": "3"}, "seeds is '3'; expected a whole number"),
        ({"retries": -1}, "retries is -1; expected a whole number, at least 0"),
        ({"retries": True}, "retries is True; expected a whole number"),
        ({"gpus": float("nan")}, "gpus is nan; expected a number, not nan"),
        ({"gpus": -0.5}, "gpus is -0.5; expected a number, at least 0"),
        ({"checkpoint_seconds": float("nan")}, "checkpoint_seconds is nan"),
        ({"checkpoint_seconds": -1.0}, "checkpoint_seconds is -1.0; expected a number, at least 0"),
        ({"stalled_after": -1.0}, "stalled_after is -1.0; expected a number, at least 0"),
        ({"stalled_after": 10**400}, "stalled_after is 1000.*; expected a number of at most 1e308"),
        ({"executor": "nonsense"}, "executor is 'nonsense'; expected one of 'local', 'ray'"),
        ({"trackers": ("tensorbord",)}, "trackers is .*each one of 'tensorboard', 'wandb'"),
        ({"runs": 3}, "runs is 3; expected a path"),
        ({"teachers": "random"}, "teachers is 'random'; expected a list of texts"),
        ({"cells": "9" * 5000}, "cells is '999.*; expected numbers and ranges"),
        ({"cells": "2-1"}, "cells is '2-1'; expected numbers and ranges"),
        ({"cells": "1,,2"}, "cells is '1,,2'"),
        ({"cells": "-3"}, "cells is '-3'"),
        ({"cells": "a"}, "cells is 'a'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StudySettings(**changes)  # type: ignore[arg-type]


def test_a_cell_survives_json() -> None:
    cell = next(iter(StudySettings().grid()))
    assert Cell.from_json(cell.to_json()) == cell
    with pytest.raises(ValueError, match="expected"):
        Cell.from_json({**cell.to_json(), "more": 1})


def test_the_folder_tells_what_was_studied_unless_it_is_named() -> None:
    settings = StudySettings(env="StumpTracks", student="ppo", budget=5000)
    assert settings.folder == Path("runs/StumpTracks-ppo-5000")
    assert dataclasses.replace(settings, name="mine").folder == Path("runs/mine")
