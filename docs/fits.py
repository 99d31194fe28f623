"""Write ``docs/fits.md`` from the code: ``python docs/fits.py``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gymnasium import Space

from teachgym.agents import TEACHERS, teacher_class
from teachgym.core.needs import Needs
from teachgym.core.requirements import OnDemand
from teachgym.study.fitting import all_fits, teacher_environments

PAGE = Path(__file__).parent / "fits.md"
INTRODUCTION = """\
# Which teacher fits which environment

A teacher says which types of action spaces it acts on, which type of observation it reads, and what it has to be told
beyond outcomes; an environment has these spaces and offers that, by default or if it is asked. `teachgym.pair` and
`teachgym compare` ask:

```python
import teachgym

env, teacher = teachgym.pair("SkillList", "weak-first", subject="digits", student="simulated", budget=60, seed=0)
print(env.action_space, env.observation_space)
record = teachgym.teach(env, teacher, seed=0)
print(env.evaluate().returns)
```

A pair that does not fit is an error, which names what the teacher requires, what the environment has in its place, and
what would fit. `python docs/fits.py` writes this page from the types; a test compares it, and `teachgym list` has the
same table.

## The table

`yes`: the environment as it is made by default; a keyword: what it is asked for. With default settings of both, and by
types alone: `manual` and `policy` need a file besides, `language-model` a model, and `oracle` and `annealing` settings
where the environment knows no direction of difficulty. `TaskTeaching` offers what its student does, as `StumpTracks`.
Settings widen some of this: `language-model,acts=tree` fits `SkillTree`, with `acts=orders` or `acts=examples` it fits
`OpenEnded`, `plr,score=outcome-slope` needs no values, and `rule,name=truth` asks to be shown the truth.
"""
GIVEN = """\
## What an environment gives on demand

In a class of your own, `on_demand` lists it: keywords of the constructor, and what there is with them
(`teachgym.core.requirements.OnDemand`).

| environments | keywords | action space | observation space | offers |
|---|---|---|---|---|"""
REQUIRED = """\
## What a teacher requires

With its default settings: `acts_on`, `reads` and `needs` of its class, or its `requirements(settings)`.

| teacher | acts on | reads | needs |
|---|---|---|---|"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_table(), "", GIVEN, *_given(), "", REQUIRED, *_required(), ""])


def _table() -> Iterator[str]:
    groups = all_fits()
    yield f"| teacher | {' | '.join(', '.join(f'`{name}`' for name in names) for names, _ in groups)} |"
    yield f"|---|{'---|' * len(groups)}"
    for teacher in TEACHERS:
        cells = [_cell(fits.get(teacher)) for _, fits in groups]
        yield f"| `{teacher}` | {' | '.join(cells)} |"


def _cell(asked: Mapping[str, Any] | None) -> str:
    return "" if asked is None else _keywords(asked) or "yes"


def _keywords(asked: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}={value}`" for name, value in asked.items())


def _given() -> Iterator[str]:
    listed: list[tuple[OnDemand, list[str]]] = []
    for name, found in teacher_environments():
        for one in found.on_demand:
            names = next((names for other, names in listed if other == one), None)
            if names is None:
                listed.append((one, names := []))
            names.append(f"`{name}`")
    for one, names in listed:
        kinds = [f"`{kind.__name__}`" if kind else "" for kind in (one.action_space, one.observation_space)]
        yield f"| {', '.join(names)} | {_keywords(one.keywords)} | {' | '.join(kinds)} | {_needed(one.offers)} |"


def _required() -> Iterator[str]:
    for name in TEACHERS:
        found = teacher_class(name)
        required = found.requirements(found.Settings())
        acts = " or ".join(f"`{kind.__name__}`" for kind in required.acts_on if kind is not Space) or "any"
        reads = "any" if required.reads is Space else f"`{required.reads.__name__}`"
        yield f"| `{name}` | {acts} | {reads} | {_needed(required.needs)} |"


def _needed(needs: Needs) -> str:
    return str(needs) if needs else ""


if __name__ == "__main__":
    PAGE.write_text(page())
