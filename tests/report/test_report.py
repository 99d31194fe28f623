"""The page, figures and tables of studies made by hand."""

import csv
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from teachgym.base.checksums import write_checked
from teachgym.core.evaluation import Evaluation
from teachgym.core.task_space import Parameter, TaskSpace
from teachgym.plots.figure_style import FONT_SIZE
from teachgym.report.drawings import overall_drawings
from teachgym.report.findings import finding, headline
from teachgym.report.tables import main_table, to_csv, to_latex
from teachgym.report.write import write_report
from teachgym.study.results.comparison import compare_studies
from teachgym.study.results.measures import Measures
from teachgym.study.results.stored import load_study
from teachgym.study.results.summary import summary_table
from tests.report.stored_cells import MEASURES, two_teachers, write_study
from tests.study.results.test_comparison import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Checked(HTMLParser):
    """A parser that minds what browsers forgive."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open[-1:]:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("runs") / "study", two_teachers())
    write_report([folder])
    return folder


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / "report" / "report.html").read_text()


def test_the_page_says_what_was_found_and_marks_it(text: str) -> None:
    page = Checked(text)
    assert page.words.index("alp-gmm has the best mean % mastered: 74.0 (5 seeds).") < page.words.index("Before you")
    assert "alp-gmm is significantly better than every other teacher: random (8.0, 5 seeds, p < 0.001)" in page.words
    assert re.findall(r'<tr class="lead"><th scope="row">([^<]+)', text) == ["alp-gmm"] * 4
    assert "74.0 [59.8, 88.2]" in page.words
    assert "p against random < 0.001" in page.words or "< 0.001" in page.words
    assert "Bootstrap intervals over 5 seeds are too narrow" in page.words
    assert "teachgym compare --env StumpTracks" in page.words


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(text: str) -> None:
    page = Checked(text)
    assert len(page.ids) == len(set(page.ids))
    for tag, name, value in page.attributes:
        if name in ("src", "href", "xlink:href", "action", "data"):
            assert value.startswith(("#", "data:image/png")), (tag, name, value[:50])
            if value.startswith("#"):
                assert value[1:] in page.ids, value
        assert not name.startswith("on"), f"{tag} has a handler"
    assert "<script" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert len(text) < 1_500_000


def test_figures_are_named_for_those_who_do_not_see_them(text: str) -> None:
    drawings = re.findall(r'<svg [^>]*role="img" aria-label="([^"]+)"', text)
    assert len(drawings) == 6
    assert all(len(label) > 40 for label in drawings)
    headings = re.findall(r"<h([123])", text)
    assert headings[0] == "1"
    assert headings.count("1") == 1
    assert all(int(after) - int(before) <= 1 for before, after in pairwise(headings))
    assert 'lang="en"' in text


def test_figures_and_tables_lie_beside_it(folder: Path) -> None:
    names = {path.name for path in (folder / "report" / "figures").iterdir()}
    kinds = ("score-curve", "final-scores", "profiles", "learning-curves", "curriculum", "mastery")
    assert names == {f"{kind}.{suffix}" for kind in kinds for suffix in ("png", "pdf")}
    for path in (folder / "report" / "figures").iterdir():
        assert path.read_bytes()[:4] == (b"%PDF" if path.suffix == ".pdf" else b"\x89PNG")
    rows = list(csv.DictReader((folder / "report" / "table.csv").read_text().splitlines()))
    assert [row["teacher"] for row in rows] == ["alp-gmm", "random"], "the best first"
    found = compare_studies([load_study(folder)])
    assert found is not None
    assert float(rows[0]["iqm_low"]) == found.rows[1].iqm.low
    assert float(rows[0]["difference_low"]) == found.rows[1].difference.low
    assert rows[1]["p_value"] == ""
    assert rows[0]["seeds"] == "5"


def test_the_same_study_gives_the_same_page(folder: Path, text: str, tmp_path: Path) -> None:
    assert write_report([folder], tmp_path / "again").read_text() == text


def test_latex_is_balanced_and_escaped(folder: Path) -> None:
    found = compare_studies([load_study(folder)])
    assert found is not None
    rows = tuple(replace(row, teacher=f"{row.teacher}_&%$#{{}}~^\\") for row in found.rows)
    latex = to_latex(main_table(replace(found, rows=rows)), caption="50 % of a_b")
    assert latex.count(r"\begin{") == latex.count(r"\end{") == 2
    assert r"alp-gmm\_\&\%\$\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}" in latex
    assert r"50 \% of a\_b" in latex
    columns = len(re.findall("[lr]", re.findall(r"tabular}{([lr]+)}", latex)[0]))
    bare = re.sub(r"\\&", "", latex)
    lines = [line for line in bare.splitlines() if line.endswith(r"\\")]
    assert len(lines) == 3
    assert all(line.count("&") == columns - 1 for line in lines)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    runs = [replace(one, cell=replace(one.cell, teacher=f"{one.cell.teacher},note={evil}")) for one in two_teachers()]
    folder = write_study(tmp_path / "study", runs, title=f"Title {evil}")
    text = write_report([folder]).read_text()
    page = Checked(text)
    assert "<script" not in text
    assert not any(name == "onerror" for _, name, _ in page.attributes)
    assert "alert(1)" in page.words


def test_a_failed_cell_is_listed_with_its_reason(tmp_path: Path) -> None:
    runs = [*two_teachers(), run("alp-gmm", 5, [3], finished=False)]
    text = write_report([write_study(tmp_path / "study", runs)]).read_text()
    words = Checked(text).words
    assert "MemoryError: <b>no room</b>" in words
    assert "<b>no room" not in text
    assert "1 cell is not finished (1 failed): alp-gmm seed 5" in words


def test_a_study_without_a_finished_cell_has_a_page(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", [run("random", 0, [3], finished=False)])
    words = Checked(write_report([folder]).read_text()).words
    assert "No cell is finished" in words
    assert "Learning curves" in words
    assert not (folder / "report" / "table.csv").exists()


def test_one_seed_claims_nothing(tmp_path: Path) -> None:
    runs = [run("random", 0, [1]), run("alp-gmm", 0, [9])]
    words = Checked(write_report([write_study(tmp_path / "study", runs)]).read_text()).words
    assert "That is 80.0 above the reference, random (without an interval or a test)." in words
    assert "no teacher differs significantly" in words
    assert "A teacher with one seed has no interval and no test" in words


def test_studies_are_merged(tmp_path: Path) -> None:
    first = write_study(tmp_path / "a", two_teachers())
    second = write_study(tmp_path / "b", two_teachers("random", "riac"), title="HexagonTracks")
    with pytest.raises(ValueError, match="give --output"):
        write_report([first, second])
    path = write_report([first, second], tmp_path / "both")
    page = Checked(path.read_text())
    assert {"learning-curves-0", "learning-curves-1"} <= set(page.ids)
    assert "StumpTracks and HexagonTracks" in page.words
    rows = list(csv.DictReader((tmp_path / "both" / "table.csv").read_text().splitlines()))
    assert [(row["teacher"], row["seeds"]) for row in rows] == [("alp-gmm", "5"), ("riac", "5"), ("random", "10")]


def test_many_teachers_are_in_tables_and_the_best_in_figures(tmp_path: Path) -> None:
    runs = [run(f"constant,value={k}", seed, [k]) for k in range(9) for seed in range(2)]
    words = Checked(write_report([write_study(tmp_path / "study", runs)]).read_text()).words
    assert "2 more are only in the tables: constant,value=2, constant,value=1" in words


@pytest.mark.parametrize("kind", ["skills", "twelve"])
def test_other_test_sets(kind: str, tmp_path: Path) -> None:
    if kind == "skills":
        space = TaskSpace([Parameter("skill", 0.0, 9.0)])
        skills = tuple(f"skill {letter}" for letter in "abcdefghij")
        changes: dict[str, Any] = {"scored_by": "mean_return", "outcome_name": "accuracy", "outcome_range": (0.0, 1.0)}
        measures = Measures(**{**vars(MEASURES), **changes, "test_space": space, "skills": skills})
        tasks = np.arange(10.0)[:, None]
    else:
        space = TaskSpace([Parameter(f"offset_{k}", -1.0, 1.0) for k in range(12)])
        measures = replace(MEASURES, test_space=space)
        tasks = space.uniform(np.random.default_rng(0), 10)
    runs = two_teachers()
    for one in runs:
        tests = one.record.evaluations
        scale = 1 / 300 if kind == "skills" else 1.0
        one.record.evaluations = [
            Evaluation(tasks, test.returns * scale, test.lengths, test.mastered_above * scale, test.spent)
            for test in tests
        ]
    words = Checked(write_report([write_study(tmp_path / "s", runs, measures=measures)]).read_text()).words
    if kind == "skills":
        assert "skill a" in words
        assert "alp-gmm has the best mean test accuracy: 0.740 (5 seeds)." in words
    else:
        assert "10 test tasks, from those that most master" in words


def test_the_finding_of_leaders_that_are_not_told_apart(tmp_path: Path) -> None:
    runs = [*two_teachers(), *(run("oracle", seed, [end]) for seed, end in enumerate([7, 8, 8, 9, 8]))]
    found = compare_studies([load_study(write_study(tmp_path / "study", runs))])
    assert found is not None
    assert headline(found).startswith("oracle has the best mean % mastered: 80.0 (5 seeds).")
    said = finding(found)
    assert said.startswith("Significantly worse than oracle: random (8.0, 5 seeds, p < 0.001).")
    assert "Not significantly worse: alp-gmm (74.0, 5 seeds, p = 0." in said


def test_the_finding_names_the_best_and_agrees_with_the_tests_whatever_the_order(tmp_path: Path) -> None:
    """The middle one is neither significantly worse than the best nor better than the last."""
    ends = {"random": [0, 0, 0, 0], "alp-gmm": [0, 2, 5, 9], "plr": [9, 9, 9, 8]}
    for order in permutations(ends):
        runs = [run(name, seed, [end]) for name in order for seed, end in enumerate(ends[name])]
        folder = write_study(tmp_path / "-".join(order), runs)
        found = compare_studies([load_study(folder)])
        assert found is not None
        p_values = {frozenset((pair.first, pair.second)): pair.p_corrected for pair in found.pairs}
        assert p_values[frozenset(("random", "plr"))] < 0.05
        assert p_values[frozenset(("random", "alp-gmm"))] > 0.05
        assert p_values[frozenset(("alp-gmm", "plr"))] > 0.05
        assert found.leaders == ("plr", "alp-gmm")
        assert headline(found).startswith("plr")
        said = finding(found)
        assert said.startswith("Significantly worse than plr: random")
        assert "Not significantly worse: alp-gmm (40.0, 4 seeds, p = 0." in said
        assert "Welch's tests against plr, corrected by Holm over all pairs; level 0.05." in said
        assert "plr, which has the best mean, and those not significantly worse" in to_latex(
            main_table(found), caption=found.leading
        )
        shown = StringIO()
        Console(width=200, file=shown).print(summary_table(found, title=""))
        assert "*: plr, which has the best mean" in " ".join(shown.getvalue().split())
        leads = {row["teacher"]: row["leads"] for row in csv.DictReader(to_csv(found).splitlines())}
        assert leads == {"random": "False", "alp-gmm": "True", "plr": "True"}


def test_where_nobody_masters_anything_the_mean_return_is_shown_instead(tmp_path: Path) -> None:
    runs = [run(name, seed, [0, 0], spread=0.0) for name in ("random", "plr") for seed in range(3)]
    for one in runs:
        better = 20.0 * (one.cell.teacher == "plr") + one.cell.seed - 60.0
        one.record.evaluations = [replace(test, returns=test.returns + better) for test in one.record.evaluations]
    folder = write_study(tmp_path / "study", runs)
    page = Checked(write_report([folder]).read_text())
    assert "plr has the best mean test return: -39.0 (3 seeds). That is 20.0 above the reference, random" in page.words
    assert "No student mastered any test task of StumpTracks, so the score there is the mean outcome." in page.words
    for word in ("% mastered", "steps to", "Steps:", "What is mastered"):
        assert word not in page.words
    figures = {path.stem for path in (folder / "report" / "figures").iterdir()}
    assert figures == {"score-curve", "final-scores", "profiles", "curriculum"}


def test_a_best_reference_is_set_against_the_second_best(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", two_teachers())
    found = compare_studies([load_study(folder)], reference="alp-gmm")
    against = compare_studies([load_study(folder)])
    assert found is not None
    assert against is not None
    gap = against.rows[1].difference
    assert headline(found) == (
        "alp-gmm, the reference, has the best mean % mastered: 74.0 (5 seeds). That is 66.0 above the second, random "
        f"(95 % interval {gap.low:.1f} to {gap.high:.1f}, p < 0.001)."
    )
    assert gap.low < 66.0 < gap.high


def test_one_teacher_has_nobody_to_be_compared_with(tmp_path: Path) -> None:
    runs = [run("random", seed, [end]) for seed, end in enumerate([3, 5])]
    found = compare_studies([load_study(write_study(tmp_path / "study", runs))])
    assert found is not None
    assert headline(found) == "random is the only teacher with finished cells, with a mean % mastered: 40.0 (2 seeds)."
    assert finding(found) == ""


def test_the_learning_curve_stands_beside_the_answer(text: str) -> None:
    first = text[text.index('<div class="first">') : text.index('id="notes"')]
    assert "has the best mean" in first
    assert first.count("<svg") == 1
    assert 'id="score-curve-' in first


def test_text_in_figures_is_as_large_as_that_of_the_page(text: str) -> None:
    drawings = re.findall(r'<svg [^>]*viewBox="0 0 ([0-9.]+) [0-9.]+" style="width: ([0-9.]+)rem"', text)
    assert len(drawings) == 6
    for units, width in drawings:
        assert float(units) / FONT_SIZE == pytest.approx(float(width), abs=0.01)
    assert {float(size) for size in re.findall(r"font(?:-size)?: [^;\"]*?([0-9.]+)px", text)} == {FONT_SIZE}


@pytest.mark.parametrize(("seeds", "few"), [(9, True), (10, False)])
def test_seeds_that_are_too_few_for_intervals_are_shown_one_by_one(seeds: int, few: bool, tmp_path: Path) -> None:
    ends = np.random.default_rng(0).integers(1, 10, size=(2, seeds)).tolist()
    names = ("random", "alp-gmm")
    runs = [run(name, seed, [end]) for name, of in zip(names, ends, strict=True) for seed, end in enumerate(of)]
    folder = write_study(tmp_path / "study", runs)
    found = compare_studies([load_study(folder)])
    assert found is not None
    assert any("too narrow" in caution for caution in found.cautions) == few
    final, profiles = overall_drawings(found)
    assert len(final.figure.axes) == (1 if few else 3)
    assert bool(profiles.figure.axes[0].collections) != few, "bands are intervals, too"
    if few:
        points = [line.get_xdata() for line in final.figure.axes[0].get_lines() if line.get_marker() == "o"]
        shown = {tuple(np.asarray(one).tolist()) for one in points}
        assert shown == {tuple(10.0 * end for end in of) for of in ends}


MARKUP = "$\\frac{ [/red] <b>"
"""What would be markup for matplotlib, the terminal or the browser."""
HOSTILE = "$\\frac{ \udcff [/red] <b>"
"""The same with what no encoding has."""


def test_no_name_ends_a_report(tmp_path: Path) -> None:
    space = TaskSpace([Parameter(f"a{MARKUP}", 0.0, 3.0, f"b{MARKUP}"), Parameter("spacing", 0.0, 6.0)])
    measures = replace(MEASURES, record_space=space, test_space=space, outcome_name=f"return {HOSTILE}")
    runs = two_teachers(second="manual,note=$\\frac{")
    folder = write_study(tmp_path / "study", runs, title=f"Study {HOSTILE}", measures=measures)
    text = write_report([folder]).read_text()
    words = Checked(text).words
    assert "Study $\\frac{ \N{REPLACEMENT CHARACTER} [/red] <b>" in words
    assert "manual,note=$\\frac{" in words
    found = compare_studies([load_study(folder)])
    assert found is not None
    shown = StringIO()
    Console(width=200, file=shown).print(summary_table(found, title="[/red] $"))
    assert "[/red] $" in shown.getvalue()
    assert "manual,note=$\\frac{" in shown.getvalue()


def test_what_is_no_study_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no study"):
        write_report([tmp_path])
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(ValueError, match="it was written by another version"):
        write_report([tmp_path])
    write_checked(tmp_path / "study.json", {})
    with pytest.raises(ValueError, match="not describe a study of this version"):
        write_report([tmp_path])
    with pytest.raises(ValueError, match="no studies"):
        write_report([])


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_without_a_complaint(folder: Path, scheme: str, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    path = folder / "report" / "report.html"
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--enable-logging=stderr", "--v=0", f"--user-data-dir={tmp_path}/profile", "--window-size=1100,3000"]
    command += [f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"]
    shot = tmp_path / "shot.png"
    done = subprocess.run(
        [*command, f"--screenshot={shot}", path.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert complaints == []
    with Image.open(shot) as picture:
        pixels = np.asarray(picture.convert("L"), dtype=np.float64)
    assert pixels.shape == (3000, 1100)
    assert (np.median(pixels) > 200) if scheme == "light" else (np.median(pixels) < 50)
    inked = np.abs(pixels - np.median(pixels)) > 60
    for top in range(0, 2800, 400):
        assert inked[top : top + 400].any(), f"nothing is drawn from {top} on"
