"""Write ``docs/suite.md`` from the suite's results: ``python docs/suite.py``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE / "suite.md"
SUITE = HERE / "studies" / "suite" / "leaderboard.json"
INTRODUCTION = """\
# The suite

One command runs every teacher that fits it in every cheap environment, and makes one leaderboard:

```sh
teachgym suite
```

`teachgym suite --list` shows what it would run. An interrupted suite goes on with `--resume`, and `--envs`,
`--teachers` and `--seeds` choose a part of it. In each environment a teacher's **share of the gap** is its final
score, less what it paid, on a scale where 0 is the floor (to do nothing) and 1 the ceiling (the rule that is shown
the truth, or where none is known the best reference; with simulated skills and tasks, no and full competence).
Intervals are 95 % bootstrap intervals over seeds; a sample redraws students, the same ones for teacher, floor and
ceiling.

![Share of the gap, by teacher and environment](studies/suite/leaderboard.png)

How to read it, and how not to:

- Most episodes have a few dozen decisions, so that teachers which learn within one student's lifetime have little to
  learn from: that many of them are close to `random` says as much of the suite as of them. Teachers that were trained
  on other students (`teachgym train`) are not in it, as they come from files; [problems.md](problems.md) has one.
- Rules (`rule,name=...`) are made for their environment, and know what its observations mean. `rule,name=constant` was
  found by a search on some of these seeds. Neither they nor the rule that is shown the truth compete with the others.
- Shares are clipped to [-1, 2] before they are averaged over the environments that a teacher fits. As not all fit the
  same ones, the first column is the **lead**: the mean share less that of `random` in these environments. A teacher in
  fewer than half of the environments is left out of the map and of the first table.
- Five seeds a cell: two teachers whose intervals overlap are not told apart.

What was found: rules that know their problem lead `random` by a quarter of the gap (`paper`) to a half (a searched
constant), and leave the rest to be had. Of the teachers that know nothing of the problem none leads by more than a
tenth, with the middle of all controls in front; where an episode has hundreds of decisions (simulated skills and
tasks), `linucb` leads by far in one, and by little in the other.
"""


def page() -> str:
    """The whole page."""
    board = json.loads(SUITE.read_text())
    return "\n".join([INTRODUCTION, *_overall(board), *_boards(board)])


def _overall(board: dict[str, Any]) -> Iterator[str]:
    yield "## Over all environments\n"
    yield "| teacher | environments | mean share of the gap | lead over `random` |\n|---|---|---|---|"
    most = max(row["environments"] for row in board["overall"])
    for row in board["overall"]:
        if 2 * row["environments"] >= most:
            cells = f"{_interval(row['share'])} | {_interval(row['lead'])}"
            yield f"| `{row['teacher']}` | {row['environments']} | {cells} |"
    yield ""


def _boards(board: dict[str, Any]) -> Iterator[str]:
    for one in board["boards"]:
        yield f"## `{one['env']}`\n"
        yield f"Floor `{one['floor']}`, ceiling `{one['ceiling']}`.\n"
        yield f"| teacher | seeds | {one['score_name']} | share of the gap |\n|---|---|---|---|"
        for row in one["rows"]:
            score, share = _interval(row["score"], 4), _interval(row["share"])
            yield f"| `{row['teacher']}` | {row['score']['count']} | {score} | {share} |"
        yield ""


def _interval(interval: dict[str, float], decimals: int = 2) -> str:
    mean, low, high = (round(interval[name], decimals) + 0.0 for name in ("mean", "low", "high"))  # not -0.00
    return f"{mean:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]"


if __name__ == "__main__":
    PAGE.write_text(page())
