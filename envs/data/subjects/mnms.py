"""m&m's: plans of calls to multi-modal tools, read from the published files."""

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Literal, final

import numpy as np

from teachgym.base.files import read_json
from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Answer, Example, Path
from teachgym.data.files import read_lines
from teachgym.data.skills import Skill
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects.tool_metrics import Tools, tool_metrics

Nodes = list[dict[str, Any]]

_LONGEST = 20_000
"""Characters of an answer beyond which it is not read."""
_REQUEST = """Plan which tools to call to meet the request. Answer with a JSON list and nothing else: for every call, in
order, an object with "id" (0, 1, ...), "name" (the tool) and "args" (an object from argument to value, where
"<node-0>.text" is the output text of the call with id 0)."""


@checked_dataclass
class MnmsSettings:
    """Settings of ``Mnms``; the first two are needed.

    Raises:
        ValueError: If a value is not allowed.
    """

    verified: str = ""
    """Path of all requests whose plans people have verified, ``test_human_verified.json``; those of them that are not
    in ``filtered`` are what feedback and reward come from."""
    filtered: str = ""
    """Path of the requests that results are reported on, ``test_human_verified_filtered.json``."""
    skill: Literal["tools", "calls"] = "tools"
    """What a skill is: the tools of the right plan, in order, or how many calls it has."""


@final
class Mnms(Subject):
    """Plans for requests to 33 multi-modal tools, right if they call the right tools in the right order.

    The m&m's benchmark (Ma et al. 2024, arXiv:2403.11085) has requests in ``user_request`` and the right plan in
    ``plan_str``, a list of objects with ``id``, ``name`` and ``args`` written as a Python literal or as JSON. Also read
    are ``prompt`` in place of the one and ``plan``, a list, in place of the other; ``code_str`` and alternative plans
    are not used. A file is one JSON list, or has one object in every line.

    As in DataEnvGym (Khan et al. 2024, arXiv:2410.06215), what is verified by people but filtered out (1,565 less 882
    requests) is for validation and the filtered ones for the test, a skill is the tuple of tools of the right plan,
    and an answer is right if its tools are, whatever the arguments. ``metrics`` adds precision, recall and F1 of tools,
    averaged over tools; both sources report them times 100. Differs in that a request that occurs twice is taken
    once, and that skills are those of validation and test set together, so that some may be of one of them only.

    Its authors ask not to train on this data, so there is no pool and it makes no examples: the engine is
    ``language-model``.

    Args:
        settings: A ``MnmsSettings``, with both paths.

    Raises:
        ValueError: If a path is missing, a file can't be read, an entry is no request with a plan, or one of the sets
            is empty; the message names the file and the place in it.
    """

    Settings = MnmsSettings
    settings: MnmsSettings
    student = "causal-lm"

    def __init__(self, settings: MnmsSettings | None = None) -> None:
        super().__init__(settings)
        for name in ("verified", "filtered"):
            if not getattr(self.settings, name):
                raise ValueError(
                    f"{name} is empty; m&m's is read from files: give the subject settings verified and filtered"
                )
        filtered, verified = _read(self.settings.filtered), _read(self.settings.verified)
        kept = {key for entry in filtered.values() for key in entry.keys}
        others = {request: entry for request, entry in verified.items() if kept.isdisjoint(entry.keys)}
        for path, entries in ((self.settings.filtered, filtered), (self.settings.verified, others)):
            if not entries:
                raise ValueError(f"{path} holds no request" + (" that is not filtered" if entries is others else ""))
        self.tools = sorted({tool for entry in (*filtered.values(), *others.values()) for tool in entry.tools})
        """The names of all tools that right plans use, with underscores."""
        self._validation, self._test = self._examples(others), self._examples(filtered)
        names = dict.fromkeys(example.skill for example in sorted((*self._validation, *self._test), key=_order))
        self._skills = tuple(Skill(name) for name in names)

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Tuples of tools, or numbers of calls; the short ones first."""
        return self._skills

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Not possible."""
        raise NotImplementedError(
            "m&m's makes no examples, and is not meant for training; use the language-model engine"
        )

    def score(self, example: Example, given: str) -> float:
        """1 if the tools are the right ones in the right order, else 0."""
        return float(_planned(given) == _planned(example.target) != ())

    def parses(self, example: Example) -> bool:
        """Whether the target is a plan that calls known tools only."""
        tools = _planned(example.target)
        return bool(tools) and set(tools) <= set(self.tools)

    def metrics(self, answers: Sequence[Answer]) -> dict[str, float]:
        """What ``tool_metrics`` tells; tools that there are not are not counted for precision, recall and F1."""
        right = [_planned(answer.example.target) for answer in answers]
        known = set(self.tools)
        given = [tuple(tool if tool in known else "" for tool in _planned(answer.given)) for answer in answers]
        found = tool_metrics(right, [tuple(tool for tool in tools if tool) for tools in given])
        if answers:
            found["tool_sequence"] = sum(a == b for a, b in zip(right, given, strict=True)) / len(answers)
        return found

    def _draw_held_out(self) -> tuple[list[Example], list[Example]]:
        return self._validation, self._test

    def _examples(self, entries: dict[str, "_Entry"]) -> list[Example]:
        """Examples, by skill."""
        head = f"{_REQUEST}\nTools: {', '.join(self.tools)}\n\nRequest: "
        by_tools = self.settings.skill == "tools"
        made = []
        for entry in entries.values():
            calls = "1 call" if len(entry.tools) == 1 else f"{len(entry.tools)} calls"
            path = (" > ".join(entry.tools) if by_tools else calls,)
            made.append(Example(head + entry.request, json.dumps(entry.plan), path))
        return sorted(made, key=_order)


