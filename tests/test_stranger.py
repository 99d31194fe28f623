"""A stranger's package adds a teacher, a student, a subject, a world and a problem, as CONTRIBUTING.md says."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = {
    "teacher": "Greedy",
    "student": "A2CStudent",
    "subject": "Letters",
    "world": "Throw",
    "problem": "DescentEnv",
}
"""The pages of ``docs/how_to`` that CONTRIBUTING.md links to, and the classes that it takes from them."""


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def definitions(code: str) -> str:
    """What a page has its reader write into a file: imports, constants, functions and classes, but no calls."""
    kept = ast.parse(code)
    kept.body = [one for one in kept.body if not isinstance(one, ast.Expr | ast.For) and not _is_variable(one)]
    return ast.unparse(kept)


def _is_variable(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and not ast.unparse(statement.targets[0]).isupper()


@pytest.mark.slow
def test_what_contributing_shows_works_in_a_package_of_ones_own(tmp_path: Path) -> None:
    entries, script = blocks(ROOT / "CONTRIBUTING.md")
    (package := tmp_path / "mine").mkdir()
    (package / "__init__.py").write_text(entries)
    for name, found in PAGES.items():
        (code,) = (code for code in blocks(ROOT / "docs" / "how_to" / f"{name}.md") if f"class {found}(" in code)
        (package / f"{name}.py").write_text(definitions(code))
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = sorted(path.parent.name for path in tmp_path.glob("runs/*/cells/*/result.json"))
    assert results == ["greedy-seed-0", "random-seed-0", "rule_name=paper-seed-0"]
