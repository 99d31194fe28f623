"""A report's page: one HTML file without anything from outside."""

import json
import math
from collections.abc import Sequence
from html import escape

from teachgym import __version__
from teachgym.report.drawings import FINAL_SCORES, Drawing
from teachgym.report.findings import finding, headline
from teachgym.report.inline_svg import inline_svg
from teachgym.report.page_style import CSS
from teachgym.report.tables import TextTable, cost_table, improvement_table, main_table, more_table
from teachgym.study.results.comparison import Comparison
from teachgym.study.results.stored import StoredStudy

_SAFE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What the page may load: nothing but what is in it. It has no scripts."""


def page(
    comparison: Comparison | None,
    studies: Sequence[StoredStudy],
    first: Drawing | None,
    overall: Sequence[Drawing],
    by_study: Sequence[tuple[str, Sequence[Drawing]]],
    *,
    left_out: Sequence[str],
) -> str:
    """The whole page.

    Args:
        comparison: What was found; None if no cell is finished.
        studies: What was read.
        first: The figure of the first screen, if there is one.
        overall: Figures of all studies together.
        by_study: The title of each study, with its figures.
        left_out: Teachers that the figures leave out.
    """
    title = " and ".join(dict.fromkeys(study.title for study in studies))
    parts = [f"<h1>{escape(title)}</h1>", _navigation(comparison is not None), _first_screen(comparison, first)]
    if comparison is not None:
        parts += [
            _cautions(comparison.cautions),
            '<h2 id="results">Results</h2>',
            _table(main_table(comparison), _main_caption(comparison)),
            _table(more_table(comparison), _more_caption(comparison)),
        ]
        if left_out:
            parts.append(
                f"<p>The figures show the best teachers and the reference; {len(left_out)} more are only in the "
                f"tables: {escape(', '.join(left_out))}.</p>"
            )
        parts += [_drawing(drawing) for drawing in overall]
        if comparison.pairs:
            parts.append('<h3 id="improvement">Probability of improvement</h3>')
            parts.append(
                _table(
                    improvement_table(comparison),
                    "Probability that a run of the row's teacher has a better final score than one of the column's, "
                    "ties counted half, with 95 % stratified bootstrap intervals. 0.5 means no difference.",
                )
            )
    for number, (name, drawings) in enumerate(by_study):
        parts.append(f'<h2 id="study-{number}">{escape(name)}</h2>')
        parts += [_drawing(drawing) for drawing in drawings]
    if comparison is not None:
        parts += ['<h2 id="cost">Cost</h2>', _table(cost_table(comparison), "Shares of the time, tests excluded.")]
    parts += [_missing(studies), _reproduce(studies)]
    return _document(title, "\n".join(part for part in parts if part))


def _first_screen(comparison: Comparison | None, drawing: Drawing | None) -> str:
    """The answer, and the learning curve of a single study beside it."""
    if comparison is None:
        said = '<p class="finding">No cell is finished, so there is nothing to compare yet.</p>'
    else:
        rest = headline(comparison).removeprefix(comparison.best)
        said = f'<p class="finding"><strong>{escape(comparison.best)}</strong>{escape(rest)}</p>'
        said += f"<p>{escape(finding(comparison))}</p>" if len(comparison.rows) > 1 else ""
    return said if drawing is None else f'<div class="first"><div>{said}</div>{_figure(drawing)}</div>'


def _main_caption(comparison: Comparison) -> str:
    marked = (
        f"Highlighted: {comparison.leading}. "
        if comparison.leaders
        else f"No teacher is significantly worse than {comparison.best}, the best by mean, so none is highlighted. "
    )
    return (
        f"{marked}IQM: interquartile mean with a 95 % stratified bootstrap interval. The other columns are means with "
        f"95 % Student-t intervals. Above {comparison.reference}: the mean {comparison.score_name} minus that of "
        f"{comparison.reference}, with Welch's 95 % interval, not corrected for several teachers. p: Welch's test of "
        f"this difference, corrected by Holm over the tests against {comparison.reference}."
    )


def _more_caption(comparison: Comparison) -> str:
    steps = (
        "Steps: the median over all runs, and how many runs reached the threshold. "
        if math.isfinite(comparison.rows[0].reached.threshold)
        else ""
    )
    return (
        f"All columns but the worst fifth are about {comparison.score_name}. Mean and median have bootstrap intervals, "
        f"the others Student-t intervals. Area: the mean height of the learning curve over the budget. {steps}Worst "
        "fifth: the mean outcome on the worst fifth of the test tasks. Forgetting: best minus last test."
    )


def _navigation(compared: bool) -> str:
    entries = (
        [("results", "Results"), (FINAL_SCORES, "Final scores"), ("improvement", "Improvement")] if compared else []
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
    return f'<h3 id="{drawing.key}">{escape(drawing.heading)}</h3>{_figure(drawing)}'


def _figure(drawing: Drawing) -> str:
    svg = inline_svg(drawing.figure, key=drawing.key, label=drawing.label)
    kind = ' class="paper"' if drawing.on_paper else ""
    return (
        f'<figure{kind}><div class="scroll" tabindex="0" role="region" aria-label="{escape(drawing.heading)}">{svg}'
        f"</div><figcaption>{escape(drawing.note)}</figcaption></figure>"
    )


def _missing(studies: Sequence[StoredStudy]) -> str:
    rows = [
        f'<tr><th scope="row">{escape(one.cell.teacher)}</th><td>{one.cell.seed}</td><td>{escape(study.title)}</td>'
        f"<td>{escape(one.reason or 'not started, or interrupted')}</td></tr>"
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
            "<p><code>teachgym replay</code>, given a cell's folder, runs it again and compares it bit for bit.</p>"
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
<footer>Written by teachgym {escape(__version__)}. This page loads nothing from elsewhere.</footer>
</body>
</html>
"""
