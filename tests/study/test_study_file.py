import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachgym.base.registry import unknown_name
from teachgym.study import study_file
from teachgym.study.cells.environment import make_environment, make_pair
from teachgym.study.settings import StudySettings

ROOT = Path(__file__).parent.parent.parent
READY = sorted(study_file.ready_made())


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_a_file_gives_the_settings_that_it_names_and_defaults_for_the_rest(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        env = "StumpTracks,body=short"
        teachers = ["random", "alp-gmm,fit_every=100"]
        budget = 2_000_000
        first_seed = 8
        checkpoint-seconds = 60
        runs = "elsewhere"
        trackers = []
        executor = "ray"
        gpus = 0.25
        """,
    )
    assert study_file.load(path) == StudySettings(
        env="StumpTracks,body=short",
        teachers=("random", "alp-gmm,fit_every=100"),
        budget=2_000_000,
        first_seed=8,
        checkpoint_seconds=60.0,
        runs=Path("elsewhere"),
        trackers=(),
        executor="ray",
        gpus=0.25,
    )
    assert study_file.load(str(path)) == study_file.load(path)


def test_tables_are_the_texts_that_would_be_typed(tmp_path: Path) -> None:
    tables = """
        teachers = ["random", {name = "oracle", steps = [0.1, -0.2]}, {name = "alp-gmm", fit-every = 100}]
        [env]
        name = "StumpTracks"
        defects = {lidar = "faithful"}
        [student]
        name = "ppo"
        learning_rate = 1e-3
    """
    settings = study_file.load(written(tmp_path, tables))
    assert settings.env == 'StumpTracks,defects={"lidar":"faithful"}'
    assert settings.student == "ppo,learning_rate=0.001"
    assert settings.teachers == ("random", "oracle,steps=[0.1,-0.2]", "alp-gmm,fit_every=100")
    blocks = '[[teachers]]\nname = "random"\n[[teachers]]\nname = "alp-gmm"\nfit_every = 100\n'
    assert study_file.load(written(tmp_path, blocks)).teachers == ("random", "alp-gmm,fit_every=100")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sedes = 3", r"unknown setting of a study: 'sedes'; did you mean 'seeds'"),
        ('seeds = "3"', r"seeds is '3'; expected a whole number"),
        ("seeds = true", r"seeds is True; expected a whole number"),
        ("budget = 2e6", r"budget is 2000000.0; expected a whole number"),
        ('stalled-after = "soon"', r"stalled-after is 'soon'; expected a number"),
        ("name = 3", r"name is 3; expected text"),
        ("runs = 3", r"runs is 3; expected a path"),
        ('teachers = "random"', r"teachers is 'random'; expected a list of texts"),
        ('teachers = ["random", 3]', r"teachers is \['random', 3\]; expected a list of texts"),
        ('executor = "slurm"', r"executor is 'slurm'; expected one of 'local', 'ray'"),
        ('trackers = ["tensorbord"]', r"each one of 'tensorboard', 'wandb'"),
        ("student = {slots = 4}", r"\{'slots': 4\} has no name; expected one in the table"),
        ('student = {name = "ppo,slots=1"}', r"would be read as something else"),
        ("student = {name = 'ppo', device = 2026-01-01}", r"neither text, number"),
        ("stalled-after = nan", r"stalled-after is nan; expected a number, not nan"),
        ("first-seed = 3\nfirst_seed = 4", r"first_seed is given twice"),
        ("seeds = 0", r"seeds is 0; expected a whole number, at least 1 and"),
        ('cells = "5-3"', r"cells is '5-3'; expected numbers and ranges"),
        ("seeds 3", r"is not a TOML file: .*line 1"),
        ("teachers = " + "[" * 100_000, r"is not a TOML file"),
        ("seeds = " + "9" * 5000, r"is not a TOML file"),
    ],
)
def test_what_makes_no_sense_is_refused_with_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=f"mine.toml.*{message}"):
        study_file.load(written(tmp_path, text))


def test_an_unknown_study_suggests_the_nearest_and_a_missing_file_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown study 'stump-track-hour'; did you mean 'stump-tracks-hour'.*\.toml"):
        study_file.load("stump-track-hour")
    with pytest.raises(ValueError, match=r"there is no file no/such\.toml"):
        study_file.load("no/such.toml")


def test_a_file_in_the_working_directory_hides_no_ready_made_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hypercubes").write_text("seeds = 1")
    (tmp_path / "hypercubes.toml").write_text("seeds = 77")
    assert study_file.load("hypercubes.toml").seeds == 77
    assert study_file.load("hypercubes").seeds != 77


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    subject=st.none() | TEXTS,
    ray_address=st.none() | TEXTS,
    steps=st.none() | st.integers(4, 10**12),
    seconds=st.floats(0, allow_nan=False),
    trackers=st.lists(st.sampled_from(["tensorboard", "wandb"]), unique=True),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    subject: str | None,
    ray_address: str | None,
    steps: int | None,
    seconds: float,
    trackers: list[Any],
) -> None:
    """The reader is Python's own, so that this also checks the writer against TOML."""
    settings = StudySettings(
        subject=subject,
        ray_address=ray_address,
        budget=steps,
        checkpoint_seconds=seconds,
        trackers=tuple(trackers),
        teachers=("random", 'stages,stages=[{"low":[0,0],"until":"outcome>0.75"},{}]'),
        runs=Path("some where") / "else",
    )
    path = tmp_path_factory.getbasetemp() / "written.toml"
    study_file.write(path, settings)
    assert study_file.load(path) == settings


def test_a_slice_is_of_one_command_and_not_of_the_study(tmp_path: Path) -> None:
    study_file.write(tmp_path / "study.toml", StudySettings(cells="0-2"))
    assert study_file.load(tmp_path / "study.toml") == StudySettings()


@pytest.mark.parametrize("name", READY)
def test_every_cell_of_a_ready_made_study_can_be_made(name: str) -> None:
    settings = study_file.load(name)
    assert settings.name == name
    for cell in dataclasses.replace(settings, seeds=1).grid():
        env, _ = make_pair(cell)
        env.close()


@pytest.mark.parametrize("name", READY)
def test_a_ready_made_study_begins_with_what_it_is_and_names_what_it_takes(name: str) -> None:
    text = (Path(study_file.__file__).parent / "ready" / f"{name}.toml").read_text()
    comment = text.partition("\n\n")[0]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert len(study_file.ready_made()[name]) > 20
    assert re.search(r"^# (Source|Takes): ", comment, re.MULTILINE)
    assert f"teachgym compare {name}" in comment


def test_the_papers_studies_are_the_papers() -> None:
    """Portelas et al. 2019: 100 tests in 20 million steps, one every 200 thousand; on hexagons 400 in 80 million."""
    for name in (name for name in READY if "paper" in name):
        settings = study_file.load(name)
        assert settings.student == "sac"
        assert settings.budget == 200_000 * settings.evaluations
        assert settings.evaluations == (400 if name.startswith("hexagon") else 100)
        assert settings.seeds == 32
        assert [teacher.partition(",")[0] for teacher in settings.teachers] == [
            "random",
            "oracle",
            "riac",
            "covar-gmm",
            "alp-gmm",
        ]
        env = make_environment(next(settings.grid()))
        assert env.teaching_spec.outcome_range == (-150.0, 350.0)
        assert env.teaching_spec.mastered_above == 230.0


def test_pages_name_studies_that_there_are() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = [word for page in pages for word in re.findall(r"teachgym compare ([a-z][\w./-]*)", page.read_text())]
    for word in named:
        assert word.endswith(".toml") or word in READY, unknown_name("study", word, READY)


def test_the_wheel_holds_the_ready_made_studies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "ready/*.toml" in project["tool"]["setuptools"]["package-data"]["teachgym.study"]
