"""Write a report: one page, the figures as PNG and PDF, and the table as CSV and LaTeX."""

from collections.abc import Sequence
from pathlib import Path

from teachgym.base.files import replacing
from teachgym.plots.figure_style import legible, save_figure
from teachgym.report.drawings import (
    MOST_DRAWN,
    Drawing,
    drawn_teachers,
    overall_drawings,
    score_drawing,
    study_drawings,
)
from teachgym.report.page import page
from teachgym.report.tables import main_table, to_csv, to_latex
from teachgym.study.results.comparison import Comparison, compare_studies, merge
from teachgym.study.results.stored import Run, StoredStudy, load_study
from teachgym.study.trust import check_links

PAGE = "report.html"
FIGURES = "figures"


def write_report(folders: Sequence[Path], output: Path | None = None, *, reference: str | None = None) -> Path:
    """Merge studies, and report what they found. Nothing that a folder names is imported, and no pickle is read.

    Args:
        folders: Those of the studies, at least one.
        output: Folder for the report; None takes ``report`` within that of a single study.
        reference: The teacher that the others are tested against; None takes the first.

    Returns:
        The page.

    Raises:
        ValueError: If a folder holds no study, studies can't be merged, there is no output for several, or the report
            would go into a folder with a link that leads out of it.
    """
    if not folders:
        raise ValueError("there are no studies to report; give the folder of one, for instance runs/demo")
    if output is None and len(folders) > 1:
        raise ValueError("a report of several studies needs a place of its own; give --output FOLDER")
    if output is None:
        check_links(folders[0])
    studies = [load_study(folder) for folder in folders]
    comparison = compare_studies(studies, reference=reference)
    place = folders[0] / "report" if output is None else output
    overall = [] if comparison is None else list(overall_drawings(comparison))
    strata = merge(studies)
    every = list(dict.fromkeys(name for study in studies for name in study.runs))
    names = every[:MOST_DRAWN] if comparison is None else drawn_teachers(comparison)
    several = len(strata) > 1
    first = None if several else score_drawing(strata[0], names, _unfinished(studies, strata[0].title))
    by_study: list[tuple[str, list[Drawing]]] = []
    for number, stratum in enumerate(strata):
        key, unfinished = f"-{number}" if several else "", _unfinished(studies, stratum.title)
        found = study_drawings(stratum, names, unfinished, key, score_shown=first is not None)
        by_study.append((stratum.title, list(found)))
    left_out = [] if comparison is None else [row.teacher for row in comparison.ranked if row.teacher not in names]
    text = page(comparison, studies, first, overall, by_study, left_out=left_out)
    drawings = [*overall, *(drawing for _, of_study in by_study for drawing in of_study)]
    for drawing in drawings if first is None else [first, *drawings]:
        for suffix in ("png", "pdf"):
            save_figure(drawing.figure, place / FIGURES / f"{drawing.key}.{suffix}")
    if comparison is not None:
        _write(place / "table.csv", to_csv(comparison))
        _write(place / "table.tex", to_latex(main_table(comparison), caption=_caption(comparison)))
    _write(place / PAGE, text)
    return place / PAGE


def _caption(comparison: Comparison) -> str:
    studies = " and ".join(comparison.studies)
    return f"{studies}. Bold: {comparison.leading}." if comparison.leaders else f"{studies}."


def _unfinished(studies: Sequence[StoredStudy], title: str) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for study in studies:
        for teacher, runs in study.runs.items():
            if study.title == title:
                found.setdefault(teacher, []).extend(run for run in runs if run.result is None)
    return found


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(legible(text).encode())
