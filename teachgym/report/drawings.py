"""The figures of a report, each with a name, a heading and words for those who can't see it."""

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.figure import Figure

from teachgym.plots.curriculum_figure import curriculum_figure
from teachgym.plots.interval_figure import interval_figure
from teachgym.plots.learning_curves import learning_curve_figure
from teachgym.plots.mastery_figure import Mastery, mastery_figure
from teachgym.plots.profile_figure import profile_figure
from teachgym.study.comparison import Comparison, Stratum
from teachgym.study.stored import Run

MOST_DRAWN = 7
"""More teachers than this are hard to tell apart: then the best by mean are drawn, and the reference."""


@dataclass(frozen=True)
class Drawing:
    """One figure of a report."""

    key: str
    """Its file name, and its id in the page."""
    heading: str
    figure: Figure
    label: str
    """What it shows, in words."""
    note: str
    """How to read it."""
    on_paper: bool = False
    """Whether its colours need a white ground also where the page is dark."""


def drawn_teachers(comparison: Comparison) -> list[str]:
    """Those that figures show, in the order of the tables."""
    names = [row.teacher for row in comparison.rows]
    if len(names) <= MOST_DRAWN:
        return names
    best = sorted(comparison.rows, key=lambda row: -row.mean.mean)
    chosen = {comparison.reference, *(row.teacher for row in best[: MOST_DRAWN - 1])}
    return [name for name in names if name in chosen]


def overall_drawings(comparison: Comparison) -> Iterator[Drawing]:
    """Of all studies together."""
    names = drawn_teachers(comparison)
    rows = {row.teacher: row for row in comparison.rows}
    found = {name: [rows[name].iqm, rows[name].mean, rows[name].median] for name in names}
    yield Drawing(
        "intervals",
        "Final scores",
        interval_figure(
            found,
            ("interquartile mean", "mean", "median"),
            title="Final score with 95 % stratified bootstrap intervals",
            score_name=comparison.score_name,
        ),
        "; ".join(f"{name}: interquartile mean {rows[name].iqm.mean:.{comparison.score_decimals}f}" for name in names),
        "The interquartile mean leaves the best and the worst quarter of the runs out. Bars are 95 % stratified "
        "bootstrap intervals over seeds.",
    )
    yield Drawing(
        "profiles",
        "Performance profiles",
        profile_figure(
            {name: comparison.profiles[name] for name in names},
            title="Performance profiles",
            score_name=comparison.score_name,
        ),
        f"For each of {', '.join(names)} the share of runs whose final score is above each value.",
        "A line that lies above another everywhere is better throughout. Bands are pointwise 95 % bootstrap intervals.",
    )


def study_drawings(stratum: Stratum, names: list[str], unfinished: dict[str, list[Run]], key: str) -> Iterator[Drawing]:
    """Of one study: learning curves, curricula, and what is mastered.

    Args:
        stratum: Its finished runs.
        names: The teachers to draw.
        unfinished: By teacher, runs that are not finished; curves show them as far as they go.
        key: Ends the keys of the figures.
    """
    measures, title = stratum.measures, stratum.title
    runs = {name: [*stratum.runs.get(name, []), *unfinished.get(name, [])] for name in names}
    records = {name: [run.record for run in found] for name, found in runs.items() if found}
    if not records:
        return
    drawn = "Percent of test tasks mastered, and mean" if measures.masters else "Mean"
    yield Drawing(
        f"learning-curves{key}",
        "Learning curves",
        learning_curve_figure(records, title=title, outcome_name=measures.outcome_name, masters=measures.masters),
        f"{drawn} {measures.outcome_name}, against student steps, for each of {', '.join(records)}. The numbers at the "
        "end are in the tables.",
        "Thick lines are means over seeds, bands their 95 % Student-t intervals, thin lines single seeds.",
    )
    yield Drawing(
        f"curriculum{key}",
        "Curricula",
        curriculum_figure(records, measures.record_space, title=title, outcome_range=measures.outcome_range),
        f"Where in {measures.record_space.describe()} the first student of each of {', '.join(records)} was sent, over "
        "time, coloured by outcome.",
        "Each dot is an episode of the teacher's first seed.",
        on_paper=True,
    )
    if not measures.masters:
        return
    finished = {name: [run.record.evaluations[-1] for run in stratum.runs.get(name, [])] for name in names}
    mastery = {name: Mastery.of(tests) for name, tests in finished.items() if tests}
    if mastery:
        shares = [f"{name} {100 * one.share.mean():.0f} %" for name, one in mastery.items()]
        yield Drawing(
            f"mastery{key}",
            "What is mastered",
            mastery_figure(
                mastery,
                measures.test_space,
                title=f"{title}: the test set at the end",
                outcome_name=measures.outcome_name,
                skills=measures.skills,
            ),
            f"For each test task the share of seeds that master it at the end. On average over the tasks: "
            f"{', '.join(shares)}.",
            "The test set is the same for all teachers and seeds.",
            on_paper=True,
        )
