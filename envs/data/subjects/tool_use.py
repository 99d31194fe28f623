"""Requests that are met by calling tools: one call or several, in the right order, with the right arguments."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, final

import numpy as np

from teachgym.base.settings import checked_dataclass
from teachgym.data.example import Answer, Example, Path
from teachgym.data.skills import Skill, find_skill
from teachgym.data.subject import HeldOut, Subject
from teachgym.envs.data.subjects.tool_metrics import tool_metrics
from teachgym.envs.data.subjects.tool_plans import (
    TOOL_VALUES,
    TOOLS,
    Call,
    Plan,
    check_plan,
    documentation,
    read_json_plan,
    read_plan,
    written,
    written_json,
)

_Request = tuple[str, Plan]
"""What is asked, and the plan for it."""
Drawn = Callable[[np.random.Generator], _Request]

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "numbers": ("add", "sub", "mul"),
        "weather": ("temp", "rain", "wind"),
        "people": ("mail", "text", "call"),
        "files": ("find", "copy", "drop"),
    }
)
"""What tools are about."""

_SAID_OTHERWISE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "add": ("{0} plus {1}", "sum of {0} and {1}", "{1} more than {0}"),
        "sub": ("{0} minus {1}", "{1} less than {0}", "take {1} from {0}"),
        "mul": ("{0} times {1}", "product of {0} and {1}", "{1} lots of {0}"),
        "temp": ("how hot is {0} at {1}", "how cold is {0} at {1}", "at {1} is {0} warm"),
        "rain": ("is {0} dry at {1}", "umbrella in {0} at {1}", "at {1} is {0} wet"),
        "wind": ("is {0} calm at {1}", "storm in {0} at {1}", "at {1} is {0} gusty"),
        "mail": ("write {0} about the {1}", "{1} to the inbox of {0}", "post the {1} to {0}"),
        "text": ("ping {0} about the {1}", "{1} to the phone of {0}", "buzz the {1} to {0}"),
        "call": ("ring {0} at {1}", "at {1} speak to {0}", "phone {0} at {1}"),
        "find": ("where is {0} {1}", "look for {0} {1}", "search {0} {1}"),
        "copy": ("clone {0} {1}", "another {0} {1}", "double {0} {1}"),
        "drop": ("erase {0} {1}", "bin {0} {1}", "get rid of {0} {1}"),
    }
)
"""Requests that do not name the tool; nor are their arguments always in its order."""
_NOUNS: Mapping[str, str] = MappingProxyType(
    {
        "add": "the sum of {0} and {1}",
        "sub": "the difference of {0} and {1}",
        "mul": "the product of {0} and {1}",
        "temp": "the temperature in {0} at {1}",
        "rain": "the rain in {0} at {1}",
        "wind": "the wind in {0} at {1}",
        "find": "{0} {1}",
        "copy": "a copy of {0} {1}",
    }
)
"""Results, as a request names them that has them passed on."""


@checked_dataclass
class ToolUseSettings(HeldOut):
    """Settings of ``ToolUse``.

    Raises:
        ValueError: If a value is not allowed.
    """

    style: Literal["short", "words"] = "short"
    """``"short"``: the request alone, at most 45 characters, and a plan in one line of at most 31, for small students.
    ``"words"``: documentation of the tools, what is expected and the request, and a plan in JSON, for language
    models."""


@final
class ToolUse(Subject):
    """Plan which of twelve tools to call, in which order, with which arguments.

    Requests such as ``mail bob the sum of 3 and 4`` are answered by plans such as ``add(3,4);mail(bob,#1)``, in which
    ``#1`` is the result of the first call; nothing is carried out. Seven skills, unequally hard: a single call that
    the request names; choice among similar tools; two calls; results passed on; repetition; order by "before" and
    "after"; and conditions, as in ``rain(rome,9);#1?call(ann,8)`` ("if") and ``#1!`` ("unless"). The tools and the
    grammar are in ``teachgym.envs.data.subjects.tool_plans``.

    An answer is right if the plan is: the same calls in the same order with the same arguments; spaces do not matter.

    Args:
        settings: A ``ToolUseSettings``; None takes the defaults.
    """

    Settings = ToolUseSettings
    settings: ToolUseSettings

    @property
    def skills(self) -> tuple[Skill, ...]:
        """Seven, each with its kinds of requests."""
        return tuple(Skill(name, tuple(Skill(part) for part in parts)) for name, parts in _REQUESTS.items())

    def make(self, path: Path, count: int, rng: np.random.Generator) -> list[Example]:
        """Draw requests, with their plans."""
        leaves = find_skill(self.skills, path).leaves()
        made = []
        for _ in range(count):
            leaf = (*path[:-1], *leaves[int(rng.integers(len(leaves)))])
            request, plan = _REQUESTS[leaf[0]][leaf[1]](rng)
            made.append(Example(self._prompt(request), self._written(plan), leaf))
        return made

    def score(self, example: Example, given: str) -> float:
        """1 for the right plan, 0 for any other and for what is no plan."""
        plan = self._read(given)
        return float(plan is not None and plan == self._read(example.target))

    def parses(self, example: Example) -> bool:
        """Whether the target is a plan whose calls fit the tools."""
        plan = self._read(example.target)
        if plan is None:
            return False
        try:
            check_plan(plan)
        except ValueError:
            return False
        return True

    def metrics(self, answers: Sequence[Answer]) -> dict[str, float]:
        """The share of right plans, and what ``tool_metrics`` tells, each from 0 to 1."""
        if not answers:
            return {}
        right = [self._tools(answer.example.target) for answer in answers]
        given = [self._tools(answer.given) for answer in answers]
        exact = sum(answer.score == 1 for answer in answers) / len(answers)
        return {"plan": exact, **tool_metrics(right, given)}

    def _prompt(self, request: str) -> str:
        return request if self.settings.style == "short" else f"{_PREAMBLE}\n\nRequest: {request}"

    def _written(self, plan: Plan) -> str:
        return written(plan) if self.settings.style == "short" else written_json(plan)

    def _read(self, text: str) -> Plan | None:
        try:
            return read_plan(text) if self.settings.style == "short" else read_json_plan(text)
        except ValueError:
            return None

    def _tools(self, text: str) -> tuple[str, ...]:
        return tuple(call.tool for call in self._read(text) or ())


_PREAMBLE = f"""Plan which tools to call to meet a request. These are the tools:

{documentation()}

Numbers go from 0 to 99, hours from 0 to 23. "#1" as an argument is the result of the first call, "#2" of the second.
Answer with a JSON list and nothing else: for every call, in order, an object with "tool" and "arguments" (an object by
the names above); if it is made only under a condition, also "if" or "unless" with the result that it depends on, such
as "#1". A call on which another depends comes first."""


def _pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _call_of(tool: str, rng: np.random.Generator) -> Call:
    """A call with arguments drawn at random."""
    kinds = [TOOL_VALUES[kind] for _, kind in TOOLS[tool].arguments]
    return Call(tool, tuple(str(kind[int(rng.integers(len(kind)))]) for kind in kinds))


def _said(call: Call) -> str:
    """A request that names the tool."""
    return " ".join((call.tool, *call.arguments))


def _single(group: str) -> Drawn:
    def draw(rng: np.random.Generator) -> _Request:
        call = _call_of(_pick(rng, GROUPS[group]), rng)
        return _said(call), (call,)

    return draw


def _similar(group: str) -> Drawn:
    def draw(rng: np.random.Generator) -> _Request:
        call = _call_of(_pick(rng, GROUPS[group]), rng)
        return _pick(rng, _SAID_OTHERWISE[call.tool]).format(*call.arguments), (call,)

    return draw


def _two(rng: np.random.Generator, *, alike: bool) -> tuple[Call, Call]:
    """Two different calls, of the same group or of two."""
    while True:
        first, second = (_pick(rng, list(TOOLS)) for _ in range(2))
        if (_GROUP_OF[first] == _GROUP_OF[second]) == alike:
            calls = _call_of(first, rng), _call_of(second, rng)
            if calls[0] != calls[1]:
                return calls


def _pair(*, alike: bool) -> Drawn:
    def draw(rng: np.random.Generator) -> _Request:
        calls = _two(rng, alike=alike)
        return f"{_said(calls[0])} {_pick(rng, ('and', 'then'))} {_said(calls[1])}", calls

    return draw


def _passed_on(group: str) -> Drawn:
    def draw(rng: np.random.Generator) -> _Request:
        made = _call_of(_pick(rng, [tool for tool in GROUPS[group] if tool in _NOUNS]), rng)
        sent = _call_of(_pick(rng, ("mail", "text")), rng)
        noun = _NOUNS[made.tool].format(*made.arguments)
        plan = (made, Call(sent.tool, (sent.arguments[0], "#1")))
        return f"{sent.tool} {sent.arguments[0]} {noun}", plan

    return draw


def _chain(rng: np.random.Generator) -> _Request:
    inner, outer = (_call_of(_pick(rng, GROUPS["numbers"]), rng) for _ in range(2))
    noun, number = _NOUNS[inner.tool].format(*inner.arguments), outer.arguments[0]
    words, arguments = {
        "add": (f"add {number} to {noun}", ("#1", number)),
        "sub": (f"sub {number} from {noun}", ("#1", number)),
        "mul": (f"mul {number} by {noun}", (number, "#1")),
    }[outer.tool]
    return words, (inner, Call(outer.tool, arguments))


def _twice(rng: np.random.Generator) -> _Request:
    call = _call_of(_pick(rng, list(TOOLS)), rng)
    return f"{_said(call)} twice", (call, call)


def _each(rng: np.random.Generator) -> _Request:
    """The same tool for two cities, people or things."""
    tool = _pick(rng, [*GROUPS["weather"], *GROUPS["people"], *GROUPS["files"]])
    first, second = _call_of(tool, rng), _call_of(tool, rng)
    while first.arguments[0] == second.arguments[0]:
        second = _call_of(tool, rng)
    one, rest = first.arguments
    other = second.arguments[0]
    return f"{tool} {one} and {other} {rest}", (first, Call(tool, (other, rest)))


def _both(rng: np.random.Generator) -> _Request:
    """Two tools with the same arguments."""
    pools = (GROUPS["numbers"], GROUPS["weather"], ("mail", "text"), GROUPS["files"])
    pool = pools[int(rng.integers(len(pools)))]
    first, second = (pool[place] for place in rng.permutation(len(pool))[:2])
    call = _call_of(first, rng)
    return f"{first} and {second} {' '.join(call.arguments)}", (call, Call(second, call.arguments))


def _ordered(pattern: str, *, turned: bool) -> Drawn:
    def draw(rng: np.random.Generator) -> _Request:
        first, second = _two(rng, alike=bool(rng.integers(2)))
        return pattern.format(_said(first), _said(second)), (second, first) if turned else (first, second)

    return draw


def _conditional(pattern: str, sign: str) -> Drawn:
    def draw(rng: np.random.Generator) -> _Request:
        asked = _call_of(_pick(rng, ("rain", "wind")), rng)
        done = _call_of(_pick(rng, [*GROUPS["people"], *GROUPS["files"]]), rng)
        return pattern.format(_said(asked), _said(done)), (asked, Call(done.tool, done.arguments, f"#1{sign}"))

    return draw


_GROUP_OF = {tool: group for group, tools in GROUPS.items() for tool in tools}
_REQUESTS: Mapping[str, Mapping[str, Drawn]] = MappingProxyType(
    {
        "single": {group: _single(group) for group in GROUPS},
        "similar": {group: _similar(group) for group in GROUPS},
        "pair": {"alike": _pair(alike=True), "unlike": _pair(alike=False)},
        "passing": {
            "numbers": _passed_on("numbers"),
            "weather": _passed_on("weather"),
            "files": _passed_on("files"),
            "chain": _chain,
        },
        "repeat": {"twice": _twice, "each": _each, "both": _both},
        "order": {
            "first before second": _ordered("{0} before {1}", turned=False),
            "second after first": _ordered("{0} after {1}", turned=True),
            "before second, first": _ordered("before {0}, {1}", turned=True),
            "after first, second": _ordered("after {0}, {1}", turned=False),
        },
        "condition": {
            "if, then": _conditional("if {0} {1}", "?"),
            "then, if": _conditional("{1} if {0}", "?"),
            "unless, then": _conditional("unless {0} {1}", "!"),
            "then, unless": _conditional("{1} unless {0}", "!"),
        },
    }
)
"""Skill -> kind of request -> what draws one."""
