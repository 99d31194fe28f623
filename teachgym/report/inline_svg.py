"""A figure as SVG within a page: its text has the page's size, and text and axes its colours, light or dark."""

import io
import re
from html import escape

import matplotlib
from matplotlib.figure import Figure

from teachgym.base.exclusive import exclusive
from teachgym.plots.figure_style import FONT_SIZE

_PAGE_COLOURS = {
    "#000000": "currentColor",
    "#444444": "currentColor",
    "#666666": "var(--muted)",
    "#e4e4e4": "var(--grid)",
    "#ffffff": "var(--page)",
}
"""What stands for the page's own colours in the figures of ``teachgym.plots``."""
_DOTS_PER_INCH = 110
"""Of the dots of scatter plots, which are pictures within the drawing so that it stays small."""


def inline_svg(figure: Figure, *, key: str, label: str) -> str:
    """The figure as an ``<svg>`` element; the same figure gives the same text.

    Args:
        figure: Drawn by ``teachgym.plots``.
        key: Of this figure in the page; letters, digits and hyphens.
        label: What it shows, for those who can't see it.
    """
    file = io.StringIO()
    with exclusive(), matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "teachgym"}):
        figure.savefig(file, format="svg", transparent=True, dpi=_DOTS_PER_INCH, metadata={"Date": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    for colour, own in _PAGE_COLOURS.items():
        text = re.sub(rf"(fill|stroke|stop-color)(: |=\"){colour}", rf"\1\2{own}", text, flags=re.IGNORECASE)
    # Ids are those of matplotlib, the same in every figure; in one page each needs its own.
    text = re.sub(r'\bid="', f'id="{key}-', text)
    text = re.sub(r'((?:xlink:)?href)="#', rf'\1="#{key}-', text)
    text = re.sub(r"url\(#", f"url(#{key}-", text)
    text = re.sub(r"font: ([^;\"]*?)'[^;\"]*", r"font: \1sans-serif", text)
    opening = text[: text.index(">")]
    box = re.search(r'viewBox="0 0 ([0-9.]+) [0-9.]+"', opening)
    assert box is not None, "matplotlib gives every drawing a view box"
    width = float(box.group(1)) / FONT_SIZE
    head = (
        f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {box.group()} style="width: {width:.2f}rem" role="img" '
        f'aria-label="{escape(label)}"'
    )
    return head + text[text.index(">") :].replace("\n", " ")
