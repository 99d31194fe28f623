"""Write ``docs/teachers.md`` from the code and the committed results: ``python docs/teachers.py``."""

import ast
import importlib
import inspect
import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any

from teachgym.agents import TEACHERS, teacher_class
from teachgym.base.named_settings import NamedSettings
from teachgym.core.teacher import Teacher
from teachgym.statistics import holm
from teachgym.study.environments import environment_class

HERE = Path(__file__).parent
PAGE = HERE / "teachers.md"
STUDIES = HERE / "studies" / "teachers"
MAIN = "hypercubes"
"""The study whose result every teacher shows."""
SIGNIFICANT = 0.05

INTRODUCTION = """\
# The teachers

Every teacher of teachgym: its idea, where it comes from, its settings, what it needs of its environment, and what
came of it. `python docs/teachers.py` writes this page from the code and the results in
`docs/studies/teachers`; a test compares it with both.

Teachers are made by `teachgym.make_teacher("name", env, seed=0, setting=value)`, and compared by
`teachgym compare --teachers name name,setting=value`. A need that an environment does not meet is a clear error;
`teachgym compare` asks the environment for probes and an antagonist where a teacher needs them.
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
        """Whether it is above ``random``, and hardly by chance."""
        return self.above and self.p_value < SIGNIFICANT

    def __str__(self) -> str:
        mean, low, high = self.mastered
        if self.headline == "mastered":
            text = f"{mean:.1f} [{max(low, 0.0):.1f}, {min(high, 100.0):.1f}] % mastered"
            text += ", mean outcome {:.2f} [{:.2f}, {:.2f}]".format(*self.outcome) + f", {self.seeds} seeds"
        else:
            text = "accuracy {:.3f} [{:.3f}, {:.3f}]".format(*self.outcome) + f", {self.seeds} seeds"
        if self.teacher == "random":
            return text
        return f"{text}, p {'< 0.0001' if self.p_value < 1e-4 else f'= {self.p_value:.2g}'}"


def page() -> str:
    """The whole page."""
    results = [result for folder in sorted(STUDIES.iterdir()) if folder.is_dir() for result in _results(folder)]
    parts = [INTRODUCTION, *_studies(), _table(results)]
    family = ""
    for name in TEACHERS:
        found = teacher_class(name)
        package = importlib.import_module(found.__module__.rpartition(".")[0])
        heading = (inspect.getdoc(package) or "").partition("\n")[0].rstrip(".")
        if heading != family:
            family = heading
            parts.append(f"## {heading}\n")
        parts.append(_entry(name, found, [one for one in results if NamedSettings.parse(one.teacher).name == name]))
    return "\n".join(parts)


def _studies() -> Iterator[str]:
    yield "## Results\n"
    for folder in sorted(STUDIES.iterdir()):
        if folder.is_dir():
            yield f"`{folder.name}`: {_read_me(folder)}\n"
            yield f"```sh\n{_command(json.loads((folder / 'study.json').read_text())['settings'])}\n```\n"


def _read_me(folder: Path) -> str:
    """The text on a study, with links that start from this page."""
    text = (folder / "README.md").read_text().strip()
    here = folder.relative_to(HERE).as_posix()
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
        "### Where each beats `random`\n",
        "The study of each in which it lies furthest above `random`, by Welch's test of % mastered (of the accuracy on",
        "the test set, where data is taught) with Holm's correction over all teachers of that study. Means over seeds",
        "with 95 % t-intervals.\n",
        "| teacher | study | as | result | `random` there | beats `random` |",
        "|---|---|---|---|---|---|",
    ]
    randoms = {result.study: result for result in results if result.teacher == "random"}
    for name in TEACHERS:
        own = [result for result in results if NamedSettings.parse(result.teacher).name == name]
        if name == "random":
            continue
        if not own:
            lines.append(f"| `{name}` | | | not run | | |")
            continue
        best = min(own, key=lambda result: (not result.beats_random, not result.above, result.p_value))
        beaten = randoms[best.study]
        there = (
            "{:.1f} [{:.1f}, {:.1f}]".format(*beaten.mastered)
            if beaten.headline == "mastered"
            else "{:.3f} [{:.3f}, {:.3f}]".format(*beaten.outcome)
        )
        verdict = "yes" if best.beats_random else "**no**"
        lines.append(f"| `{name}` | `{best.study}` | `{best.teacher}` | {best} | {there} | {verdict} |")
    return "\n".join(lines) + "\n"


def _entry(name: str, found: type[Teacher], results: list[Result]) -> str:
    text = " ".join((inspect.getdoc(found) or "").replace("``", "`").split())
    sentences = re.split(r"(?<=[.:])\s+(?=[A-Z`])", text)
    idea = " ".join(sentences[:2]) if len(sentences[0]) < 300 else sentences[0]
    sources = sorted(set(re.findall(r"arXiv:(\d{4}\.\d{4,5})", text)))
    links = ", ".join(f"[arXiv:{source}](https://arxiv.org/abs/{source})" for source in sources) or "made by hand"
    required = found.requirements(found.Settings())
    lines = [f"### `{name}`\n", f"{idea}\n", f"Source: {links}. With its defaults it {required}.\n"]
    if fields(found.Settings):
        lines += ["| setting | default | meaning |", "|---|---|---|"]
        meanings = _meanings(found.Settings)
        for field in fields(found.Settings):
            lines.append(f"| `{field.name}` | `{_default(field)}` | {meanings.get(field.name, '')} |")
        lines.append("")
    here = [result for result in results if result.study == MAIN]
    lines += [f"On `{MAIN}`, as `{result.teacher}`: {result}.\n" for result in here]
    if not here:
        lines.append(f"On `{MAIN}`: not run.\n")
    return "\n".join(lines)


def _default(field: Field[Any]) -> str:
    value = field.default if field.default_factory is MISSING else field.default_factory()
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


if __name__ == "__main__":
    PAGE.write_text(page())
