"""Examples from a language model: as many as were ordered, whatever it does, and the same ones again from the cache."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from teachgym.data.engine import Batch, EngineError, Order
from teachgym.data.example import Answer, Example
from teachgym.data.subject import Subject
from teachgym.envs.data.engines.engines import make_data_engine
from teachgym.envs.data.engines.language_model_engine import LanguageModelEngine, LanguageModelEngineSettings
from tests.data.toy import Numbers, settings
from tests.language_model.endpoint import FakeEndpoint, Says, endpoint, last_words

PRICES: dict[str, Any] = {"price_input": 1.0, "price_output": 1.0}


def wanted(body: dict[str, Any]) -> int:
    """How many examples a request asks for."""
    found = re.search(r"Write (\d+) new example", last_words(body))
    assert found is not None
    return int(found[1])


def examples(prompts: list[str]) -> str:
    return json.dumps({"examples": [{"prompt": prompt, "target": prompt.split()[-1]} for prompt in prompts]})


def writer(body: dict[str, Any], number: int) -> str:
    """As many examples as are wanted, all new."""
    return examples([f"same {100_000 + 1000 * number + k}" for k in range(wanted(body))])


def engine(fake: FakeEndpoint, subject: Subject | None = None, **changes: Any) -> LanguageModelEngine:
    return LanguageModelEngine(subject or Numbers(), engine_settings(fake, **changes))


def engine_settings(fake: FakeEndpoint, **changes: Any) -> LanguageModelEngineSettings:
    return LanguageModelEngineSettings(**{**vars(fake.settings()), **changes})


def make(fake_engine: LanguageModelEngine, *orders: Order, seed: int = 0, **more: Any) -> Batch:
    return fake_engine.make(orders, np.random.default_rng(seed), **more)


def texts(batch: Batch) -> list[list[tuple[str, str, tuple[str, ...]]]]:
    return [[(one.prompt, one.target, one.path) for one in made] for made in batch.examples]


@pytest.mark.parametrize("too_many", [0, 3])
def test_every_order_is_filled_to_the_example(too_many: int) -> None:
    def generous(body: dict[str, Any], number: int) -> str:
        return examples([f"same {1000 * number + k}" for k in range(wanted(body) + too_many)])

    counts = [0, 1, 7, 20, 41]
    with endpoint(generous) as fake:
        batch = make(engine(fake), *(Order(count, ("same", "small")) for count in counts))
        assert sorted(wanted(body) for body in fake.bodies) == [1, 1, 7, 20, 20, 20]
    assert [len(made) for made in batch.examples] == counts
    assert batch.failures == []
    assert {one.path for made in batch.examples for one in made} == {("same", "small")}
    prompts = [one.prompt for made in batch.examples for one in made]
    assert len(set(prompts)) == sum(counts)


def test_latex_that_is_not_escaped_is_learnt_as_it_is_meant() -> None:
    targets = [rf"\frac{{{number}}}{{2}} \neq \theta" for number in range(15)]
    entries = ", ".join(f'{{"prompt": "same {k}, \\beta", "target": "{target}"}}' for k, target in enumerate(targets))
    with endpoint(f'{{"examples": [{entries}]}}') as fake:
        batch = make(engine(fake), Order(15))
    assert [one.target for one in batch.examples[0]] == targets
    assert [one.prompt for one in batch.examples[0]] == [rf"same {k}, \beta" for k in range(15)]


def test_what_is_missing_is_asked_for_again_and_no_more_than_that() -> None:
    def stingy(body: dict[str, Any], number: int) -> str:
        return examples([f"same {1000 * number + k}" for k in range((wanted(body) + 1) // 2)])

    with endpoint(stingy) as fake:
        batch = make(engine(fake, refills=2), Order(16))
        assert [wanted(body) for body in fake.bodies] == [16, 8, 4]
        assert "These have been made; make others:\n- same 0\n" in last_words(fake.bodies[1])
    assert [len(made) for made in batch.examples] == [14]
    assert batch.failures == ["order 0: 14 of 16 examples were made; the model gave too few that were new"]


def test_blank_repeated_and_copied_examples_are_left_out() -> None:
    like = Example("same 5", "5")

    def lazy(body: dict[str, Any], number: int) -> str:
        if number:
            return examples([f"same {number}1", f"same {number}2", f"same {number}3"])
        pairs = [("same 1", "1"), ("SAME  1", "1"), ("", "2"), ("same 3", " "), ("same 5", "5"), ("same 6", "6")]
        return json.dumps({"examples": [{"prompt": prompt, "target": target} for prompt, target in pairs]})

    with endpoint(lazy) as fake:
        batch = make(engine(fake), Order(4, like=(like,)))
    assert [one.prompt for one in batch.examples[0]] == ["same 1", "same 6", "same 11", "same 12"]


def test_two_orders_of_one_plan_get_no_example_twice() -> None:
    with endpoint(lambda body, number: examples([f"same {k}" for k in range(10)])) as fake:
        batch = make(engine(fake, refills=0), Order(6), Order(6))
    assert [one.prompt for made in batch.examples for one in made] == [f"same {k}" for k in range(10)]
    assert len(batch.failures) == 1


def test_the_model_is_told_what_the_order_says() -> None:
    like = tuple(Example(f"double {k}", str(2 * k), ("double", "small")) for k in range(10))
    mistakes = tuple(Answer(example, f"wrong-{example.target}", 0.0, False) for example in like)
    order = Order(2, ("double", "small"), like, mistakes, "it carries badly")
    with endpoint(writer) as fake:
        make(engine(fake, shown=4), order)
        told = fake.prompt()
        make(engine(fake, shown=4, include_mistakes=False), order)
        blind = fake.prompt()
    assert "Say a number again, or the one after it, or its double" in told
    for part in ("double / small", "it carries badly", "Write 2 new examples"):
        assert part in told
        assert part in blind
    assert told.count("\ntarget: ") == blind.count("\ntarget: ") == 4
    assert told.count("the student's answer: wrong-") == 4
    assert "wrong-" not in blind


def test_without_examples_in_the_order_the_task_shows_the_form() -> None:
    with endpoint(writer) as fake:
        make(engine(fake), Order(1, ("double",)))
        assert len(re.findall(r"prompt: double (\d+)\ntarget: \d+", fake.prompt())) == 3
        make(engine(fake), Order(1, ("a discovered skill",)))
        assert "Examples of the kind" not in fake.prompt()
        make(engine(fake, shown=0), Order(1, ("double",)))
        assert "Examples of the kind" not in fake.prompt()


class Described(Numbers):
    """Not this."""

    description = "Numbers, in other words"
    answers = ("0", "1", "2")


def test_a_task_may_describe_itself_and_name_its_answers() -> None:
    with endpoint(writer) as fake:
        make(engine(fake, Described()), Order(1))
        assert "The subject: Numbers, in other words" in fake.prompt()
        assert "A target is one of: 0, 1, 2" in fake.prompt()
        assert "Not this" not in fake.prompt()


def test_questions_about_images_carry_the_image_that_the_model_was_shown() -> None:
    pictures = [np.full((4, 4, 3), shade, dtype=np.uint8) for shade in (10, 200)]
    like = tuple(Example("which shade?", str(k), image=picture) for k, picture in enumerate(pictures))
    with endpoint(lambda body, number: examples([f"how dark? {k}" for k in range(2)])) as fake:
        batch = make(engine(fake, per_request=2, concurrency=1), Order(4, like=like))
        sent = [body["messages"][-1]["content"][1]["image_url"]["url"] for body in fake.bodies]
    assert sent[0] != sent[1]
    shades = [int(one.image[0, 0, 0]) for one in batch.examples[0] if one.image is not None]
    assert sorted(shades) == [10, 10, 200, 200]


def test_a_refused_order_is_told_and_the_rest_is_made() -> None:
    def picky(body: dict[str, Any], number: int) -> Says | str:
        return Says(None, refusal="not that") if "/ large" in last_words(body) else writer(body, number)

    orders = [Order(3, ("same", size)) for size in ("small", "large", "middle")]
    with endpoint(picky) as fake:
        batch = make(engine(fake), *orders)
    assert [len(made) for made in batch.examples] == [3, 0, 3]
    assert len(batch.failures) == 1
    assert batch.failures[0].startswith("order 1 (same / large): 0 of 3 examples were made; model 'toy' refuses")


@pytest.mark.parametrize(
    "says", [Says("nonsense"), Says('{"examples": [{"prompt": "same 1"}]}'), Says(None, refusal="no"), Says(None)]
)
def test_a_model_that_can_not_do_it_makes_nothing_and_breaks_nothing(says: Says) -> None:
    with endpoint(says) as fake:
        batch = make(engine(fake, corrections=1, refills=1), Order(5), Order(0))
        assert 2 <= len(fake.bodies) <= 4
    assert batch.examples == [[], []]
    assert len(batch.failures) == 1


@pytest.mark.parametrize(
    ("says", "told"),
    [(Says(status=401), "set the environment"), (Says(status=500), "Check that the endpoint runs")],
)
def test_an_endpoint_that_makes_nothing_at_all_is_an_error(says: Says, told: str) -> None:
    with endpoint(says) as fake, pytest.raises(EngineError, match=told):
        make(engine(fake), Order(5), Order(5))
    with pytest.raises(EngineError, match="there is no connection"):
        make(engine(fake, attempts=1), Order(5))
    assert make(engine(fake), Order(0)).examples == [[]]
    assert make(engine(fake)).examples == []


def test_an_endpoint_that_breaks_on_the_way_costs_the_orders_that_were_left() -> None:
    def breaks(body: dict[str, Any], number: int) -> Says | str:
        return Says(status=500) if number >= 2 else writer(body, number)

    with endpoint(breaks) as fake:
        batch = make(engine(fake, concurrency=1, attempts=1), *(Order(2) for _ in range(4)))
    assert [len(made) for made in batch.examples] == [2, 2, 0, 0]
    assert [failure.partition(":")[0] for failure in batch.failures] == ["order 2", "order 3"]


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_allowance_of_a_step_is_kept_and_the_cost_told(concurrency: int) -> None:
    def charges(body: dict[str, Any], number: int) -> Says:
        return Says(writer(body, number), usage=(100, 900))

    with endpoint(charges) as fake:
        made = engine(fake, max_tokens=1000, concurrency=concurrency, **PRICES)
        batch = make(made, *(Order(2) for _ in range(20)), allowance=0.01)
        assert len(fake.bodies) == sum(bool(examples) for examples in batch.examples)
    assert batch.cost == pytest.approx(0.001 * len(fake.bodies))
    assert 0 < batch.cost <= 0.01
    assert [len(examples) for examples in batch.examples] == [2] * len(fake.bodies) + [0] * (20 - len(fake.bodies))
    assert "(the allowance of this step)" in batch.failures[0]
    with endpoint(charges) as fake, pytest.raises(EngineError, match="the allowance") as caught:
        make(engine(fake, **PRICES), Order(2), allowance=1e-6)
    assert not fake.bodies
    assert caught.value.cost == 0


def test_an_error_tells_what_was_spent_all_the_same() -> None:
    with endpoint(Says("nonsense", usage=(500, 500))) as fake:
        made = engine(fake, max_tokens=1000, corrections=9, spending_limit=0.005, **PRICES)
        with pytest.raises(EngineError, match="spending_limit") as caught:
            make(made, Order(2))
        assert caught.value.cost == pytest.approx(0.001 * len(fake.bodies)) == made.client.usage.cost
        assert fake.bodies


def test_the_same_seed_plays_again_when_the_endpoint_is_gone(tmp_path: Path) -> None:
    def moody(body: dict[str, Any], number: int) -> Says | str:
        if "middle" in last_words(body):
            return Says(None, refusal="no")
        rng = np.random.default_rng(number)  # never the same twice
        return Says(
            examples([f"same {n}" for n in rng.integers(10**9, size=wanted(body) - 1)]), wait=rng.uniform(0, 0.02)
        )

    orders = [Order(25, ("same", size)) for size in ("small", "middle", "large")]
    with endpoint(moody) as fake:
        chosen = engine_settings(fake, cache=str(tmp_path), **PRICES)
        live = [make(LanguageModelEngine(Numbers(), chosen), *orders, seed=seed) for seed in (1, 2)]
    gone = replace(chosen, offline=True, concurrency=2)
    again = [make(LanguageModelEngine(Numbers(), gone), *orders, seed=seed) for seed in (1, 2)]
    for first, second in zip(live, again, strict=True):
        assert texts(first) == texts(second)
        assert (first.cost, first.failures) == (second.cost, second.failures)
    assert texts(live[0]) != texts(live[1])
    with pytest.raises(EngineError, match="offline, and"):
        make(LanguageModelEngine(Numbers(), gone), *orders, seed=3)


def test_it_is_found_by_name_and_refuses_settings_that_make_no_sense() -> None:
    made = make_data_engine("language-model", Numbers(), model="toy")
    assert isinstance(made, LanguageModelEngine)
    assert made.unit == "USD"
    with pytest.raises(ValueError, match="name the model"):
        make_data_engine("language-model", Numbers())
    for changes, told in (
        ({"per_request": 0}, "per_request is 0"),
        ({"refills": -1}, "refills is -1"),
        ({"shown": -1}, "shown is -1"),
        ({"include_mistakes": 1}, "include_mistakes is 1"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"promt": 1}, "unknown setting"),
    ):
        with pytest.raises(ValueError, match=told):
            make_data_engine("language-model", Numbers(), model="toy", **changes)


def test_a_student_learns_from_what_it_writes_and_wrong_examples_are_kept_from_it() -> None:
    def half_wrong(body: dict[str, Any], number: int) -> str:
        numbers = [10**6 + 1000 * number + k for k in range(wanted(body))]
        pairs = [(f"same {n}", str(n) if n % 2 else "no number") for n in numbers]
        return json.dumps({"examples": [{"prompt": prompt, "target": target} for prompt, target in pairs]})

    with endpoint(half_wrong) as fake:
        arguments = settings(
            budget=60,
            engine="language-model",
            engine_settings=vars(engine_settings(fake, **PRICES)),
            spending_limit=1.0,
            action="shares",
            rounds=2,
        )
        env: Any = gymnasium.make("teachgym/SkillList-v0", disable_env_checker=True, **arguments)
        env.reset(seed=0)
        action = np.array([1.0, 0.0, 0.0], dtype=np.float32)
        _, reward, _, _, info = env.step(action)
    assert info["skill_accuracy"]["same"] == 1.0
    assert reward == pytest.approx(1 / 3)
    assert info["rejected"]["parses"] >= 25
    assert 25 <= info["expenses"]["examples"] <= 30
    assert 0 < info["expenses"]["engine"] <= 1.0
