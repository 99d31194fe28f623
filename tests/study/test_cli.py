import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from teachgym.cli import main
from teachgym.cli.compare import Compare
from teachgym.plots.film import Clip, side_by_side, write_film
from teachgym.study.cells.cell import run_cell
from teachgym.study.settings import Cell
from teachgym.study.study_file import ready_made
from tests.study import toy_study


def text(captured: str) -> str:
    return " ".join(captured.split())


@pytest.fixture(scope="module")
def walker_cell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cell")
    student = "ppo,slots=2,rollout_steps=64,batch_size=64"
    run_cell(Cell("StumpTracks", "random", student, 0, 256, 1), folder, lambda progress: None)
    return folder


def test_list_names_everything_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines, fits = (part.splitlines() for part in capsys.readouterr().out.split("Which teacher fits which environment"))
    for name in ("teachgym/StumpTracks-v0", "alp-gmm", "random", "oracle", "ppo", "sac", "reference"):
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert len(line.split()) > 4, line
    studies = lines[lines.index("Ready-made studies") + 1 :]
    assert [line.split()[0] for line in studies[: len(ready_made())]] == list(ready_made())
    groups = dict(line.strip().split(": ") for line in fits if ": " in line)
    assert {line.split()[0]: line.split()[1:] for line in fits if line.split()[:1] in (["random"], ["weak-first"])} == {
        "random": ["x"] * len(groups),
        "weak-first": ["+" if "SkillList" in names else "." for names in groups.values()],
    }


def test_compare_prints_a_table_and_says_that_a_small_budget_proves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = f"{toy_study.ENV},mastered_above=-0.001"
    arguments = ["--env", env, "--student", toy_study.QUICK, "--seeds", "2", "--budget", "100"]
    assert main(["compare", *arguments, "--evaluations", "2", "--runs", str(tmp_path), "--name", "s"]) == 0
    printed = text(capsys.readouterr().out)
    assert "4/4" in printed
    assert "test return" in printed
    assert "note: No student mastered any test task" in printed
    assert "against random" in printed
    assert "100 steps are too few" in printed
    assert "teachgym compare --env" in printed
    assert "--budget 20000000" in printed
    assert str(tmp_path / "s" / "report" / "report.html") in printed


def test_options_override_the_settings_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text('teachers = ["oracle", "riac"]\nseeds = 2\nname = "mine"\n')
    monkeypatch.setattr("teachgym.study.dry_run._timed", lambda cells, workers: {cell.teacher: 1.0 for cell in cells})
    assert main(["compare", "mine.toml", "--dry-run"]) == 0
    assert re.search(r"3  riac seed 1\s4 cells to run in runs/mine, each with 20,000", capsys.readouterr().out)
    assert main(["compare", "mine.toml", "--seeds", "1", "--name", "try", "--teachers", "tscl", "--dry-run"]) == 0
    assert re.search(r"0  tscl seed 0\s1 cells to run in runs/try", capsys.readouterr().out)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


def test_help_shows_the_settings_of_a_study_as_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    for study, seeds, teachers in (
        ([], 3, "random alp-gmm"),
        (["stump-tracks-night"], 10, "random oracle riac covar-gmm"),
    ):
        with pytest.raises(SystemExit, match="0"):
            main(["compare", *study, "--help"])
        shown = text(capsys.readouterr().out.replace("│", " "))
        assert f"Students per teacher. (default: {seeds})" in shown
        assert f"(default: {teachers}" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "--budget", "0"], "budget is 0; expected a whole number, at least 1"),
        (["compare", "--teachers", "alpgmm"], "did you mean 'alp-gmm'"),
        (["compare", "--resume", "--overwrite"], "contradict"),
        (["compare", "--seeds", "2", "hypercubes"], "the study comes before the options: teachgym compare hypercubes"),
        (["compare", "hypercube"], "unknown study 'hypercube'; did you mean 'hypercubes'?"),
        (["compare", "no-such.toml"], "there is no file no-such.toml"),
        (["compare", "hypercubes", "--seeds", "0"], "seeds is 0; expected a whole number, at least 1"),
        (["compare", "--cells", "3,x"], "cells is '3,x'; expected numbers and ranges of them"),
        (["compare", "--dry-run", "--cells", "0-6"], "the grid has 6 cells, numbered 0 to 5"),
        (["evaluate", "no/such/folder"], "has no cell.json"),
        (["watch", "no/such/folder"], "has no cell.json"),
    ],
)
def test_bad_arguments_give_one_clear_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if arguments[0] == "compare":
        arguments = [*arguments, "--runs", str(tmp_path)]
    try:
        status: object = main(arguments)
    except SystemExit as exit_:
        status = exit_.code
    captured = capsys.readouterr()
    assert status == 2
    assert message in text(captured.err + captured.out)


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["comparre"])
    assert "compare" in capsys.readouterr().err


def test_evaluate_scores_each_track_of_the_test_set(walker_cell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(walker_cell)]) == 0
    printed = capsys.readouterr().out
    assert "0.31" in printed
    assert "3.86" in printed
    assert "of 50 tasks (return above 230), mean return" in text(printed)


