import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.mnms import Mnms, MnmsSettings
from teachgym.testing.subject import check_subject

CAPTION = {"id": 0, "name": "image captioning", "args": {"image": "2327921.jpg"}}
SUMMARY = {"id": 1, "name": "text summarization", "args": {"text": "<node-0>.text"}}
WEATHER = {"id": 0, "name": "get weather", "args": {"lon": "12.5", "lat": "41.9"}}


def entry(number: int, *nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """As published: the plan as a Python literal."""
    request = f"Please do thing number {number}."
    return {"id": number, "user_request": request, "plan_str": str(list(nodes)), "code_str": "def solve(): ...", **more}


TEST = [entry(1, CAPTION, SUMMARY), entry(2, WEATHER), entry(3, CAPTION)]
VERIFIED = [*TEST, entry(4, CAPTION, SUMMARY), entry(5, WEATHER), entry(6, CAPTION), entry(7, CAPTION)]


def write(folder: Path, name: str, entries: list[Any], *, lines: bool) -> str:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, entries)) + "\n" if lines else json.dumps(entries, indent=1))
    return str(path)


def write_files(folder: Path, *, lines: bool = True) -> dict[str, str]:
    return {
        "verified": write(folder, "verified.json", VERIFIED, lines=lines),
        "filtered": write(folder, "filtered.json", TEST, lines=lines),
    }


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("skill", ["tools", "calls"])
def test_it_keeps_the_contract(tmp_path: Path, lines: bool, skill: str) -> None:
    paths = write_files(tmp_path, lines=lines)
    check_subject(lambda: make_subject("mnms", skill=skill, **paths), generates=False)


def test_what_is_verified_but_not_filtered_is_for_validation(tmp_path: Path) -> None:
    subject = make_subject("mnms", **write_files(tmp_path))
    numbers = [[example.prompt[-2] for example in examples] for examples in (subject.validation, subject.test)]
    assert [sorted(one) for one in numbers] == [["4", "5", "6", "7"], ["1", "2", "3"]]
    assert subject.skill_names == ("get_weather", "image_captioning", "image_captioning > text_summarization")
    assert [example.skill for example in subject.validation] == [
        "get_weather",
        "image_captioning",
        "image_captioning",
        "image_captioning > text_summarization",
    ]


def test_skills_may_be_numbers_of_calls(tmp_path: Path) -> None:
    subject = make_subject("mnms", skill="calls", **write_files(tmp_path))
    assert subject.skill_names == ("1 call", "2 calls")
    assert [example.skill for example in subject.test] == ["1 call", "1 call", "2 calls"]


def test_an_answer_is_right_if_its_tools_are(tmp_path: Path) -> None:
    subject = make_subject("mnms", **write_files(tmp_path))
    example = subject.test[-1]
    assert json.loads(example.target) == [CAPTION, SUMMARY]
    other = [{**CAPTION, "args": {}}, {**SUMMARY, "name": "text_summarization"}]
    assert subject.score(example, f"The plan: {json.dumps(other)}.") == 1.0
    for wrong in ([SUMMARY, CAPTION], [CAPTION], [CAPTION, SUMMARY, SUMMARY], [], [CAPTION, "text summarization"]):
        assert subject.score(example, json.dumps(wrong)) == 0.0
    for wrong_text in ("", "[]", "image captioning, text summarization", "[" * 5_000, example.target * 2):
        assert subject.score(example, wrong_text) == 0.0
    assert subject.score(example, example.target + " " * 20_000) == 0.0


def test_prompts_name_the_tools_and_hold_the_request(tmp_path: Path) -> None:
    subject = make_subject("mnms", **write_files(tmp_path))
    for example in (*subject.validation, *subject.test):
        assert "Tools: get_weather, image_captioning, text_summarization\n" in example.prompt
        assert example.prompt.splitlines()[-1].startswith("Request: Please do thing number")


def test_other_ways_to_write_a_plan(tmp_path: Path) -> None:
    odd = [
        {"id": "a", "prompt": "One.", "plan": [WEATHER]},
        {"id": "b", "user_request": "Two.", "plan_str": json.dumps([{**WEATHER, "args": {"today": True}}])},
        {"user_request": "Three.", "plan": [CAPTION]},
    ]
    verified = write(tmp_path, "v.json", [*odd, *VERIFIED], lines=True)
    filtered = write(tmp_path, "f.json", odd, lines=True)
    subject = make_subject("mnms", verified=verified, filtered=filtered)
    assert [json.loads(example.target) for example in subject.test] == [
        [WEATHER],
        [{**WEATHER, "args": {"today": True}}],
        [CAPTION],
    ]
    assert len(subject.validation) == len(VERIFIED)


