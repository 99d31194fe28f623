"""Answers in JSON: found in a model's words, checked, and corrected a bounded number of times."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachgym.language_model import LanguageModelClient, Message, Question, UnusableReplyError, ask, ask_many
from teachgym.language_model.structured import parse_json
from tests.language_model.endpoint import Says, endpoint, last_words

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
    "additionalProperties": False,
}


def question(words: str = "a number?", **more: Any) -> Question:
    return Question((Message("system", "be brief"), Message("user", words)), SCHEMA, **more)


@pytest.mark.parametrize(
    "text",
    [
        '{"number": 7}',
        ' \n{"number": 7}\n',
        '```json\n{"number": 7}\n```',
        'Here you are:\n```\n{"number": 7}\n```\nAnything else?',
        'I would say {"number": 7}, since {this} is so.',
        '<think>maybe {"number": 3}? no</think>{"number": 7}',
        'An empty one {} is no use: {"number": 7}',
    ],
)
def test_an_answer_is_found_in_all_the_ways_that_models_give_it(text: str) -> None:
    assert parse_json(text) == {"number": 7}
    with endpoint(text) as fake:
        assert ask(LanguageModelClient(fake.settings()), question()) == {"number": 7}
        assert len(fake.bodies) == 1


@given(st.text(max_size=80))
def test_whatever_else_a_model_says_is_an_error_and_not_a_crash(text: str) -> None:
    try:
        found = parse_json(text)
    except ValueError:
        return
    assert json.loads(json.dumps(found)) == found
    assert any(mark in text for mark in ("{", "[", '"', "null", "true", "false", *"0123456789"))


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=4), st.text("ab \n`", max_size=9)
)
def test_an_object_is_found_between_any_other_words(value: dict[str, Any], around: str) -> None:
    assert parse_json(f"{around} {json.dumps(value)} {around}") == value


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000], ids=["lists", "objects"])
def test_endless_nesting_is_no_answer(deep: str) -> None:
    with pytest.raises(ValueError, match="no whole JSON object"):
        parse_json(deep)


BAD: dict[str, tuple[Says | str, str]] = {
    "prose": ("seven", "it is no JSON"),
    "cut off": (Says('{"number": 7', finish="length"), "it was cut off"),
    "truncated": ('{"number": 7', "it is no JSON"),
    "of another type": ('{"number": "7"}', "'7' is not of type 'integer' (at number)"),
    "of another shape": ("[7]", "is not of type 'object' (at the top)"),
    "with a part missing": ("{}", "'number' is a required property"),
    "with a part too many": ('{"number": 7, "why": "so"}', "'why' was unexpected"),
    "not a number": ('{"number": NaN}', "it is no JSON"),
    "empty": ("", "it is empty"),
    "nothing": (Says(None), "it is empty"),
    "half a letter": ('{"number": "\\ud800"}', "it is no JSON"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_is_told_to_the_model_which_may_correct_it(kind: str) -> None:
    bad, told = BAD[kind]
    with endpoint(lambda body, number: bad if number == 0 else '{"number": 7}') as fake:
        assert ask(LanguageModelClient(fake.settings()), question()) == {"number": 7}
        assert len(fake.bodies) == 2
        first, second = fake.bodies[0]["messages"], fake.bodies[1]["messages"]
    assert second[:2] == first
    assert [message["role"] for message in second[2:]] == ["assistant", "user"]
    assert second[2]["content"] == (bad.text if isinstance(bad, Says) else bad) or "(nothing)"
    assert told in second[3]["content"]


@pytest.mark.parametrize("corrections", [0, 1, 3])
def test_corrections_are_bounded_and_the_error_says_what_was_wrong(corrections: int) -> None:
    with endpoint('{"number": "no"}') as fake:
        client = LanguageModelClient(fake.settings(corrections=corrections))
        with pytest.raises(UnusableReplyError, match=rf"in {corrections + 1} tries.*'no' is not of type") as caught:
            ask(client, question())
        assert len(fake.bodies) == corrections + 1
    assert "choose another model" in str(caught.value)


@pytest.mark.parametrize(
    "refusal", [Says(None, refusal="I'd rather not"), Says("half an", finish="content_filter")], ids=["model", "filter"]
)
def test_a_refusal_is_not_argued_with(refusal: Says) -> None:
    with endpoint(refusal) as fake:
        with pytest.raises(UnusableReplyError, match=r"refuses to answer: (I'd rather not|the endpoint's filter)"):
            ask(LanguageModelClient(fake.settings()), question())
        assert len(fake.bodies) == 1


def test_what_no_schema_can_say_is_checked_by_a_function() -> None:
    def odd(answer: Any) -> str | None:
        return None if answer["number"] % 2 else f"{answer['number']} is even"

    with endpoint(lambda body, number: json.dumps({"number": 4 + number})) as fake:
        assert ask(LanguageModelClient(fake.settings()), question(check=odd)) == {"number": 5}
        assert "4 is even" in fake.prompt()


def test_the_schema_goes_to_the_endpoint_and_stands_in_the_question_for_those_that_ignore_it() -> None:
    with endpoint('{"number": 7}') as fake:
        ask(LanguageModelClient(fake.settings()), question())
        form = fake.bodies[0]["response_format"]
        assert form["type"] == "json_schema"
        assert form["json_schema"]["schema"] == SCHEMA
        assert json.dumps(SCHEMA) in fake.prompt()


def test_many_are_asked_at_once_and_only_the_wrong_ones_again() -> None:
    def behave(body: dict[str, Any], number: int) -> Says | str:
        if last_words(body).startswith("That can't be used"):
            return '{"number": 100}'
        asked = int(last_words(body).split()[0])
        odd: dict[int, Says | str] = {2: "what?", 4: Says(None, refusal="no")}
        return odd.get(asked, json.dumps({"number": asked}))

    with endpoint(behave) as fake:
        client = LanguageModelClient(fake.settings(corrections=1))
        answers = ask_many(client, [question(f"{k} please") for k in range(6)])
        assert len(fake.bodies) == 7
    assert [answer["number"] for answer in answers if isinstance(answer, dict)] == [0, 1, 100, 3, 5]
    assert isinstance(answers[4], UnusableReplyError)
    assert ask_many(client, []) == []
