"""Skills found by asking a language model what each question takes."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from teachgym.base.ranges import PositiveInt
from teachgym.base.setting_checks import check_whole
from teachgym.base.settings import checked_dataclass
from teachgym.data.discovery import DiscoveredSkills, SkillDiscovery
from teachgym.data.example import Answer
from teachgym.language_model import (
    LanguageModelClient,
    LanguageModelError,
    Message,
    ModelSettings,
    Question,
    UnusableReplyError,
    ask,
    ask_many,
)
from teachgym.language_model.client import Send

_NAMER = (
    "You name the skill that a question takes: what somebody must be able to do to answer it, in two to four words in "
    "snake_case, such as adding_fractions. Questions that take the same get the same name."
)
_GROUPER = (
    "You sort names of skills into categories. Every name belongs to exactly one category; categories don't overlap, "
    "and together they cover all names. A category's name is in snake_case, and says what its skills have in common."
)
_SORTER = "You sort questions into given categories by the skill that they take."
OTHER = "other"
"""The category of what fits nowhere."""


def _list_of(item: dict[str, Any], name: str) -> dict[str, Any]:
    entry = {"type": "object", "properties": item, "required": list(item), "additionalProperties": False}
    return {
        "type": "object",
        "properties": {name: {"type": "array", "items": entry}},
        "required": [name],
        "additionalProperties": False,
    }


_NAMES = _list_of({"number": {"type": "integer"}, "skill": {"type": "string"}}, "skills")
_GROUPS = _list_of({"name": {"type": "string"}, "skills": {"type": "array", "items": {"type": "string"}}}, "categories")
_PLACES = _list_of({"number": {"type": "integer"}, "category": {"type": "string"}}, "questions")


@checked_dataclass
class LanguageModelDiscoverySettings(ModelSettings):
    """Settings of ``LanguageModelDiscovery``: those of the model, and these.

    Raises:
        ValueError: If a value is not allowed.
    """

    per_request: PositiveInt = 20
    """Most questions that a request names or sorts."""


@final
class LanguageModelDiscovery(SkillDiscovery):
    """Has a language model name the skill of every question, and group the names into categories.

    Three stages after Didolkar et al. 2024 (arXiv:2405.12205), which DataEnvGym uses too: a name for each question's
    skill; one request that groups all names into at most so many categories; and each question to the category that
    its name is a member of. Questions whose name is in no category, or in several, are sorted in a further request.
    Differs from the source: questions are named many at a time; there is a bound to the number of categories; what
    nobody could sort goes to the category whose name and members it shares most words with, or to one called
    ``other``, if the bound has room for it; and the student's answers play no part.

    Args:
        settings: A ``LanguageModelDiscoverySettings``, with a model.
        send: Sends a request, in place of the endpoint in the settings; for tests.

    Raises:
        ValueError: If no model is named.
    """

    Settings = LanguageModelDiscoverySettings
    settings: LanguageModelDiscoverySettings

    def __init__(self, settings: LanguageModelDiscoverySettings | None = None, *, send: Send | None = None) -> None:
        super().__init__(settings)
        self.client = LanguageModelClient(self.settings, send=send)

    def discover(self, answers: Sequence[Answer], count: int, rng: np.random.Generator) -> DiscoveredSkills:
        """Ask.

        Raises:
            LanguageModelError: If the model can't be asked, or gives no categories that can be used.
        """
        check_whole("count", count, 1)
        serial = int(rng.integers(2**63))
        names = self._name(answers, serial)
        groups = self._group(names, count, serial)
        owners: dict[str, set[str]] = {}
        for group, members in groups.items():
            for member in (group, *members):
                owners.setdefault(snake_case(member), set()).add(group)
        placed: list[str | None] = []
        for name in names:
            found = owners.get(name, set())
            placed.append(next(iter(found)) if len(found) == 1 else None)
        choices = (*groups, OTHER) if len(groups) < count else tuple(groups)
        self._sort(answers, choices, placed, serial)
        return _numbered(
            [
                group or _nearest(f"{name} {answer.example.prompt}", groups, choices)
                for group, name, answer in zip(placed, names, answers, strict=True)
            ]
        )

    def _name(self, answers: Sequence[Answer], serial: int) -> list[str]:
        """A name for every question; empty where the model gave none."""
        names = [""] * len(answers)
        chunks = _chunks(list(range(len(answers))), self.settings.per_request)
        questions = [
            Question(
                (Message("system", _NAMER), _numbered_questions(answers, chunk, "Name the skill of each question.")),
                _NAMES,
                (serial, 0, place),
                lambda answer, chunk=chunk: _complaint(answer["skills"], chunk),  # type: ignore[misc]
            )
            for place, chunk in enumerate(chunks)
        ]
        for answer in _usable(ask_many(self.client, questions)):
            for entry in answer["skills"]:
                names[int(entry["number"])] = snake_case(entry["skill"])
        return names

    def _group(self, names: Sequence[str], count: int, serial: int) -> dict[str, list[str]]:
        """Categories with their members, in order."""
        listed = "\n".join(f"- {name} ({times})" for name, times in Counter(filter(None, names)).most_common())
        words = (
            f"Sort these names of skills, each with the number of its questions, into at most {count} "
            f"categor{'ies' if count > 1 else 'y'}:\n{listed}"
        )

        def check(answer: Any) -> str | None:
            found = [snake_case(entry["name"]) for entry in answer["categories"]]
            if not 1 <= len(found) <= count:
                return f"there are {len(found)} categories; give at least 1 and at most {count}"
            if not all(found) or len(set(found)) < len(found):
                return "two categories have the same name, or one has none; give each a name of its own"
            return None

        question = Question((Message("system", _GROUPER), Message("user", words)), _GROUPS, (serial, 1), check)
        answer = ask(self.client, question)
        return {snake_case(entry["name"]): list(entry["skills"]) for entry in answer["categories"]}

    def _sort(self, answers: Sequence[Answer], choices: Sequence[str], placed: list[str | None], serial: int) -> None:
        """Ask for the category of questions that have none."""
        left = [place for place, group in enumerate(placed) if group is None]
        words = f"Sort each question into one of these categories: {', '.join(choices)}."

        def check(answer: Any, chunk: list[int]) -> str | None:
            strange = [one["category"] for one in answer["questions"] if snake_case(one["category"]) not in choices]
            if strange:
                return f"{strange[0]!r} is none of the categories {', '.join(choices)}"
            return _complaint(answer["questions"], chunk)

        questions = [
            Question(
                (Message("system", _SORTER), _numbered_questions(answers, chunk, words)),
                _PLACES,
                (serial, 2, place),
                lambda answer, chunk=chunk: check(answer, chunk),  # type: ignore[misc]
            )
            for place, chunk in enumerate(_chunks(left, self.settings.per_request))
        ]
        for answer in _usable(ask_many(self.client, questions)):
            for entry in answer["questions"]:
                placed[int(entry["number"])] = snake_case(entry["category"])


def _nearest(words: str, groups: dict[str, list[str]], choices: Sequence[str]) -> str:
    """The category that shares most words; where none shares any, ``other`` if there is room for it, or the first."""
    wanted = _words(words)
    shared = {group: len(wanted & _words(" ".join((group, *members)))) for group, members in groups.items()}
    best = max(shared, key=lambda group: shared[group])
    return best if shared[best] or OTHER not in choices else OTHER


def snake_case(words: str) -> str:
    """A name in lower-case words, joined by underscores."""
    return "_".join(re.findall(r"[^\W_]+", words.lower()))


def _words(text: str) -> set[str]:
    return set(snake_case(text).split("_"))


def _chunks(places: Sequence[int], size: int) -> list[list[int]]:
    return [list(places[start : start + size]) for start in range(0, len(places), size)]


def _numbered_questions(answers: Sequence[Answer], places: Sequence[int], words: str) -> Message:
    listed = "\n\n".join(f"Question {place}: {answers[place].example.prompt}" for place in places)
    images = tuple(image for place in places if (image := answers[place].example.image) is not None)
    about = " The images are theirs, in order." if images else ""
    return Message("user", f"{words} Refer to questions by their numbers.{about}\n\n{listed}", images)


def _complaint(entries: Sequence[dict[str, Any]], places: Sequence[int]) -> str | None:
    """What is wrong with answers about questions by number."""
    given = [entry["number"] for entry in entries]
    missing, extra = sorted(set(places) - set(given)), sorted(set(given) - set(places))
    if extra or len(set(given)) < len(given):
        return f"there are numbers that were not asked for, or twice; answer for each of {list(places)} once"
    return f"questions {missing} are missing" if missing else None


def _usable(answers: Sequence[Any]) -> list[Any]:
    """Answers without those that the model failed at; other failures are raised."""
    for answer in answers:
        if isinstance(answer, LanguageModelError) and not isinstance(answer, UnusableReplyError):
            raise answer
    return [answer for answer in answers if not isinstance(answer, LanguageModelError)]


def _numbered(groups: Sequence[str]) -> DiscoveredSkills:
    """Categories that have members, by where they first appear, and each question's number."""
    names = list(dict.fromkeys(groups))
    return DiscoveredSkills(names, [names.index(group) for group in groups])
