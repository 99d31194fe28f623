"""A teacher that reads: it does what the model says, as an action of the space, and what it falls back on."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import Space, spaces

from teachgym import Transition
from teachgym.agents.language.language_model import LanguageModel, LanguageModelSettings
from teachgym.base.files import read_state, write_state
from teachgym.core.requirements import Requirements
from teachgym.core.spec import TeachingSpec
from teachgym.data.spaces import AnyText, Examples, Orders, Shares
from teachgym.data.tree_plan import TreePlans
from teachgym.language_model import EndpointError, NotInCacheError, Reply, Request
from teachgym.testing import check_teacher
from teachgym.testing.equality import difference
from tests.data.toy import settings as toy
from tests.language_model.endpoint import FakeEndpoint, Says, endpoint

NAMES = ("adding", "carrying", "borrowing")
SHOWN = {"number": 2, "prompt": "7 + 8", "expected": "15", "given": "5"}
SPACES: dict[str, Space[Any]] = {
    "shares": Shares(3),
    "tree": TreePlans(3, 2, 50),
    "orders": Orders(4, 50, longest=30),
    "examples": Examples(longest=20),
}


def spec(acts: str, **changes: Any) -> TeachingSpec:
    return replace(TeachingSpec(SPACES[acts], AnyText(10**6), (0.0, 1.0), 0.9, skills=NAMES), **changes)


def report(**more: Any) -> str:
    return json.dumps({"subject": "sums", "progress": 0.0, "examples_now": 10, **more})


def answer(acts: str, entries: list[dict[str, Any]]) -> str:
    name = {"shares": "shares", "tree": "skills", "orders": "orders", "examples": "examples"}[acts]
    return json.dumps({"reasoning": "because", name: entries})


def chosen(fake: FakeEndpoint, **changes: Any) -> LanguageModelSettings:
    return LanguageModelSettings(**{**vars(fake.settings()), **changes})


def act(
    acts: str, says: list[Says | str] | Says | str, observation: str = "", **changes: Any
) -> tuple[Any, LanguageModel, FakeEndpoint]:
    """One action where the model says this, one thing after the other."""
    said = says if isinstance(says, list) else [says]
    with endpoint(lambda body, number: said[min(number, len(said) - 1)]) as fake:
        teacher = LanguageModel(spec(acts), chosen(fake, acts=acts, **changes), seed=0)
        action = teacher.act(observation or report())
    assert action in spec(acts).action_space
    return action, teacher, fake


def test_shares_are_those_of_the_model_scaled_to_one() -> None:
    entries = [{"skill": "borrowing", "share": 30}, {"skill": "adding", "share": 10}]
    action, teacher, _ = act("shares", answer("shares", entries))
    assert action == pytest.approx([0.25, 0.0, 0.75])
    assert action.dtype == np.float32
    assert teacher.origin == "model"


def test_skills_that_were_discovered_go_by_the_names_of_the_report() -> None:
    seen = report(skills=[{"name": name} for name in ("red", "green", "blue")])
    action, _, _ = act("shares", answer("shares", [{"skill": "green", "share": 1}]), seen)
    assert action.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("acts", "entries", "told"),
    [
        ("shares", [{"skill": "ading", "share": 1}], "unknown skill 'ading'; did you mean 'adding'?"),
        ("shares", [{"skill": "adding", "share": 1}, {"skill": "adding", "share": 2}], "'adding' is there more than"),
        ("shares", [{"skill": "adding", "share": -1}], "below 0"),
        ("shares", [{"skill": "adding", "share": 10**400}], "above 1,000,000"),
        ("shares", [{"skill": "adding", "share": 0}], "all shares are 0"),
        ("shares", [], "all shares are 0"),
        ("tree", [{"skill": "x", "decision": "explore", "new": 1, "each": 1, "changes": []}], "unknown skill 'x'"),
        ("tree", [{"skill": "adding", "decision": "wait", "new": 0, "each": 0, "changes": []}], "is not one of"),
        ("tree", [{"skill": "adding", "decision": "explore", "new": -1, "each": 0, "changes": []}], "negative"),
        (
            "tree",
            [{"skill": "adding", "decision": "exploit", "new": 0, "each": 0, "changes": [{"slot": 3, "change": 1}]}],
            "has no slot 3; slots are 1 to 2",
        ),
        ("orders", [{"like": 1, "count": 1, "note": ""}], "there is no error 1; there are 2"),
        ("orders", [{"like": 2, "count": -1, "note": ""}], "is negative"),
        ("orders", [{"like": 2, "count": 1}], "'note' is a required property"),
        ("examples", [{"prompt": "", "target": "1"}], "there is no example"),
        ("examples", [{"prompt": "far longer than allowed", "target": "1"}], "there is no example"),
    ],
)
def test_what_can_not_be_done_is_told_to_the_model_and_then_given_up(
    acts: str, entries: list[dict[str, Any]], told: str
) -> None:
    seen = report(errors=[SHOWN])
    action, teacher, fake = act(acts, answer(acts, entries), seen, corrections=1)
    assert len(fake.bodies) == 2
    assert told in fake.prompt()
    assert teacher.origin.startswith("default: model 'toy' gave no usable answer in 2 tries")
    default, _, _ = act(acts, Says(None, refusal="no"), seen)
    assert difference(action, default) is None


def test_a_tree_is_explored_and_exploited_by_name_and_slot() -> None:
    entries: list[dict[str, Any]] = [
        {"skill": "carrying", "decision": "explore", "new": 9, "each": 7, "changes": [{"slot": 1, "change": 4}]},
        {
            "skill": "borrowing",
            "decision": "exploit",
            "new": 2,
            "each": 2,
            "changes": [{"slot": 2, "change": -5}, {"slot": 1, "change": 999.0}],
        },
    ]
    action, _, _ = act("tree", answer("tree", entries))
    assert action["explore"].tolist() == [0, 1, 0]
    assert action["new"].tolist() == [0, 2, 0]  # no more than there are slots
    assert action["each"].tolist() == [0, 7, 0]
    assert action["change"].tolist() == [[0, 0], [0, 0], [50, -5]]


def test_orders_name_errors_counts_and_what_is_to_be_known() -> None:
    entries = [{"like": 2, "count": 4, "note": "carries"}, {"like": 2, "count": 10**30, "note": "x" * 40}]
    action, _, _ = act("orders", answer("orders", entries), report(errors=[SHOWN]))
    assert [(int(one["like"]), int(one["count"]), one["note"]) for one in action] == [
        (2, 4, "carries"),
        (2, 50, "x" * 30),
    ]
    assert action[0]["count"].shape == ()
    action, _, _ = act("orders", answer("orders", [{"like": 3, "count": 0, "note": ""}]), "no report")
    assert int(action[0]["like"]) == 3


def test_examples_are_the_models_own_without_blank_long_and_repeated_ones() -> None:
    pairs = [("1 + 1", "2"), ("1  + 1", "3"), ("2 + 2", " "), ("y" * 21, "1"), ("2 + 2", "4")]
    entries = [{"prompt": prompt, "target": target} for prompt, target in pairs]
    action, _, _ = act("examples", answer("examples", entries))
    assert [tuple(one.values()) for one in action] == [("1 + 1", "2"), ("2 + 2", "4")]


@pytest.mark.parametrize(
    "says", ["I can't", Says(None), Says(None, refusal="no"), Says('{"shares": [', finish="length")]
)
def test_without_a_usable_answer_it_does_what_its_documentation_says(says: Says | str) -> None:
    shares, teacher, _ = act("shares", says)
    assert shares == pytest.approx([1 / 3] * 3)
    assert teacher.origin.startswith("default: model 'toy'")
    tree, _, _ = act("tree", says)
    assert not any(numbers.any() for numbers in tree.values())
    orders, _, _ = act("orders", says, report(errors=[{"number": k, "prompt": "p"} for k in (0, 1, 3)]))
    assert [(int(one["like"]), int(one["count"])) for one in orders] == [(0, 4), (1, 3), (3, 3)]
    assert len(act("orders", says, "no report")[0]) == 4
    assert act("examples", says)[0] == ()


def test_it_is_reminded_of_the_latest_steps_and_what_they_were_paid() -> None:
    with endpoint(lambda body, number: answer("shares", [{"skill": NAMES[number % 3], "share": 1}])) as fake:
        teacher = LanguageModel(spec("shares"), chosen(fake, memory=2), seed=0)
        for step in range(4):
            seen = report(step=step)
            action = teacher.act(seen)
            if step != 1:
                teacher.update(Transition(seen, action, step / 8, report(), False, None))
        messages = fake.bodies[-1]["messages"]
        first = fake.bodies[0]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [f'"step": {step}' in messages[place]["content"] for place, step in ((1, 1), (3, 2), (5, 3))] == [True] * 3
    assert "carrying" in messages[2]["content"]
    assert "borrowing" in messages[4]["content"]
    assert ["The reward for this was" in messages[place]["content"] for place in (1, 3, 5)] == [False, False, True]
    assert "was 0.25." in messages[5]["content"]
    assert len(first) == 2
    with endpoint(answer("shares", [{"skill": "adding", "share": 1}])) as fake:
        teacher = LanguageModel(spec("shares"), chosen(fake, memory=0), seed=0)
        for _ in range(2):
            teacher.act(report())
        assert len(fake.bodies[1]["messages"]) == 2


def by_length(request: Request) -> Reply:
    """A model whose answer depends on all that it is told, and on the seed."""
    told = sum(len(message.text) for message in request.messages) + request.serial[0] % 1000
    if told % 5 == 0:
        return Reply("no answer", 3, 1)
    return Reply(answer("shares", [{"skill": NAMES[told % 3], "share": 1 + told % 7}, *_more(told)]), told, 5)


def _more(told: int) -> list[dict[str, Any]]:
    return [{"skill": NAMES[(told + 1) % 3], "share": 2}]


@pytest.mark.parametrize("memory", [0, 3])
def test_it_keeps_the_contract_of_every_teacher(memory: int) -> None:
    def make(spec: TeachingSpec, *, seed: int) -> LanguageModel:
        chosen = LanguageModelSettings(memory=memory, corrections=1)
        return LanguageModel(spec, chosen, seed=seed, send=by_length)

    check_teacher(make, specs=[replace(spec("shares"), observation_space=AnyText(200))], episodes=40)


class Episode:
    """A whole episode in a data-generation environment, with the model behind the endpoint."""

    def __init__(self, name: str, acts: str, fake_settings: LanguageModelSettings, **arguments: Any) -> None:
        self.env: Any = gymnasium.make(
            f"teachgym/{name}-v0",
            disable_env_checker=True,
            observation="text",
            rounds=3,
            **arguments,
            **toy(budget=90),
        )
        self.settings = replace(fake_settings, acts=acts)  # type: ignore[arg-type]

    def play(self, folder: Path | None = None) -> tuple[list[Any], LanguageModel]:
        """Actions, rewards and origins; with a folder, another teacher takes over from a file before every step."""
        spec = self.env.unwrapped.teaching_spec
        teacher, seen = LanguageModel(spec, self.settings, seed=5), []
        observation, _ = self.env.reset(seed=5)
        over = False
        while not over:
            if folder is not None:
                write_state(folder / "teacher.npz", teacher.state_dict())
                teacher = LanguageModel(spec, self.settings, seed=6)
                teacher.load_state_dict(read_state(folder / "teacher.npz"))
            action = teacher.act(observation)
            assert action in spec.action_space
            following, reward, over, _, _ = self.env.step(action)
            teacher.update(Transition(observation, action, reward, following, over, None))
            seen.append((action, reward, teacher.origin))
            observation = following
        return seen, teacher


def reader(acts: str) -> Callable[[dict[str, Any], int], Says | str]:
    """A model that reads the report, and does something sensible that differs from call to call."""

    def behave(body: dict[str, Any], number: int) -> Says | str:
        words = body["messages"][-1]["content"]
        seen = json.loads(words[words.index("{") : words.index("\n\nAnswer with")])
        now = seen["examples_now"]
        if acts == "shares":
            weak = min(seen["skills"], key=lambda skill: skill["accuracy"])["name"]
            rest = [{"skill": name, "share": number % 2} for name in ("same", "double") if name != weak]
            return answer(acts, [{"skill": weak, "share": 9}, *rest])
        if acts == "tree":
            names = [skill["name"] for skill in seen["skills"]]
            fresh = all(not skill["subskills"] for skill in seen["skills"])
            new = {"decision": "explore" if fresh else "exploit", "new": 1, "each": 9}
            change = [] if fresh else [{"slot": 1, "change": 1 + number % 2}]
            return answer(acts, [{"skill": name, "changes": change, **new} for name in names])
        if acts == "orders":
            return answer(acts, [{"like": one["number"], "count": 2, "note": "more"} for one in seen["errors"]])
        pairs = [(f"same {10**6 + 100 * number + k}", str(10**6 + 100 * number + k)) for k in range(now)]
        return answer(acts, [{"prompt": prompt, "target": target} for prompt, target in pairs])

    return behave


ENVIRONMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "shares": ("SkillList", {"action": "shares"}),
    "tree": ("SkillTree", {"action": "plan"}),
    "orders": ("OpenEnded", {"action": "plan"}),
    "examples": ("OpenEnded", {"action": "examples"}),
}


@pytest.mark.parametrize("acts", ENVIRONMENTS)
def test_it_teaches_in_its_environment_resumes_and_plays_again_offline(acts: str, tmp_path: Path) -> None:
    name, arguments = ENVIRONMENTS[acts]
    with endpoint(reader(acts)) as fake:
        live = chosen(fake, cache=str(tmp_path / "cache"), price_input=1.0)
        episode = Episode(name, acts, live, **arguments)
        first, teacher = episode.play()
    assert [origin for _, _, origin in first] == ["model"] * len(first)
    assert sum(reward for _, reward, _ in first) > 0
    episode.settings = replace(episode.settings, offline=True)
    for folder in (None, tmp_path):
        again, other = episode.play(folder)
        assert difference(first, again) is None
        assert difference(teacher.state_dict(), other.state_dict()) is None
    with pytest.raises(NotInCacheError):
        LanguageModel(episode.env.unwrapped.teaching_spec, episode.settings, seed=7).act(report())


def test_an_endpoint_that_is_not_there_is_an_error_and_no_default() -> None:
    with pytest.raises(EndpointError, match="Check that the endpoint runs"):
        act("shares", Says(status=500))


def test_the_limit_goes_on_from_a_saved_state() -> None:
    def send(request: Request) -> Reply:
        return Reply(answer("shares", [{"skill": "adding", "share": 1}]), 100, 100)

    settings = LanguageModelSettings(token_limit=6000, max_tokens=100, memory=0)
    teacher = LanguageModel(spec("shares"), settings, seed=0, send=send)
    teacher.act(report())
    fresh = LanguageModel(spec("shares"), settings, seed=1, send=send)
    fresh.load_state_dict(teacher.state_dict())
    assert fresh.client.usage.tokens == teacher.client.usage.tokens == 200


def test_it_needs_text_the_action_it_takes_and_a_model() -> None:
    for acts, space in SPACES.items():
        settings = LanguageModelSettings(model="toy", acts=acts)  # type: ignore[arg-type]
        assert LanguageModel.requirements(settings) == Requirements((type(space),), spaces.Text)
        with pytest.raises(ValueError, match="it reads Text, and the observation space is Box"):
            LanguageModel(spec(acts, observation_space=spaces.Box(0, 1)), settings, seed=0)
    with pytest.raises(ValueError, match="name the model"):
        LanguageModel(spec("shares"), seed=0)
    with pytest.raises(ValueError, match="acts is 'dance'"):
        LanguageModelSettings(acts="dance")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="memory is -1"):
        LanguageModelSettings(memory=-1)