def test_evaluate_takes_tasks_from_a_file_and_names_a_bad_line(
    walker_cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = tmp_path / "tasks.csv"
    tasks.write_text("stump_height,stump_spacing\n0.5,3\n\n1,6\n")
    assert main(["evaluate", str(walker_cell), "--tasks", str(tasks)]) == 0
    assert "of 2 tasks" in text(capsys.readouterr().out)
    tasks.write_text("0.5,3\n9,3\n")
    assert main(["evaluate", str(walker_cell), "--tasks", str(tasks)]) == 2
    assert "line 2: task parameter 'stump_height' is 9.0" in text(capsys.readouterr().err)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # imageio leaves a pipe open
@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_watch_films_the_chosen_tracks(
    walker_cell: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / f"film{suffix}"
    arguments = ["--task", "0.5", "3", "--task", "2", "1", "--max-steps", "20", "--output", str(film)]
    assert main(["watch", str(walker_cell), *arguments]) == 0
    printed = text(capsys.readouterr().out)
    assert "stump_height 0.50, stump_spacing 3.00: return" in printed
    assert "stump_height 2.00, stump_spacing 1.00: return" in printed
    if suffix == ".gif":
        with Image.open(film) as pictures:
            assert pictures.size == (600, 432)
            assert pictures.n_frames == 22  # type: ignore[attr-defined]  # 2 clips, of the start and every second step
    else:
        imageio = pytest.importorskip("imageio.v3")
        with imageio.imopen(film, "r") as file:
            frames = list(file.iter())
        assert (len(frames), frames[0].shape) == (42, (432, 600, 3))


def test_two_students_are_filmed_side_by_side_on_the_same_tracks(
    walker_cell: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "film.gif"
    arguments = ["--max-steps", "4", "--output", str(film)]
    assert main(["watch", str(walker_cell), str(walker_cell), *arguments]) == 0
    printed = text(capsys.readouterr().out)
    tasks = re.findall(r"stump_height ([\d.]+), stump_spacing ([\d.]+): return", printed)
    assert len(tasks) == 8
    assert tasks[:4] == tasks[4:]
    heights = [float(height) for height, _ in tasks[:4]]
    assert heights[0] < heights[-1], "from easy to hard"
    with Image.open(film) as pictures:
        assert pictures.size == (880, 320)
        left, right = (np.asarray(pictures.convert("RGB").crop((x, 30, x + 430, 290))) for x in (0, 440))
    assert np.array_equal(left, right), "the same student in the same world"


def test_the_example_is_two_students_that_walk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "film.gif"
    assert main(["watch", "--example", "--task", "0", "6", "--max-steps", "2000", "--output", str(film)]) == 0
    printed = text(capsys.readouterr().out)
    assert re.findall(r"(\S+), seed \d+", printed) == ["random", "alp-gmm"]
    outcomes = [float(outcome) for outcome in re.findall(r"return ([-\d.]+)", printed)]
    assert len(outcomes) == 2
    assert min(outcomes) > 230, "on flat ground, both reach the end"
    assert film.stat().st_size > 100_000


@pytest.mark.parametrize(("arguments", "given"), [(["runs/x", "--example"], "both"), ([], "neither")])
def test_watch_takes_cells_or_the_example(arguments: list[str], given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", *arguments]) == 2
    assert f"got {given}" in text(capsys.readouterr().err)


def test_clips_of_different_lengths_wait_for_each_other() -> None:
    picture = np.full((40, 60, 3), 90, dtype=np.uint8)
    long = Clip(np.zeros(2), [picture] * 5, [0.0, 1.0, 2.0, 3.0, 4.0], over=False)
    short = Clip(np.zeros(2), [picture] * 2, [0.0, -9.0], over=True)
    frames = side_by_side({"a": [long], "b": [short]}, lambda task: "flat")
    assert len(frames) == 5
    assert all(frame.shape == frames[0].shape for frame in frames)
    width = frames[0].shape[1] // 2
    assert np.array_equal(frames[1][:, width:], frames[4][:, width:]), "the ended one stays as it ended"
    assert not np.array_equal(frames[1][:, :width], frames[4][:, :width])


def test_a_film_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected .gif or .mp4"):
        write_film(tmp_path / "film.avi", [np.zeros((4, 4, 3), dtype=np.uint8)])


def test_watch_looks_at_all_cells_and_the_output_before_it_films(
    walker_cell: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("teachgym.plots.film.film", lambda *given, **settings: pytest.fail("something was filmed"))
    there = tmp_path / "cells" / "alp-gmm_fit_every=50-seed-0"
    there.mkdir(parents=True)
    (there / "cell.json").write_text("{}")
    assert main(["watch", str(walker_cell), str(tmp_path / "cells" / "alp-gmm-seed-0")]) == 2
    assert f"the cells in {there.parent} are {there.name}" in text(capsys.readouterr().err)
    assert main(["watch", str(walker_cell), "--output", "film.avi"]) == 2
    assert "expected .gif or .mp4" in text(capsys.readouterr().err)


def test_mp4_without_imageio_names_the_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio.v3", None)
    with pytest.raises(ImportError, match=r"pip install 'teachgym\[video\]'"):
        write_film(tmp_path / "film.mp4", [np.zeros((4, 4, 3), dtype=np.uint8)])


def test_progress_moves_in_a_terminal(tmp_path: Path) -> None:
    console = Console(force_terminal=True, width=160, record=True)
    command = Compare(
        env=toy_study.ENV, student=toy_study.SLOW, seeds=1, budget=200, evaluations=2, runs=tmp_path, workers=1
    )
    assert command.run(console) == 0
    printed = console.export_text()
    assert re.search(r"random seed 0 +running .* [\d,]+ steps/s \d+ s left", printed), printed
    assert re.search(r"\d of 2 cells  [\d,]+ steps/s  \d+ s so far, about \d+ s left", printed), printed
