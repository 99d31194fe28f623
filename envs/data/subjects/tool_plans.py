"""Twelve tools, and plans that call them: as a short line of text, as JSON, and checked against their signatures."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

CITIES = ("rome", "oslo", "bern", "lima", "cork", "doha", "kiev", "nice", "riga", "york", "bonn", "male")
PEOPLE = ("ann", "bob", "eve", "dan", "ida", "jim", "kim", "leo", "mia", "ned", "sue", "tom")
THINGS = ("map", "note", "list", "plan", "bill", "memo", "song", "form", "deck", "logo", "menu", "page")
_LARGEST = 99
_LONGEST = 2_000
"""Characters of a plan beyond which it is not read."""

TOOL_VALUES: Mapping[str, tuple[str, ...] | range] = MappingProxyType(
    {
        "number": range(_LARGEST + 1),
        "hour": range(24),
        "city": CITIES,
        "person": PEOPLE,
        "thing": THINGS,
        "content": THINGS,
    }
)
"""Kind of argument -> what it may be, beside a reference to an earlier result."""


@dataclass(frozen=True)
class Tool:
    """What can be called."""

    arguments: tuple[tuple[str, str], ...]
    """Name and kind of each."""
    gives: str
    """Kind of the result; empty if there is none."""
    does: str
    """For documentation."""


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        "add": Tool((("a", "number"), ("b", "number")), "number", "the sum a + b"),
        "sub": Tool((("a", "number"), ("b", "number")), "number", "the difference a - b"),
        "mul": Tool((("a", "number"), ("b", "number")), "number", "the product a * b"),
        "temp": Tool((("city", "city"), ("hour", "hour")), "weather", "how hot or cold it is"),
        "rain": Tool((("city", "city"), ("hour", "hour")), "weather", "whether it rains"),
        "wind": Tool((("city", "city"), ("hour", "hour")), "weather", "whether it is windy"),
        "mail": Tool((("person", "person"), ("content", "content")), "", "sends an e-mail"),
        "text": Tool((("person", "person"), ("content", "content")), "", "sends a short message to a phone"),
        "call": Tool((("person", "person"), ("hour", "hour")), "", "makes a phone call"),
        "find": Tool((("thing", "thing"), ("number", "number")), "file", "looks up a numbered file"),
        "copy": Tool((("thing", "thing"), ("number", "number")), "file", "duplicates a numbered file"),
        "drop": Tool((("thing", "thing"), ("number", "number")), "", "deletes a numbered file"),
    }
)
"""The tools by name. Hours are from 0 to 23 and numbers from 0 to 99."""

_TAKES_RESULTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"number": ("number",), "content": ("number", "weather", "file")}
)
"""Kind of argument -> kinds of results that may stand there instead."""
_CALL = re.compile(r"(?:#([1-9])([?!]))?([a-z]+)\(([^()]*)\)")


@dataclass(frozen=True)
class Call:
    """A step of a plan."""

    tool: str
    arguments: tuple[str, ...]
    """Words and numbers as they are written; ``#2`` is the result of the second step."""
    condition: str = ""
    """Empty, or under which earlier result it is made: ``#1?`` if it holds, ``#1!`` unless it does."""


Plan = tuple[Call, ...]


def check_plan(plan: Plan) -> None:
    """Raise ``ValueError`` unless every call fits its tool, and refers to earlier results of the right kind only."""
    if not plan:
        raise ValueError("the plan is empty; expected at least one call")
    results: list[str] = []
    for call in plan:
        if call.tool not in TOOLS:
            raise ValueError(f"there is no tool {call.tool!r}; known: {', '.join(TOOLS)}")
        tool = TOOLS[call.tool]
        if len(call.arguments) != len(tool.arguments):
            raise ValueError(f"{call.tool} got {len(call.arguments)} arguments; expected {len(tool.arguments)}")
        if call.condition and _result(call.condition[:-1], results) != "weather":
            raise ValueError(f"{call.condition!r} is no earlier result of a tool that tells the weather")
        for value, (name, kind) in zip(call.arguments, tool.arguments, strict=True):
            if value.startswith("#"):
                if _result(value, results) not in _TAKES_RESULTS.get(kind, ()):
                    raise ValueError(
                        f"{name} of {call.tool} is {value!r}, which is no earlier result of a fitting kind"
                    )
            elif value not in _WRITTEN[kind]:
                raise ValueError(f"{name} of {call.tool} is {value!r}, which is no {kind}")
        results.append(tool.gives)


