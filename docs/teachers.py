"""Write ``docs/teachers.md`` and ``docs/teachers/*.md`` from the code and results: ``python docs/teachers.py``."""

import ast
import importlib
import inspect
import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_type_hints

from annotated import takes
from gymnasium import Space
from gymnasium.spaces import Box, Discrete

from teachgym.agents import TEACHERS, teacher_class
from teachgym.base.named_settings import NamedSettings
from teachgym.core.needs import Needs
from teachgym.core.spaces import ProbeSpace
from teachgym.data.spaces import Shares
from teachgym.data.tree_plan import TreePlans
from teachgym.statistics import holm
from teachgym.study.environments import environment_class

HERE = Path(__file__).parent
STUDIES = HERE / "studies" / "teachers"
COSTS = STUDIES / "cost.json"
MAIN = "hypercubes"
"""The study whose result every teacher shows."""
SIGNIFICANT = 0.05
NEEDS = {
    Needs.SUCCESS: "what counts as mastered",
    Needs.EASY_TASKS: "easy tasks",
    Needs.VALUES: "value estimates",
    Needs.ENTROPIES: "entropies",
    Needs.ANTAGONIST: "an antagonist",
    Needs.RULES: "reference policies",
}
SPACES = {
    Space: "any",
    Box: "box",
    Discrete: "arms",
    Shares: "shares",
    TreePlans: "tree",
    ProbeSpace: "box with probes",
}
"""What teachers act on, in words."""
UNMEASURED = {
    "manual": "reads its file once",
    "rule": "that of the rule",
    "language-model": "a request to the model",
    "policy": "a pass through its network",
}
"""What a decision costs where the teacher needs a file, an environment's rules or an endpoint to be made."""

CHOOSER = """\
# The teachers

This page has a line for each teacher: its idea, what it acts on, what it needs of the environment, and what a decision
costs. The names lead to settings and results, on one page per family; [results](teachers/results.md) has the studies.
`python docs/teachers.py` writes all of these pages from the code and from `docs/studies/teachers`.

```python
import gymnasium
import teachgym

env = gymnasium.make("teachgym/Hypercubes-v0", budget=300)
teacher = teachgym.make_teacher("alp-gmm", env, seed=0, fit_every=100)
print(teachgym.teach(env, teacher, seed=0).outcomes.mean())
```

How to choose:

- **What is a decision in your environment?** A point of a *box* of tasks, one of several *arms*, *shares* of data over
  skills, or a plan for a skill *tree*. Bandits cut a box into a grid of arms.
- **What can the environment offer?** A teacher whose [needs](glossary.md#needs) are not met raises an error that says
  what would fit. `teachgym.pair` and `teachgym compare` turn on probes, an antagonist and other things that a teacher
  needs. [Which teacher fits where](fits.md) has the whole table.
- **Compare with `random`**, and with a curriculum made by hand where you have one. No teacher here is best everywhere.

Cost is the processor time of a decision and its update, on one core of a busy server: the mean over decisions 18,001 to
20,000, with two task parameters (two skills, or a tree of two). It includes updates of networks and other rare work.
`python -m tests.benchmarks.teacher_cost --decisions 20000 --output docs/studies/teachers/cost.json` measures it.
"""
RESULTS = """\
# Results of the teachers

Studies on simulated students and on small data subjects, each with the command that made it. They show what a teacher
does where the answer is known, not how it ranks in general.
"""


@dataclass(frozen=True)
class Result:
    """What a teacher reached in a study."""

    study: str
    teacher: str
    seeds: int
    mastered: tuple[float, float, float]
    """Mean and 95 % interval, in percent."""
    outcome: tuple[float, float, float]
    """Mean outcome over the test tasks, and its 95 % interval."""
    headline: str
    """Which of the two teachers are compared by: ``"mastered"`` or ``"mean_return"``."""
    p_value: float
    """Of Welch's test against ``random``, corrected by Holm over the study. Where neither side has any spread: 0 if
    they differ, and 1 if not."""
    above: bool
    """Whether the mean is above that of ``random``."""

    @property
    def beats_random(self) -> bool:
        """Whether it is significantly above ``random``."""
        return self.above and self.p_value < SIGNIFICANT

    @property
    def score(self) -> str:
        """What teachers are compared by, with its interval."""
        mean, low, high = self.mastered
        if self.headline == "mastered":
            return f"{mean:.1f} [{max(low, 0.0):.1f}, {min(high, 100.0):.1f}] %"
        return "{:.3f} [{:.3f}, {:.3f}]".format(*self.outcome)

    @property
    def p_text(self) -> str:
        """The p value, for people."""
        return "< 0.0001" if self.p_value < 1e-4 else f"{self.p_value:.2g}"

    def __str__(self) -> str:
        text = f"{self.score} mastered, mean outcome {{:.2f}} [{{:.2f}}, {{:.2f}}]".format(*self.outcome)
        tested = "" if self.teacher == "random" else f", p {self.p_text if '<' in self.p_text else f'= {self.p_text}'}"
        return f"{text}, {self.seeds} seeds{tested}"