@dataclass(frozen=True)
class _Entry:
    """What stands in a file."""

    identity: str
    request: str
    plan: Nodes
    tools: Tools

    @property
    def keys(self) -> set[str]:
        """By either of which it is known again."""
        return {f"id {self.identity}" if self.identity else "", _simple(self.request)} - {""}


def _read(file: str) -> dict[str, _Entry]:
    """The requests of a file; of those that are the same, the first."""
    found: dict[str, _Entry] = {}
    for place, entry in _entries(FilePath(file)):
        try:
            read = _entry(entry)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
        found.setdefault(_simple(read.request), read)
    return found


def _entries(path: FilePath) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file that has one in every line, or all in one list, and where each stands."""
    try:
        with path.open(encoding="utf-8") as file:
            whole = file.read(200).lstrip().startswith("[")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} can't be read as text ({error})") from error
    if not whole:
        yield from read_lines(path)
        return
    for number, entry in enumerate(read_json(path), 1):
        if not isinstance(entry, dict):
            raise ValueError(f"{path}, entry {number}: {entry!r} is no JSON object")
        yield f"{path}, entry {number}", entry


def _entry(entry: dict[str, Any]) -> _Entry:
    request = entry.get("user_request", entry.get("prompt"))
    if not isinstance(request, str) or not request.strip():
        raise ValueError(f"user_request is {request!r}; expected some text")
    plan: Any = entry.get("plan", entry.get("plan_str"))
    if isinstance(plan, str):
        try:
            plan = ast.literal_eval(plan)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            plan = _json_list(plan)  # with true, false or null
    tools = _tools(plan)
    if not tools:
        raise ValueError(
            f"the plan is {plan!r}; expected a list of objects with id, name and args, in plan or plan_str"
        )
    identity = entry.get("id")
    return _Entry("" if identity is None else str(identity), request.strip(), plan, tools)


def _planned(answer: str) -> Tools:
    """The tools of an answer, in order; none if it is no plan. Text around the outermost brackets does not matter."""
    if len(answer) > _LONGEST:
        return ()
    return _tools(_json_list(answer[answer.find("[") : answer.rfind("]") + 1]))


def _json_list(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _tools(plan: Any) -> Tools:
    """The names of a plan's tools, with underscores; none if it is no plan."""
    if not isinstance(plan, list):
        return ()
    names = [node.get("name") if isinstance(node, dict) else None for node in plan]
    if not all(isinstance(name, str) and name.strip() for name in names):
        return ()
    return tuple("_".join(str(name).split()) for name in names)


def _order(example: Example) -> tuple[int, int, str]:
    """Short plans first, then by name."""
    return len(_planned(example.target)), example.skill.count(" > "), example.skill


def _simple(text: str) -> str:
    return " ".join(text.lower().split())
