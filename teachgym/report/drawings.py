"""The figures of a report, each with a name, a heading and words for those who can't see it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from matplotlib.figure import Figure

from teachgym.core.evaluation import ScoredBy
from teachgym.core.record import Record
from teachgym.plots.curriculum_figure import curriculum_figure
from teachgym.plots.interval_figure import interval_figure
from teachgym.plots.learning_curves import learning_curve_figure
from teachgym.plots.mastery_figure import Mastery, mastery_figure
from teachgym.plots.profile_figure import profile_figure
from teachgym.plots.score_figure import score_figure
from teachgym.study.results.comparison import Comparison, Stratum
from teachgym.study.results.stored import Run

FINAL_SCORES = "final-scores"
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
    """Those that figures show, the best first."""
    names = [row.teacher for row in comparison.ranked]
    if len(names) <= MOST_DRAWN:
        return names
    chosen = {comparison.reference, *names[: MOST_DRAWN - 1]}
    return [name for name in names if name in chosen]


def overall_drawings(comparison: Comparison) -> Iterator[Drawing]:
    """Of all studies together; where seeds are too few for intervals, they are shown one by one."""
    names = drawn_teachers(comparison)
    yield _seed_by_seed(comparison, names) if comparison.few_seeds else _intervals(comparison, names)
    if len({score for name in names for score in comparison.scores[name]}) == 1:
        return
    bands = " Bands are pointwise 95 % bootstrap intervals."
    yield Drawing(
        "profiles",
        "Performance profiles",
        profile_figure(
            {name: comparison.profiles[name] for name in names},
            score_name=comparison.score_name,
            intervals=not comparison.few_seeds,
        ),
        f"For each of {', '.join(names)}, the share of runs whose final score is above each value.",
        "A line that lies above another everywhere is better throughout." + ("" if comparison.few_seeds else bands),
    )


def _seed_by_seed(comparison: Comparison, names: list[str]) -> Drawing:
    scores, decimals = {name: comparison.scores[name] for name in names}, comparison.score_decimals
    return Drawing(
        FINAL_SCORES,
        "Final scores",
        score_figure(scores, score_name=comparison.score_name),
        "; ".join(f"{name}: {', '.join(f'{one:.{decimals}f}' for one in found)}" for name, found in scores.items()),
        "Each point is one seed's student; a stroke is the teacher's mean. There are too few seeds for bootstrap "
        "intervals.",
    )


def _intervals(comparison: Comparison, names: list[str]) -> Drawing:
    rows = {row.teacher: row for row in comparison.rows}
    found = {
        name: {"interquartile mean": rows[name].iqm, "mean": rows[name].mean, "median": rows[name].median}
        for name in names
    }
    return Drawing(
        FINAL_SCORES,
        "Final scores",
        interval_figure(found, score_name=comparison.score_name),
        "; ".join(f"{name}: interquartile mean {rows[name].iqm.mean:.{comparison.score_decimals}f}" for name in names),
        "The interquartile mean leaves out the best and the worst quarter of the runs. Bars are 95 % stratified "
        "bootstrap intervals over seeds.",
    )


def score_drawing(stratum: Stratum, names: list[str], unfinished: dict[str, list[Run]]) -> Drawing | None:
    """The learning curve of the score, to stand beside what was found; None if there is no run.

    Args:
        stratum: The finished runs of a study.
        names: The teachers to draw.
        unfinished: By teacher, runs that are not finished; curves show them as far as they go.
    """
    records = _records(stratum, names, unfinished)
    untitled = replace(stratum, title="")  # it stands below the page's
    return _curves("score-curve", untitled, records, (stratum.measures.scored_by,)) if records else None


def study_drawings(
    stratum: Stratum, names: list[str], unfinished: dict[str, list[Run]], key: str, *, score_shown: bool
) -> Iterator[Drawing]:
    """Of one study: learning curves, curricula, and what is mastered.

    Args:
        stratum: Its finished runs.
        names: The teachers to draw.
        unfinished: By teacher, runs that are not finished; curves show them as far as they go.
        key: Ends the keys of the figures.
        score_shown: Whether the learning curve of the score is shown already.
    """
    measures, title = stratum.measures, stratum.title
    records = _records(stratum, names, unfinished)
    if not records:
        return
    shows: tuple[ScoredBy, ...] = ("mastered", "mean_return") if measures.masters else ("mean_return",)
    if not score_shown or shows != (measures.scored_by,):
        yield _curves(f"learning-curves{key}", stratum, records, shows)
    yield Drawing(
        f"curriculum{key}",
        "Curricula",
        curriculum_figure(records, measures.record_space, title=title),
        f"Which tasks in {measures.record_space.describe()} the first student of each of {', '.join(records)} was "
        "given over time, coloured by outcome.",
        "Each dot is an episode of the teacher's first seed; the colour scale spans the middle 95 % of the outcomes.",
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
            f"For each test task, the share of seeds that master it at the end. On average over the tasks: "
            f"{', '.join(shares)}.",
            "The test set is the same for all teachers and seeds; the colour scale spans the values shown.",
            on_paper=True,
        )


def _records(stratum: Stratum, names: list[str], unfinished: dict[str, list[Run]]) -> dict[str, list[Record]]:
    runs = {name: [*stratum.runs.get(name, []), *unfinished.get(name, [])] for name in names}
    return {name: [run.record for run in found] for name, found in runs.items() if found}


def _curves(key: str, stratum: Stratum, records: dict[str, list[Record]], shows: tuple[ScoredBy, ...]) -> Drawing:
    outcome = stratum.measures.outcome_name
    drawn = {"mastered": "percent of test tasks mastered", "mean_return": f"mean {outcome}"}
    return Drawing(
        key,
        "Learning curves",
        learning_curve_figure(records, title=stratum.title, outcome_name=outcome, shows=shows),
        f"{' and '.join(drawn[one] for one in shows).capitalize()} in the test, against student steps, for each of "
        f"{', '.join(records)}. The numbers at the end are in the tables.",
        "Lines start at the untrained student if the study tested it.",
    )