def test_a_request_that_occurs_twice_is_taken_once(tmp_path: Path) -> None:
    again = {**entry(8, CAPTION), "user_request": "please do  thing number 4."}
    in_test = {**entry(9, CAPTION), "user_request": "Please do thing number 1."}
    verified = write(tmp_path, "v.json", [*VERIFIED, again, in_test], lines=False)
    subject = make_subject("mnms", verified=verified, filtered=write_files(tmp_path)["filtered"])
    assert len(subject.validation) == 4


def test_metrics_are_shares_from_0_to_1(tmp_path: Path) -> None:
    subject = make_subject("mnms", **write_files(tmp_path))
    given = [
        json.dumps([WEATHER, {"name": "make coffee"}]),
        json.dumps([CAPTION]),
        json.dumps([CAPTION]),
    ]
    found = subject.metrics(subject.mark(subject.test, given))
    assert found == pytest.approx(
        {
            "tool_sequence": 1 / 3,
            "tool_precision": 2 / 3,
            "tool_recall": 2 / 3,
            "tool_f1": 2 / 3,
        }
    )
    assert subject.metrics([]) == {}


def test_it_makes_no_examples(tmp_path: Path) -> None:
    subject = make_subject("mnms", **write_files(tmp_path))
    assert list(subject.pool()) == []
    with pytest.raises(NotImplementedError, match="use the language-model engine"):
        subject.make(("get_weather",), 1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"id": 9, "plan_str": str([CAPTION])}, "line 2: user_request is None; expected some text"),
        ({"id": 9, "user_request": "Do."}, "line 2: the plan is None; expected a list of objects"),
        ({"id": 9, "user_request": "Do.", "plan_str": "[{'id'"}, "line 2: the plan is None"),
        ({"id": 9, "user_request": "Do.", "plan": [{"id": 0}]}, r"line 2: the plan is \[\{'id': 0\}\]"),
        ({"id": 9, "user_request": "Do.", "plan_str": "__import__('os')"}, "line 2: the plan is None"),
        ([1], r"line 2: \[1\] is no JSON object"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, bad: Any, message: str) -> None:
    paths = write_files(tmp_path) | {"verified": write(tmp_path, "bad.json", [VERIFIED[0], bad], lines=True)}
    with pytest.raises(ValueError, match=f"bad.json, {message}"):
        make_subject("mnms", **paths)


def test_bad_entries_of_a_list_are_named(tmp_path: Path) -> None:
    paths = write_files(tmp_path) | {"verified": write(tmp_path, "bad.json", [VERIFIED[0], 7], lines=False)}
    with pytest.raises(ValueError, match=r"bad\.json, entry 2: 7 is no JSON object"):
        make_subject("mnms", **paths)
    (tmp_path / "cut.json").write_text(json.dumps(VERIFIED)[:-5])
    with pytest.raises(ValueError, match=r"cut\.json is not a JSON file"):
        make_subject("mnms", **paths | {"verified": str(tmp_path / "cut.json")})


def test_files_that_are_missing_or_empty(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="verified is empty; m&m's is read from files"):
        Mnms()
    with pytest.raises(ValueError, match="filtered is empty"):
        Mnms(MnmsSettings(verified="x"))
    paths = write_files(tmp_path)
    with pytest.raises(ValueError, match="nowhere can't be read"):
        make_subject("mnms", **paths | {"filtered": str(tmp_path / "nowhere")})
    with pytest.raises(ValueError, match=r"filtered\.json holds no request that is not filtered"):
        make_subject("mnms", **paths | {"verified": paths["filtered"]})
    with pytest.raises(ValueError, match=r"none\.json holds no request"):
        make_subject("mnms", **paths | {"filtered": write(tmp_path, "none.json", [], lines=False)})
    with pytest.raises(ValueError, match="skill is 'verb'; expected one of 'tools', 'calls'"):
        MnmsSettings(skill="verb")  # type: ignore[arg-type]