def pages() -> dict[Path, str]:
    """Every page, by its file: the chooser, the families, and the results."""
    results = [result for folder in _studies() for result in _results(folder)]
    families: dict[str, list[str]] = {}
    for name in TEACHERS:
        families.setdefault(teacher_class(name).__module__.split(".")[-2], []).append(name)
    made = {HERE / "teachers.md": "\n".join([CHOOSER, *_chooser(families)])}
    for family, names in families.items():
        title, text = _described(family)
        parts = [f"# {title}\n", f"{text}\n", *(_entry(name, results) for name in names)]
        made[HERE / "teachers" / f"{family}.md"] = "\n".join(parts)
    made[HERE / "teachers" / "results.md"] = "\n".join([RESULTS, _table(results), *_commands()])
    return made


def _described(family: str) -> tuple[str, str]:
    """The title and the introduction of a family: the docstring of its package."""
    title, _, text = _markdown(inspect.getdoc(importlib.import_module(f"teachgym.agents.{family}"))).partition("\n")
    return title.rstrip("."), text.strip()


def _chooser(families: dict[str, list[str]]) -> Iterator[str]:
    costs = json.loads(COSTS.read_text())
    for family, names in families.items():
        yield f"## [{_described(family)[0]}](teachers/{family}.md)\n"
        yield "| teacher | idea | acts on | needs | cost |\n|---|---|---|---|---|"
        for name in names:
            idea = re.sub(r" \([^()]*\b(?:19|20)\d\d\b[^()]*\)", "", _sentences(name)[0])
            cost = UNMEASURED.get(name) or _time(costs[name])
            yield f"| [`{name}`](teachers/{family}.md#{name}) | {idea} | {_acts_on(name)} | {_needs(name)} | {cost} |"
        yield ""


def _time(microseconds: int) -> str:
    value, unit = (microseconds / 1000, "ms") if microseconds >= 1000 else (microseconds, "µs")
    return f"{value:.2g} {unit}" if value < 100 else f"{round(value, -1):.0f} {unit}"


def _acts_on(name: str) -> str:
    found = teacher_class(name)
    types = found.requirements(found.Settings()).acts_on
    return ", ".join(
        words for kind, words in SPACES.items() if kind in types and not (kind is ProbeSpace and Box in types)
    )


def _needs(name: str) -> str:
    found = teacher_class(name)
    return ", ".join(NEEDS[need] for need in found.requirements(found.Settings()).needs) or "-"


def _sentences(name: str) -> list[str]:
    text = " ".join(_markdown(inspect.getdoc(teacher_class(name))).split())
    return re.split(r"(?<=[.:])\s+(?=[A-Z`])", text)


def _markdown(docstring: str | None) -> str:
    return (docstring or "").replace("``", "`")


def _entry(name: str, results: list[Result]) -> str:
    """A teacher's part of its family's page."""
    found = teacher_class(name)
    sentences = _sentences(name)
    idea = " ".join(sentences[:2]) if len(sentences[0]) < 300 else sentences[0]
    lines = [f"## `{name}`\n", f"{idea}\n"]
    sources = sorted(set(re.findall(r"arXiv:(\d{4}\.\d{4,5})", inspect.getdoc(found) or "")))
    links = ", ".join(f"[arXiv:{source}](https://arxiv.org/abs/{source})" for source in sources)
    facts = [f"Source: {links}."] if links else []
    facts += [f"Needs {_needs(name)}."] if _needs(name) != "-" else []
    facts.append(f"Class: `{found.__module__}.{found.__name__}`.")
    lines.append(" ".join(facts) + "\n")
    if fields(found.Settings):
        lines += ["| setting | type and range | default | meaning |", "|---|---|---|---|"]
        meanings, kinds = _meanings(found.Settings), get_type_hints(found.Settings, include_extras=True)
        for field in fields(found.Settings):
            meaning = meanings.get(field.name, "")
            lines.append(f"| `{field.name}` | {takes(kinds[field.name])} | `{_default(field)}` | {meaning} |")
        lines.append("")
    for result in results:
        if result.study == MAIN and NamedSettings.parse(result.teacher).name == name:
            lines.append(f"On [`{MAIN}`](results.md), as `{result.teacher}`: {result}.\n")
    return "\n".join(lines)


