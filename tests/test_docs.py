"""The generated pages are what the code and the committed results make of them."""

import runpy
from pathlib import Path

from teachgym.agents import TEACHERS

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_of_teachers_is_up_to_date() -> None:
    page = runpy.run_path(str(DOCS / "teachers.py"))["page"]()
    assert page == (DOCS / "teachers.md").read_text(), "run: python docs/teachers.py"
    for name in TEACHERS:
        assert f"### `{name}`" in page
