"""Write ``docs/environments.md`` from the code and the suite's results: ``python docs/environments.py``."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

from annotated import takes

from teachgym.base.registry import load_path
from teachgym.envs import ENVIRONMENTS, PROBLEMS, WORLDS

HERE = Path(__file__).parent
PAGE = HERE / "environments.md"
SUITE = HERE / "studies" / "suite" / "leaderboard.json"
IN_SHORT = ("Decision", "Student", "Reward", "Truth", "Episode")
REFERENCES = ("rule,name=none", "random", "rule,name=constant", "rule,name=paper", "rule,name=truth")
INTRODUCTION = """\
# The environments

First a line for each environment, then the scores of reference policies, then the environments one by one, in the words
of their docstrings. `python docs/environments.py` writes this page from the code and from the results of the
[suite](suite.md). `gymnasium.make` takes the full names; `teachgym compare --env` also takes them without `teachgym/`
and `-v0`.
"""
SCORES = """\
## Reference scores

Final scores in the environments of the suite, minus the prices paid; means over seeds with 95 % t-intervals. `none`
does nothing, `constant` is the best constant decision that a search found, `paper` is the rule of the source, and
`truth` is shown the truth. Seconds are for one episode on one core, from making the environment to the test of the
student: the median over all teachers.

| environment | score | `none` | `random` | `constant` | `paper` | `truth` | seconds |
|---|---|---|---|---|---|---|---|"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_overview(), *_scores(), *_environments()])


def _overview() -> Iterator[str]:
    yield "## In short\n"
    yield f"| environment | {' | '.join(name.lower() for name in IN_SHORT)} |\n|---|---|---|---|---|---|"
    for name, found in _registered():
        lines = _in_short(found)
        if lines:
            yield f"| [`{name}`](#teachgym{name.lower()}-v0) | {' | '.join(lines)} |"
    yield "\n*Truth* is what results can be checked against; no teacher is shown it. *Episode* is the time that one"
    yield "student takes on one core. For environments that are not in the suite, scores are among the"
    yield "[results of the teachers](teachers/results.md).\n"


def _scores() -> Iterator[str]:
    yield SCORES
    for board in json.loads(SUITE.read_text())["boards"]:
        rows = {row["teacher"]: row["score"] for row in board["rows"]}
        cells = [_interval(rows.get(reference)) for reference in REFERENCES]
        yield f"| `{board['env']}` | {board['score_name']} | {' | '.join(cells)} | {board['seconds']:.2g} |"
    yield ""


def _interval(score: dict[str, float] | None) -> str:
    return "" if score is None else f"{score['mean']:.4f} [{score['low']:.4f}, {score['high']:.4f}]"


def _registered() -> Iterator[tuple[str, Any]]:
    """Names and classes."""
    for name, entry in sorted({**WORLDS, **ENVIRONMENTS, **PROBLEMS}.items()):
        yield name, load_path("environment", entry.path)


def _in_short(found: type[Any]) -> list[str]:
    """The four lines under the heading of that name; none where there is no such heading."""
    text = " ".join((inspect.getdoc(found) or "").split())
    parts = [re.search(rf"- {name}: (.*?)\.? (?:- |## )", text) for name in IN_SHORT]
    return [part[1].replace("``", "`") for part in parts if part is not None]


def _environments() -> Iterator[str]:
    for name, found in _registered():
        yield f"## `teachgym/{name}-v0`\n"
        yield _text(found) + "\n"
        settings = _settings(found)
        if settings:
            yield "| keyword | type and range | default |\n|---|---|---|"
            yield "\n".join(f"| {' | '.join(cells)} |" for cells in settings) + "\n"


def _text(found: type[Any]) -> str:
    """The docstring, with its headings one level deeper."""
    text = inspect.getdoc(found) or ""
    text = re.sub(r"^## In Short\n(?:- .*\n|  .*\n)+\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^## ", "### ", text, flags=re.MULTILINE)
    text = re.sub(r"^(Args|Raises):$", r"### \1\n", text, flags=re.MULTILINE)
    return text.replace("``", "`")


def _settings(found: type[Any]) -> list[tuple[str, str, str]]:
    """Keywords of its own, what they take, and their defaults."""
    parameters = inspect.signature(found.__init__).parameters.values()
    kinds = get_type_hints(found.__init__, include_extras=True)
    return [
        (f"`{one.name}`", takes(kinds[one.name]), "required" if one.default is one.empty else f"`{one.default!r}`")
        for one in parameters
        if one.name != "self" and one.kind is not one.VAR_KEYWORD
    ]


if __name__ == "__main__":
    PAGE.write_text(page())