def written(plan: Plan) -> str:
    """The plan as a line: ``add(3,4);mail(bob,#1)``, and with conditions ``rain(rome,9);#1?call(ann,8)``."""
    return ";".join(f"{call.condition}{call.tool}({','.join(call.arguments)})" for call in plan)


def read_plan(text: str) -> Plan:
    """The plan that a line describes, spaces aside.

    Raises:
        ValueError: If it is no line of calls; whether they fit the tools is for ``check_plan``.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"the plan has {len(text)} characters; expected at most {_LONGEST}")
    calls = []
    for part in "".join(text.split()).split(";"):
        found = _CALL.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is no call; expected tool(argument,argument)")
        number, sign, tool, arguments = found.groups()
        calls.append(Call(tool, tuple(arguments.split(",")), f"#{number}{sign}" if number else ""))
    return tuple(calls)


def written_json(plan: Plan) -> str:
    """The plan as JSON: a list of objects with ``tool``, ``arguments`` by name, and ``if`` or ``unless``."""
    return json.dumps([_entry(call) for call in plan])


def read_json_plan(text: str) -> Plan:
    """The plan that JSON describes; text before and after the outermost brackets does not matter.

    Raises:
        ValueError: If there is no such JSON; whether the calls fit the tools is for ``check_plan``.
    """
    inside = text[text.find("[") : text.rfind("]") + 1]
    if not inside or len(text) > _LONGEST:
        raise ValueError(f"expected a JSON list within {_LONGEST} characters")
    try:
        entries = json.loads(inside)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the plan is no JSON ({error})") from error
    return tuple(_call(entry) for entry in entries)


def documentation() -> str:
    """The tools, one a line, for a reader who has never seen them."""
    lines = []
    for name, tool in TOOLS.items():
        arguments = ", ".join(f"{argument}: {kind}" for argument, kind in tool.arguments)
        lines.append(f"{name}({arguments}){f' -> {tool.gives}' if tool.gives else ''}: {tool.does}")
    return "\n".join(lines)


def _result(reference: str, results: Sequence[str]) -> str | None:
    """The kind of the result that a reference means; None if there is no such step before."""
    if re.fullmatch(r"#[1-9]", reference) and int(reference[1:]) <= len(results):
        return results[int(reference[1:]) - 1]
    return None


def _entry(call: Call) -> dict[str, Any]:
    names = [name for name, _ in TOOLS[call.tool].arguments]
    values = [int(value) if value.isdecimal() else value for value in call.arguments]
    entry: dict[str, Any] = {"tool": call.tool, "arguments": dict(zip(names, values, strict=True))}
    if call.condition:
        entry["if" if call.condition.endswith("?") else "unless"] = call.condition[:-1]
    return entry


def _call(entry: Any) -> Call:
    fits = isinstance(entry, dict) and isinstance(entry.get("tool"), str) and isinstance(entry.get("arguments"), dict)
    if not fits or not set(entry) <= {"tool", "arguments", "if", "unless"} or {"if", "unless"} <= set(entry):
        raise ValueError(f"{entry!r} is no call; expected an object with tool, arguments, and perhaps if or unless")
    arguments: dict[str, Any] = entry["arguments"]
    tool = TOOLS.get(entry["tool"])
    names = list(arguments) if tool is None else [name for name, _ in tool.arguments]
    if set(names) != set(arguments):
        raise ValueError(f"{entry['tool']} got arguments {', '.join(arguments)}; expected {', '.join(names)}")
    condition = "".join(f"{entry[word]}{sign}" for word, sign in (("if", "?"), ("unless", "!")) if word in entry)
    return Call(entry["tool"], tuple(str(arguments[name]) for name in names), condition)


_WRITTEN: Mapping[str, frozenset[str]] = MappingProxyType(
    {kind: frozenset(map(str, values)) for kind, values in TOOL_VALUES.items()}
)
