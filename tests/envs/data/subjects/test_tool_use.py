import json
import re
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from teachgym.data.example import Example
from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.tool_metrics import tool_metrics
from teachgym.envs.data.subjects.tool_plans import (
    TOOLS,
    Call,
    check_plan,
    documentation,
    read_json_plan,
    read_plan,
    written,
    written_json,
)
from teachgym.envs.data.subjects.tool_use import ToolUse, ToolUseSettings
from teachgym.testing.subject import check_subject

TASK = ToolUse()
WORDS = ToolUse(ToolUseSettings(style="words"))
LEAVES = [leaf for skill in TASK.skills for leaf in skill.leaves()]


def drawn(path: Sequence[str], count: int = 200, subject: ToolUse = TASK) -> list[Example]:
    return subject.make(tuple(path), count, np.random.default_rng(0))


@pytest.mark.parametrize("style", ["short", "words"])
def test_it_keeps_the_contract(style: str) -> None:
    check_subject(lambda: make_subject("tool-use", style=style), most_held_out=0.35)


def test_seven_skills_with_parts() -> None:
    assert TASK.skill_names == ("single", "similar", "pair", "passing", "repeat", "order", "condition")
    assert all(len(skill.parts) >= 2 for skill in TASK.skills)


@pytest.mark.parametrize("leaf", LEAVES, ids="/".join)
def test_requests_are_short_and_plans_fit_the_tools(leaf: tuple[str, ...]) -> None:
    for example in drawn(leaf):
        assert len(example.prompt) <= 45
        assert len(example.target) <= 31
        assert example.prompt.isascii()
        assert example.prompt == example.prompt.lower()
        check_plan(read_plan(example.target))
        assert TASK.parses(example)


@pytest.mark.parametrize("leaf", LEAVES, ids="/".join)
def test_every_value_of_a_plan_stands_in_its_request(leaf: tuple[str, ...]) -> None:
    for example in drawn(leaf):
        words = re.findall(r"\w+", example.prompt)
        for call in read_plan(example.target):
            assert all(value in words for value in call.arguments if not value.startswith("#"))


def plan_of(request: str, leaf: tuple[str, ...]) -> str:
    """The plan for a request, by a reading of its words that owes nothing to how requests are made."""
    words = request.replace(",", " ,").split()

    def call(part: Sequence[str]) -> str:
        return f"{part[0]}({part[1]},{part[2]})"

    if leaf == ("order", "first before second"):
        return f"{call(words[:3])};{call(words[4:])}"
    if leaf == ("order", "second after first"):
        return f"{call(words[4:])};{call(words[:3])}"
    if leaf == ("order", "before second, first"):
        return f"{call(words[5:])};{call(words[1:4])}"
    if leaf == ("order", "after first, second"):
        return f"{call(words[1:4])};{call(words[5:])}"
    if leaf[0] == "condition":
        sign = "?" if "if" in words else "!"
        asked, done = (words[1:4], words[4:]) if words[0] in ("if", "unless") else (words[4:], words[:3])
        return f"{call(asked)};#1{sign}{call(done)}"
    if leaf[0] == "single":
        return call(words)
    if leaf[0] == "pair":
        return f"{call(words[:3])};{call(words[4:])}"
    if leaf == ("repeat", "twice"):
        return f"{call(words[:3])};{call(words[:3])}"
    if leaf == ("repeat", "each"):
        return f"{words[0]}({words[1]},{words[4]});{words[0]}({words[3]},{words[4]})"
    if leaf == ("repeat", "both"):
        return f"{words[0]}({words[3]},{words[4]});{words[2]}({words[3]},{words[4]})"
    assert leaf == ("passing", "chain")
    operation = {"sum": "add", "difference": "sub", "product": "mul"}[words[4]]
    arguments = f"{words[1]},#1" if words[0] == "mul" else f"#1,{words[1]}"
    return f"{operation}({words[6]},{words[8]});{words[0]}({arguments})"


@pytest.mark.parametrize(
    "leaf",
    [leaf for leaf in LEAVES if leaf[0] not in ("similar", "passing")] + [("passing", "chain")],
    ids="/".join,
)
def test_plans_are_what_the_words_say(leaf: tuple[str, ...]) -> None:
    for example in drawn(leaf):
        assert plan_of(example.prompt, leaf) == example.target


