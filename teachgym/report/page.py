"""A report's page: one HTML file without anything from outside."""

import json
import math
from collections.abc import Sequence
from html import escape

from teachgym import __version__
from teachgym.report.drawings import Drawing
from teachgym.report.inline_svg import inline_svg
from teachgym.report.page_style import CSS
from teachgym.report.tables import TextTable, cost_table, improvement_table, main_table, more_table
from teachgym.study.comparison import LEVEL, Comparison, p_between
from teachgym.study.stored import StoredStudy
from teachgym.study.summary import p_text

_SAFE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What the page may load: nothing but what is in it. It has no scripts."""


def page(
    comparison: Comparison | None,
    studies: Sequence[StoredStudy],
    overall: Sequence[Drawing],
    by_study: Sequence[tuple[str, Sequence[Drawing]]],
    *,
    left_out: Sequence[str],
) -> str:
    """The whole page.

    Args:
        comparison: What was found; None if no cell is finished.
        studies: What was read.
        overall: Figures of all studies together.
        by_study: The title of each study, with its figures.
        left_out: Teachers that the figures leave out.
    """
    title = " and ".join(dict.fromkeys(study.title for study in studies))
    parts = [f"<h1>{escape(title)}</h1>", _navigation(comparison is not None)]
    if comparison is None:
        parts.append('<p class="finding">No cell is finished, so there is nothing to compare yet.</p>')
    else:
        parts += [
            f'<p class="finding">{escape(finding(comparison))}</p>',
            _cautions(comparison.cautions),
            '<h2 id="results">Results</h2>',
            _table(main_table(comparison), _main_caption(comparison)),
            _table(more_table(comparison), _more_caption(comparison)),
        ]
        if left_out:
            parts.append(
                f"<p>The figures show the best teachers and the reference; {len(left_out)} more are in the tables "
                f"only: {escape(', '.join(left_out))}.</p>"
            )
        parts += [_drawing(drawing) for drawing in overall]
        if comparison.pairs:
            parts.append('<h3 id="improvement">Probability of improvement</h3>')
            parts.append(
                _table(
                    improvement_table(comparison),
                    "Probability that a run of the row's teacher has a better final score than one of the column's, "
                    "ties counted half, with 95 % stratified bootstrap intervals. 0.5 is no difference.",
                )
            )
    for number, (name, drawings) in enumerate(by_study):
        parts.append(f'<h2 id="study-{number}">{escape(name)}</h2>')
        parts += [_drawing(drawing) for drawing in drawings]
    if comparison is not None:
        parts += ['<h2 id="cost">Cost</h2>', _table(cost_table(comparison), "Shares are of the time without tests.")]
    parts += [_missing(studies), _reproduce(studies)]
    return _document(title, "\n".join(part for part in parts if part))


def finding(comparison: Comparison) -> str:
    """What is significant, by which test, the best first."""
    rows = {row.teacher: row for row in comparison.rows}
    if len(rows) == 1:
        return f"Only {comparison.rows[0].teacher} has finished cells: there is nothing to compare it with."
    best = f"{comparison.best} ({_score(comparison, comparison.best)})"
    others = [name for name in rows if name != comparison.best]
    if not comparison.leaders:
        return (
            f"No teacher differs significantly from {best}, which has the best mean {comparison.score_name} "
            f"(Welch's tests, corrected by Holm over all pairs, level {LEVEL:g}). That is not evidence that they are "
            "equal: see the notes."
        )
    tests = (
        f"The p values are of Welch's tests against {comparison.best}, corrected by Holm over all pairs; the level is "
        f"{LEVEL:g}."
    )
    worse = [_tested(comparison, name) for name in others if name not in comparison.leaders]
    if len(comparison.leaders) == 1:
        return (
            f"{best} is significantly better than every other teacher in {comparison.score_name}: {_listed(worse)}. "
            f"{tests}"
        )
    near = [_tested(comparison, name) for name in comparison.leaders if name != comparison.best]
    return (
        f"{best} has the best mean {comparison.score_name}. Significantly worse than {comparison.best}: "
        f"{_listed(worse)}. Not significantly worse: {_listed(near)}. {tests}"
    )


def _score(comparison: Comparison, name: str) -> str:
    row = next(row for row in comparison.rows if row.teacher == name)
    return f"{row.mean.mean:.{comparison.score_decimals}f}, {row.seeds} seed{'s' if row.seeds > 1 else ''}"


def _tested(comparison: Comparison, name: str) -> str:
    p_value = p_between(comparison.pairs, name, comparison.best)
    shown = p_text(p_value)
    tested = "not tested" if math.isnan(p_value) else f"p {shown}" if shown.startswith("<") else f"p = {shown}"
    return f"{name} ({_score(comparison, name)}, {tested})"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _main_caption(comparison: Comparison) -> str:
    marked = (
        f"Highlighted: {comparison.leading}. "
        if comparison.leaders
        else f"None is highlighted, as none is significantly worse than {comparison.best}, which has the best mean. "
    )
    return (
        f"{marked}IQM: interquartile mean, with a 95 % stratified bootstrap interval; the others are means with 95 % "
        f"Student-t intervals. p: Welch's test of {comparison.score_name} against {comparison.reference}, corrected by "
        "Holm over these tests alone."
    )


def _more_caption(comparison: Comparison) -> str:
    steps = (
        "Steps: the median over all runs, and how many reached the threshold. "
        if math.isfinite(comparison.rows[0].reached.threshold)
        else ""
    )
    return (
        f"Of {comparison.score_name}, but for the worst fifth. Mean and median have bootstrap intervals, the others "
        f"Student-t intervals. Area: the mean height of the learning curve over the budget. {steps}Worst fifth: the "
        "mean over the fifth of the test tasks that went worst. Forgetting: best minus last test."
    )


def _navigation(compared: bool) -> str:
    entries = (
        [("results", "Results"), ("intervals", "Final scores"), ("improvement", "Improvement")] if compared else []
    )
    entries += [
        ("study-0", "Curves and curricula"),
        *([("cost", "Cost")] if compared else []),
        ("reproduce", "Reproduce"),
    ]
    links = "".join(f'<li><a href="#{key}">{name}</a></li>' for key, name in entries)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


def _cautions(cautions: Sequence[str]) -> str:
    if not cautions:
        return ""
    items = "".join(f"<li>{escape(caution)}</li>" for caution in cautions)
    return f'<h2 id="notes">Before you believe it</h2><ul class="cautions">{items}</ul>'


def _table(table: TextTable, caption: str) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in table.headings)
    rows = []
    for row, marked in zip(table.rows, table.marked, strict=True):
        cells = f'<th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        kind = ' class="lead"' if marked else ""
        rows.append(f"<tr{kind}>{cells}</tr>")
    name = escape(f"{table.headings[-1]} and more")
    return (
        f'<p class="note">{escape(caption)}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _drawing(drawing: Drawing) -> str:
    svg = inline_svg(drawing.figure, key=drawing.key, label=drawing.label)
    kind = ' class="paper"' if drawing.on_paper else ""
    return (
        f'<h3 id="{drawing.key}">{escape(drawing.heading)}</h3><figure{kind}><div class="scroll" tabindex="0" '
        f'role="region" aria-label="{escape(drawing.heading)}">{svg}</div>'
        f"<figcaption>{escape(drawing.note)}</figcaption></figure>"
    )


def _missing(studies: Sequence[StoredStudy]) -> str:
    rows = [
        f'<tr><th scope="row">{escape(one.cell.teacher)}</th><td>{one.cell.seed}</td><td>{escape(study.title)}</td>'
        f"<td>{escape(one.reason or 'not begun, or interrupted')}</td></tr>"
        for study in studies
        for one in study.missing
    ]
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("teacher", "seed", "study", "why"))
    return (
        '<h2 id="missing">Cells that are not finished</h2><div class="scroll"><table class="text">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _reproduce(studies: Sequence[StoredStudy]) -> str:
    parts = ['<h2 id="reproduce">Reproduce</h2>']
    for study in studies:
        parts.append(f"<h3>{escape(study.title)}</h3>")
        if study.provenance:
            last = study.provenance[-1]
            command = str(last.get("command", "not noted"))
            times = len(study.provenance)
            parts.append(f"<p>{'The last of ' + str(times) + ' commands' if times > 1 else 'The command'}:</p>")
            parts.append(f"<pre tabindex='0'><code>{escape(command)}</code></pre>")
            parts.append(_entries("Versions, commit and machine", {k: v for k, v in last.items() if k != "command"}))
        parts.append(_entries("Settings", study.settings))
        parts.append(
            "<p>A cell is run again, and compared bit for bit, by <code>teachgym replay</code> with its folder.</p>"
        )
    return "\n".join(parts)


def _entries(heading: str, entries: object) -> str:
    text = escape(json.dumps(entries, indent=2, ensure_ascii=False))
    return f"<details><summary>{heading}</summary><pre tabindex='0'><code>{text}</code></pre></details>"


def _document(title: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_SAFE}">
<title>{escape(title)} - teachgym</title>
<style>
{CSS}</style>
</head>
<body>
<a class="skip" href="#main">To the results</a>
<main id="main">
{body}
</main>
<footer>Written by teachgym {escape(__version__)}. Nothing on this page is loaded from elsewhere.</footer>
</body>
</html>
"""
