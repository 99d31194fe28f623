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

One command runs all cheap environments with every teacher that fits, and makes one leaderboard:

```sh
teachgym suite
```

`teachgym suite --list` shows what it would run. `--resume` continues an interrupted suite; `--envs`, `--teachers` and
`--seeds` choose a part of it. A teacher's **share of the gap** in an environment is its final score, minus the prices
that it paid, on a scale where 0 is the floor (doing nothing) and 1 the ceiling: the rule that is shown the truth or,
where there is none, the best reference policy. With simulated skills and tasks, floor and ceiling are no competence and
full competence. Intervals are 95 % bootstrap intervals over seeds; each resample draws the same students for teacher,
floor and ceiling.

![Share of the gap, by teacher and environment](studies/suite/leaderboard.png)

How to read it:

- Most episodes have a few dozen decisions, so teachers that learn within one student's lifetime have little to learn
  from. That many of them are close to `random` says as much about the suite as about them. Teachers that were trained
  on other students (`teachgym train`) come from files and are not included; [problems](problems.md) has one.
- Rules (`rule,name=...`) are made for their environment and know what its observations mean. `rule,name=constant` was
  found by a search that used some of these seeds. Neither these nor the rule that is shown the truth compete.
- Shares are clipped to [-1, 2] before they are averaged over environments. As not all teachers fit the same
  environments, teachers are ranked by their **lead**: the mean share minus that of `random` in the same environments.
  A teacher that fits fewer than half of the environments is left out of the map and of the first table.
- There are five seeds per cell: if the intervals of two teachers overlap, this does not tell which is better.

What was found: rules that know their problem lead `random` by between a quarter of the gap (`paper`) and a half (a
searched constant), and leave room above them. Of the teachers that know nothing about the problem, none leads by more
than a tenth; setting all controls to the middle comes first among them. Where an episode has hundreds of decisions
(simulated skills and tasks), `linucb` has a large lead in one environment and a small one in the other.
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