@pytest.mark.parametrize(
    ("request_", "plan"),
    [
        ("5 less than 9", "sub(9,5)"),
        ("take 5 from 9", "sub(9,5)"),
        ("5 more than 9", "add(9,5)"),
        ("5 lots of 9", "mul(9,5)"),
        ("at 16 speak to kim", "call(kim,16)"),
        ("buzz the map to ann", "text(ann,map)"),
    ],
)
def test_arguments_are_not_always_in_the_order_of_the_request(request_: str, plan: str) -> None:
    pattern = re.sub(r"\b(5|9|16|kim|map|ann)\b", lambda found: r"(\w+)", request_)
    seen = [example for example in drawn(("similar",), 4_000) if re.fullmatch(pattern, example.prompt)]
    values = re.findall(r"\b(5|9|16|kim|map|ann)\b", request_)
    assert seen
    for example in seen:
        found = re.fullmatch(pattern, example.prompt)
        assert found is not None
        expected = plan
        marked = {value: f"<{place}>" for place, value in enumerate(values)}
        for value, mark in marked.items():
            expected = re.sub(rf"\b{value}\b", mark, expected)
        for place, value in enumerate(found.groups()):
            expected = expected.replace(f"<{place}>", value)
        assert example.target == expected


def test_results_are_passed_on() -> None:
    for example in drawn(("passing",), 400):
        plan = read_plan(example.target)
        assert len(plan) == 2
        assert "#1" in plan[1].arguments
        assert "#1" not in plan[0].arguments


def test_only_the_very_plan_is_right() -> None:
    example = Example("mail bob the sum of 3 and 4", "add(3,4);mail(bob,#1)", ("passing", "numbers"))
    assert TASK.score(example, " add( 3, 4 ); mail(bob, #1)\n") == 1.0
    for wrong in (
        "add(4,3);mail(bob,#1)",
        "mail(bob,#1);add(3,4)",
        "add(3,4);text(bob,#1)",
        "add(3,4)",
        "add(3,4);mail(bob,#1);mail(bob,#1)",
        "add(3,4);#1?mail(bob,#1)",
        "the plan is add(3,4);mail(bob,#1)",
        "add(3,4);mail(bob,#1);",
        "",
    ):
        assert TASK.score(example, wrong) == 0.0


def test_in_words_only_the_very_plan_is_right() -> None:
    example = drawn(("condition",), 1, WORDS)[0]
    entries = json.loads(example.target)
    assert WORDS.score(example, f"Here it is:\n```json\n{json.dumps(entries, indent=2)}\n```") == 1.0
    assert WORDS.score(example, json.dumps([dict(reversed(entry.items())) for entry in entries])) == 1.0
    assert WORDS.score(example, json.dumps(entries[::-1])) == 0.0
    assert WORDS.score(example, example.target + example.target) == 0.0
    assert WORDS.score(example, json.dumps([*entries, "more"])) == 0.0


def test_in_words_all_tools_are_documented() -> None:
    example = drawn(("single",), 1, WORDS)[0]
    assert documentation() in example.prompt
    for name, tool in TOOLS.items():
        assert f"{name}({', '.join(f'{argument}: {kind}' for argument, kind in tool.arguments)})" in example.prompt
    short = drawn(("single",), 1)[0]
    assert example.prompt.endswith(f"Request: {short.prompt}")
    assert read_json_plan(example.target) == read_plan(short.target)


