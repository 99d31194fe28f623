"""Answers in JSON: asked for by a schema, checked against it, and corrected."""

import importlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from teachgym.base.control_characters import control_character
from teachgym.language_model.client import LanguageModelClient
from teachgym.language_model.errors import LanguageModelError, UnusableReplyError
from teachgym.language_model.latex_escapes import double_backslashes
from teachgym.language_model.request import Message, Reply, Request

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
_MOST_COMPLAINT = 300
_MOST_REPEATED = 4000
"""Letters of an answer that is of no use, repeated to the model with what is wrong."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be answered in JSON."""

    messages: tuple[Message, ...]
    """The last is the user's; how to answer is added to it."""
    schema: Mapping[str, Any]
    """JSON schema of the answer, an object. Endpoints that can are told to keep to it; all answers are checked."""
    serial: tuple[int, ...] = ()
    """Tells questions apart that are alike."""
    check: Callable[[Any], str | None] | None = None
    """Says what is wrong with an answer that keeps the schema, in words for the model, or None."""


def ask(client: LanguageModelClient, question: Question) -> Any:
    """The answer to one question.

    Raises:
        LanguageModelError: If there is none; the class says why.
    """
    (answer,) = ask_many(client, [question])
    if isinstance(answer, LanguageModelError):
        raise answer
    return answer


def ask_many(client: LanguageModelClient, questions: Sequence[Question]) -> list[Any]:
    """The answers to many questions, asked at once; those that are of no use are corrected, at once again.

    Returns:
        In the order of the questions, JSON values; or a ``LanguageModelError`` where there is none.

    Raises:
        ImportError: If the ``jsonschema`` package is not there.
    """
    validators = [_validator(question.schema) for question in questions]
    talks = [_begin(question) for question in questions]
    answers: list[Any] = [None] * len(questions)
    complaints = [""] * len(questions)
    left = list(range(len(questions)))
    for _ in range(client.settings.corrections + 1):
        requests = [Request(tuple(talks[place]), questions[place].serial, questions[place].schema) for place in left]
        wrong: list[int] = []
        for place, reply in zip(left, client.complete_many(requests), strict=True):
            if isinstance(reply, LanguageModelError):
                answers[place] = reply
                continue
            if reply.refusal:
                answers[place] = UnusableReplyError(
                    f"model {client.settings.model!r} refuses to answer: {reply.refusal[:_MOST_COMPLAINT]}; ask for "
                    "something else, or choose another model"
                )
                continue
            answers[place], complaint = _read(reply, validators[place], questions[place].check)
            if complaint is not None:
                complaints[place] = complaint[:_MOST_COMPLAINT]
                talks[place] += _correction(reply, complaints[place])
                wrong.append(place)
        left = wrong
        if not left:
            break
    for place in left:
        answers[place] = UnusableReplyError(
            f"model {client.settings.model!r} gave no usable answer in {client.settings.corrections + 1} tries; what "
            f"was wrong last: {complaints[place]}. Raise corrections, or max_tokens if it was cut off, or choose "
            "another model"
        )
    return answers


def parse_json(text: str) -> Any:
    """The JSON value in a model's words: alone, in a code block, or between others; thoughts before it don't count.

    Commands of LaTeX whose backslash is not doubled are read as they are meant, where that is plain.

    Raises:
        ValueError: If there is none.
    """
    text = double_backslashes(text.rpartition("</think>")[2])
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    for candidate in (text.strip(), *(block.strip() for block in _FENCE.findall(text))):
        try:
            return decoder.decode(candidate)
        except (ValueError, RecursionError):
            continue
    found = max(_objects(decoder, text), key=lambda spot: spot[0], default=None)
    if found is None:
        raise ValueError("there is no whole JSON object in it")
    return found[1]


def _objects(decoder: json.JSONDecoder, text: str) -> Iterator[tuple[int, Any]]:
    """Objects in a text, outermost ones, each with its length."""
    place = text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except RecursionError:
            return
        except ValueError:
            end = place + 1
        else:
            yield end - place, value
        place = text.find("{", end)


def _strings(value: Any) -> Iterator[str]:
    """All strings in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _validator(schema: Mapping[str, Any]) -> Any:
    try:
        jsonschema = importlib.import_module("jsonschema")
    except ImportError as error:
        raise ImportError("structured answers need the jsonschema package: pip install 'teachgym[llm]'") from error
    return jsonschema.Draft202012Validator(schema)


def _begin(question: Question) -> list[Message]:
    *before, last = question.messages
    form = json.dumps(question.schema, ensure_ascii=False)
    told = f"{last.text}\n\nAnswer with JSON alone, by this schema:\n{form}"
    return [*before, Message(last.role, told, last.images)]


def _read(reply: Reply, validator: Any, check: Callable[[Any], str | None] | None) -> tuple[Any, str | None]:
    """The answer in a reply, and what is wrong with it."""
    if not reply.text.strip():
        return None, "it is empty"
    try:
        value = parse_json(reply.text)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair can't be written to any file
        strange = next(filter(None, map(control_character, _strings(value))), None)
    except (ValueError, RecursionError) as error:
        if reply.cut_off:
            return None, "it was cut off, because it was too long; answer more briefly"
        return None, f"it is no JSON: {error}"
    if strange is not None:
        return None, f"it holds the {strange}"
    broken = min(validator.iter_errors(value), key=lambda one: len(one.absolute_path), default=None)
    if broken is not None:
        place = "/".join(map(str, broken.absolute_path))
        return None, f"{broken.message[-_MOST_COMPLAINT // 2 :]} (at {place or 'the top'})"
    return value, None if check is None else check(value)


def _correction(reply: Reply, complaint: str) -> list[Message]:
    return [
        Message("assistant", reply.text[:_MOST_REPEATED] or "(nothing)"),
        Message("user", f"That can't be used: {complaint}. Give the whole answer again, as JSON alone."),
    ]