def _default(field: Field[Any]) -> str:
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if isinstance(value, float) and len(str(value)) > 10:
        value = Fraction(value).limit_denominator(1000)
    return json.dumps(value) if isinstance(value, str | bool | tuple | list) else str(value)


def _meanings(settings: type[Any]) -> dict[str, str]:
    """The docstring under each field, those of base classes included."""
    found: dict[str, str] = {}
    for cls in reversed(settings.__mro__[:-1]):
        (body,) = ast.parse(inspect.cleandoc(inspect.getsource(cls))).body
        assert isinstance(body, ast.ClassDef)
        for statement, following in zip(body.body, body.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                match following:
                    case ast.Expr(ast.Constant(str(text))):
                        found[statement.target.id] = " ".join(text.replace("``", "`").replace("|", "\\|").split())
    return found


def _studies() -> list[Path]:
    return sorted(folder for folder in STUDIES.iterdir() if folder.is_dir())


def _commands() -> Iterator[str]:
    yield "## The studies\n"
    for folder in _studies():
        yield f"### `{folder.name}`\n"
        yield f"{_read_me(folder)}\n"
        yield f"```sh\n{_command(json.loads((folder / 'study.json').read_text())['settings'])}\n```\n"


def _read_me(folder: Path) -> str:
    """The text on a study, with links that start from the page of results."""
    text = (folder / "README.md").read_text().strip()
    here = posixpath.relpath(folder, HERE / "teachers")
    return re.sub(r"\]\((?!https?:)([^)]+)\)", lambda link: f"]({posixpath.normpath(f'{here}/{link[1]}')})", text)


def _command(settings: dict[str, Any]) -> str:
    words = ["teachgym", "compare"]
    for name in ("env", "subject", "student", "budget", "seeds", "evaluations", "teachers"):
        value = settings.get(name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", *(map(str, value) if isinstance(value, list) else [str(value)])]
    return shlex.join(words)


def _results(folder: Path) -> list[Result]:
    rows = json.loads((folder / "summary.json").read_text())
    env = json.loads((folder / "study.json").read_text())["settings"]["env"]
    headline = getattr(environment_class(env), "headline", "mastered")
    (random,) = (row for row in rows if row["teacher"] == "random")
    others = [row for row in rows if row is not random]
    corrected = holm([_p_value(row, random, headline) for row in others])
    p_values = dict(zip([row["teacher"] for row in others], corrected.tolist(), strict=True))
    return [
        Result(
            study=folder.name,
            teacher=row["teacher"],
            seeds=row["seeds"],
            mastered=(row["mastered"]["mean"], row["mastered"]["low"], row["mastered"]["high"]),
            outcome=(row["mean_return"]["mean"], row["mean_return"]["low"], row["mean_return"]["high"]),
            headline=headline,
            p_value=p_values.get(row["teacher"], 1.0),
            above=row[headline]["mean"] > random[headline]["mean"],
        )
        for row in rows
    ]


def _p_value(row: dict[str, Any], random: dict[str, Any], headline: str) -> float:
    if row["p_value"] is not None:
        return float(row["p_value"])
    return float(row[headline]["mean"] == random[headline]["mean"])


def _table(results: list[Result]) -> str:
    lines = [
        "## Where each beats `random`\n",
        "For each teacher, the study in which it is furthest above `random` by Welch's test of % mastered (of test",
        "accuracy, where data is taught), with Holm's correction over all teachers of the study. Results are",
        "% mastered, or accuracy from 0 to 1, as means over seeds with 95 % t-intervals. Teachers have the settings",
        "that the command of the study gives them, named here only if a study has several of one teacher.\n",
        "| teacher | study | seeds | result | `random` there | p | beats `random` |",
        "|---|---|---|---|---|---|---|",
    ]
    randoms = {result.study: result for result in results if result.teacher == "random"}
    left = []
    for name in TEACHERS:
        own = [result for result in results if NamedSettings.parse(result.teacher).name == name]
        if name == "random":
            continue
        if not own:
            left.append(f"`{name}`")
            continue
        best = min(own, key=lambda result: (not result.beats_random, not result.above, result.p_value))
        variants = sum(result.study == best.study for result in own)
        called = best.teacher if variants > 1 else name
        cells = [f"`{called}`", f"[{best.study}](#{best.study})", str(best.seeds), best.score]
        cells += [randoms[best.study].score, best.p_text, "yes" if best.beats_random else "**no**"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Not in these studies: {', '.join(left)}.", ""])


if __name__ == "__main__":
    for page, text in pages().items():
        page.parent.mkdir(exist_ok=True)
        page.write_text(text)