@pytest.mark.parametrize("leaf", LEAVES, ids="/".join)
def test_plans_survive_being_written(leaf: tuple[str, ...]) -> None:
    for example in drawn(leaf, 40):
        plan = read_plan(example.target)
        assert written(plan) == example.target
        assert read_json_plan(written_json(plan)) == plan


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sum(3,4)", "there is no tool 'sum'"),
        ("add(3)", "add got 1 arguments; expected 2"),
        ("add(3,100)", "b of add is '100', which is no number"),
        ("add(03,4)", "a of add is '03', which is no number"),
        ("temp(paris,3)", "city of temp is 'paris', which is no city"),
        ("temp(rome,24)", "hour of temp is '24', which is no hour"),
        ("mail(bob,#1)", "content of mail is '#1', which is no earlier result"),
        ("add(3,4);mail(bob,#2)", "content of mail is '#2', which is no earlier result"),
        ("mail(ann,map);mail(bob,#1)", "no earlier result of a fitting kind"),
        ("rain(rome,3);add(#1,4)", "no earlier result of a fitting kind"),
        ("add(3,4);drop(#1,4)", "no earlier result of a fitting kind"),
        ("add(3,4);#1?call(ann,8)", r"'#1\?' is no earlier result of a tool that tells the weather"),
        ("#1?call(ann,8)", r"'#1\?' is no earlier result"),
    ],
)
def test_calls_that_do_not_fit_the_tools(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_plan(read_plan(line))
    assert not TASK.parses(Example("a request", line))


@pytest.mark.parametrize(
    "line", ["", "add", "add(3,4", "add(3,(4))", "add(3,4) mail(bob,map)", "#0?add(3,4)", "é(3,4)"]
)
def test_lines_that_are_no_plans(line: str) -> None:
    with pytest.raises(ValueError, match="is no call"):
        read_plan(line)
    assert not TASK.parses(Example("a request", line))


def test_plans_that_are_too_long_are_not_read() -> None:
    with pytest.raises(ValueError, match="at most 2000"):
        read_plan(";".join(["add(3,4)"] * 1_000))
    with pytest.raises(ValueError, match="within 2000"):
        read_json_plan(json.dumps([{"tool": "add", "arguments": {"a": 3, "b": 4}}] * 1_000))
    with pytest.raises(ValueError, match="expected at least one call"):
        check_plan(())


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[1]",
        '[{"tool": "add"}]',
        '[{"tool": "add", "arguments": {"a": 3}}]',
        '[{"tool": "add", "arguments": {"a": 3, "b": 4, "c": 5}}]',
        '[{"tool": 3, "arguments": {}}]',
        '[{"tool": "call", "arguments": {"person": "ann", "hour": 3}, "if": "#1", "unless": "#1"}]',
        '[{"tool": "call", "arguments": {"person": "ann", "hour": 3}, "when": "#1"}]',
        "[" * 1_900 + "]" * 50,
    ],
)
def test_json_that_is_no_plan(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|no JSON"):
        read_json_plan(text)


def test_numbers_in_json_may_be_text() -> None:
    assert read_json_plan('[{"tool": "add", "arguments": {"b": "4", "a": 3}}]') == (Call("add", ("3", "4")),)


def test_metrics_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    right = [tuple(rng.choice(list(TOOLS), size=int(rng.integers(1, 4)))) for _ in range(60)]
    given = [tools if rng.random() < 0.5 else tuple(rng.choice(list(TOOLS)[:9], size=2)) for tools in right]
    given[0] = ()
    marks = MultiLabelBinarizer(classes=list(TOOLS)).fit([])
    expected = precision_recall_fscore_support(
        marks.transform(right), marks.transform(given), average="macro", zero_division=0
    )
    found = tool_metrics(right, given)
    assert [found[f"tool_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
    assert found["tool_sequence"] == np.mean([a == b for a, b in zip(right, given, strict=True)])


def test_metrics_of_a_task() -> None:
    examples = [Example("a", "add(3,4)"), Example("b", "mul(3,4);mail(bob,#1)"), Example("c", "temp(rome,3)")]
    answers = TASK.mark(examples, ["add(3,4)", "mul(3,5);mail(bob,#1)", "no plan"])
    found = TASK.metrics(answers)
    assert found == pytest.approx(
        {
            "plan": 1 / 3,
            "tool_sequence": 2 / 3,
            "tool_precision": 3 / 4,
            "tool_recall": 3 / 4,
            "tool_f1": 3 / 4,
        }
    )
    assert TASK.metrics([]) == {}


def test_styles() -> None:
    with pytest.raises(ValueError, match="style is 'long'; expected one of 'short', 'words'"):
        make_subject("tool-use", style="long")
