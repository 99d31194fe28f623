"""Skills that a language model finds: named, grouped and sorted in three stages, whatever it says."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from teachgym.data.discovery import DiscoveredSkills
from teachgym.data.example import Answer
from teachgym.envs.data.discovery.discoveries import make_discovery
from teachgym.envs.data.discovery.language_model_discovery import (
    LanguageModelDiscovery,
    LanguageModelDiscoverySettings,
    snake_case,
)
from teachgym.language_model import EndpointError, UnusableReplyError
from tests.data.toy import Numbers, settings
from tests.language_model.endpoint import FakeEndpoint, Says, endpoint

TASK = Numbers()
ANSWERS = TASK.mark(TASK.validation, ["?"] * len(TASK.validation))
SKILLS = [one.skill for one in TASK.validation]


def asked(body: dict[str, Any]) -> dict[int, str]:
    """The questions of a request, by number."""
    content = body["messages"][1]["content"]
    return {int(number): words for number, words in re.findall(r"Question (\d+): (.*)", content)}


class Model:
    """Names the skill after the first word of the question; each stage can be spoilt."""

    def __init__(
        self,
        name: Callable[[str], str] = lambda question: question.split()[0],
        groups: dict[str, list[str]] | None = None,
        sort: Callable[[str], str] = lambda question: question.split()[0],
    ) -> None:
        self.name, self.sort = name, sort
        self.groups = {skill: [skill] for skill in TASK.skill_names} if groups is None else groups
        self.stages: list[str] = []

    def __call__(self, body: dict[str, Any], number: int) -> Says | str:
        stage = body["messages"][0]["content"].split()[1]
        self.stages.append(stage)
        if stage == "name":
            entries = [{"number": n, "skill": self.name(words)} for n, words in asked(body).items()]
            return json.dumps({"skills": entries})
        if "Sort these names" in body["messages"][1]["content"]:
            self.stages[-1] = "group"
            entries = [{"name": name, "skills": members} for name, members in self.groups.items()]
            return json.dumps({"categories": entries})
        entries = [{"number": n, "category": self.sort(words)} for n, words in asked(body).items()]
        return json.dumps({"questions": entries})


def chosen(fake: FakeEndpoint, **changes: Any) -> LanguageModelDiscoverySettings:
    return LanguageModelDiscoverySettings(**{**vars(fake.settings()), **changes})


def discover(model: Any, count: int = 3, answers: list[Answer] = ANSWERS, **changes: Any) -> DiscoveredSkills:
    with endpoint(model) as fake:
        found = LanguageModelDiscovery(chosen(fake, **changes)).discover(answers, count, np.random.default_rng(0))
    assert len(found.labels) == len(answers)
    assert len(found.names) <= count
    assert len(set(found.names)) == len(found.names)
    assert set(found.labels) == set(range(len(found.names)))
    return found


def named(found: DiscoveredSkills) -> list[str]:
    return [found.names[label] for label in found.labels]


def test_questions_are_named_in_batches_the_names_grouped_once_and_nothing_asked_that_is_known() -> None:
    model = Model(name=lambda question: f"Say {question.split()[0]}!", groups={s: [f"say_{s}"] for s in set(SKILLS)})
    found = discover(model, per_request=10)
    assert named(found) == SKILLS
    assert sorted(model.stages) == ["group", *["name"] * 4]  # 36 questions, 10 at a time
    assert found.names == list(dict.fromkeys(SKILLS))  # by where they first appear


def test_the_model_is_told_how_many_categories_and_how_often_each_name_comes() -> None:
    with endpoint(Model()) as fake:
        LanguageModelDiscovery(chosen(fake)).discover(ANSWERS, 3, np.random.default_rng(0))
        (words,) = [
            body["messages"][1]["content"] for body in fake.bodies if "Sort these" in body["messages"][1]["content"]
        ]
    assert "at most 3 categories" in words
    for skill in set(SKILLS):
        assert f"- {skill} (12)" in words


@pytest.mark.parametrize("groups", [{"same": ["same"], "rest": []}, {"same": ["same"], "rest": ["same", "next"]}])
def test_questions_without_a_category_of_their_own_are_sorted_one_by_one(groups: dict[str, list[str]]) -> None:
    model = Model(groups=groups, sort=lambda question: "same" if question.startswith("same") else "Rest")
    found = discover(model, count=2)
    assert named(found) == ["same" if skill == "same" else "rest" for skill in SKILLS]
    assert "questions" not in model.stages
    assert model.stages.count("sort") >= 1


def test_what_fits_nowhere_is_other_if_there_is_room_and_else_what_shares_most_words() -> None:
    groups = {"same": ["same"]}
    found = discover(Model(groups=groups, sort=lambda question: "other"), count=2)
    assert named(found) == ["same" if skill == "same" else "other" for skill in SKILLS]
    crowded = Model(name=lambda question: "?", groups={"the_next_one": [], "same": []}, sort=lambda question: "other")
    found = discover(crowded, count=2)
    wanted = {"next": "the_next_one", "same": "same", "double": "the_next_one"}
    assert named(found) == [wanted[skill] for skill in SKILLS]


def test_names_that_a_model_can_not_give_do_not_stop_it() -> None:
    def mute(body: dict[str, Any], number: int) -> Says | str:
        model = Model()
        said = model(body, number)
        return said if model.stages == ["group"] else Says(None, refusal="no")

    found = discover(mute, corrections=0)
    assert named(found) == SKILLS  # by the words that questions share with categories


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"a": [], "b": [], "c": [], "d": []}, "there are 4 categories; give at least 1 and at most 3"),
        ({}, "there are 0 categories"),
        ({"a": [], "A!": []}, "two categories have the same name"),
        ({"?": []}, "or one has none"),
    ],
)
def test_categories_that_are_none_are_corrected(wrong: dict[str, list[str]], told: str) -> None:
    model = Model(groups=wrong)

    def behave(body: dict[str, Any], number: int) -> Says | str:
        if "can't be used" in body["messages"][-1]["content"]:
            assert told in body["messages"][-1]["content"]
            return Model()(body, number)
        return model(body, number)

    assert named(discover(behave)) == SKILLS
    with pytest.raises(UnusableReplyError, match=re.escape(told)):
        discover(model)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda entries: entries[1:], r"questions \[0\] are missing"),
        (lambda entries: [*entries, entries[0]], "or twice"),
        (lambda entries: [*entries, {"number": 999, "skill": "x"}], "not asked for"),
    ],
)
def test_names_for_other_questions_than_were_asked_are_corrected(spoil: Any, told: str) -> None:
    corrected: list[str] = []

    def behave(body: dict[str, Any], number: int) -> Says | str:
        said = Model()(body, number)
        assert isinstance(said, str)
        if "can't be used" in body["messages"][-1]["content"]:
            corrected.append(body["messages"][-1]["content"])
        elif body["messages"][0]["content"].startswith("You name") and 0 in asked(body):
            return json.dumps({"skills": spoil(json.loads(said)["skills"])})
        return said

    assert named(discover(behave)) == SKILLS
    assert len(corrected) == 1
    assert re.search(told, corrected[0])


def test_one_skill_and_one_question_are_enough() -> None:
    found = discover(Model(groups={"everything": list(TASK.skill_names)}), count=1)
    assert found.names == ["everything"]
    assert discover(Model(), count=5, answers=ANSWERS[:1]).labels == [0]


def test_an_endpoint_that_is_not_there_is_an_error() -> None:
    with pytest.raises(EndpointError, match="Check that the endpoint runs"):
        discover(Says(status=500))


def test_it_plays_again_when_the_endpoint_is_gone(tmp_path: Path) -> None:
    with endpoint(Model(groups={"same": ["same"], "b": []}, sort=lambda question: "b")) as fake:
        live = chosen(fake, cache=str(tmp_path), per_request=7)
        first = LanguageModelDiscovery(live).discover(ANSWERS, 3, np.random.default_rng(1))
    gone = LanguageModelDiscovery(replace(live, offline=True))
    assert gone.discover(ANSWERS, 3, np.random.default_rng(1)) == first


def test_names_become_snake_case() -> None:
    assert snake_case("  Adding two-digit numbers, carefully! ") == "adding_two_digit_numbers_carefully"
    assert snake_case("Größe_messen") == "größe_messen"
    assert snake_case("?!") == ""


def test_it_is_found_by_name_and_drives_a_skill_list() -> None:
    with pytest.raises(ValueError, match="name the model"):
        make_discovery("language-model")
    with pytest.raises(ValueError, match="per_request is 0"):
        make_discovery("language-model", model="toy", per_request=0)
    with endpoint(Model()) as fake:
        arguments = settings(
            discovery="language-model", discovery_settings=vars(chosen(fake)), discovered=4, action="discrete", rounds=2
        )
        env: Any = gymnasium.make("teachgym/SkillList-v0", disable_env_checker=True, **arguments)
        _, info = env.reset(seed=0)
    assert set(TASK.skill_names) <= set(info["skill_accuracy"])
