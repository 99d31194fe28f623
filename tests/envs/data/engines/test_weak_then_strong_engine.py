"""A weak engine and a strong one take turns: shares, prices, resuming, and what makes the weak one weak."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym import make_teacher, teach
from teachgym.base.files import read_state, write_state
from teachgym.data.engine import Batch, DataEngine, EngineError, Order
from teachgym.data.example import Example
from teachgym.envs.data.engines.engines import make_data_engine
from teachgym.envs.data.engines.weak_then_strong_engine import MADE, WeakThenStrongEngine, WeakThenStrongSettings
from teachgym.envs.data.skill_list import SkillListEnv
from teachgym.envs.data.subjects.blank import BlankSubject
from tests.data.toy import Numbers, settings, write_examples

TASK = Numbers()
SHARES = np.array([0.5, 0.25, 0.25], dtype=np.float32)


def make(**chosen: Any) -> WeakThenStrongEngine:
    engine = make_data_engine("weak-then-strong", TASK, **{"total": 120, **chosen})
    assert isinstance(engine, WeakThenStrongEngine)
    return engine


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def makers(examples: Sequence[Example]) -> Counter[str]:
    return Counter(example.facts[MADE]["by"] for example in examples)


def env(folder: Path | None = None, **chosen: Any) -> SkillListEnv:
    """Four steps of 30 examples for a student that reads."""
    more = {key: chosen.pop(key) for key in ("checks", "spending_limit", "student") if key in chosen}
    engine_settings = {"total": 120, **chosen}
    made = SkillListEnv(
        action="shares", rounds=4, **settings(engine="weak-then-strong", engine_settings=engine_settings, **more)
    )
    if folder is not None:
        made.lifetime.keep_files(folder)
    return made


@final
class Broken(DataEngine):
    """Is not there."""

    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        raise EngineError("the endpoint is not there", cost=0.25)


ORDERS = {
    "weak-first": [[30, 0], [30, 0], [0, 30], [0, 30]],
    "strong-first": [[0, 30], [0, 30], [30, 0], [30, 0]],
    "mixed": [[15, 15]] * 4,
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_engines_take_turns_in_the_order_that_is_asked_for(order: str) -> None:
    made = env(order=order, easy=1.0)
    made.reset(seed=0)
    turns = []
    for _ in range(4):
        made.step(SHARES)
        by = makers(made.lifetime.latest)
        turns.append([by["weak"], by["strong"]])
    assert np.abs(np.array(turns) - ORDERS[order]).max() <= (
        2 if order == "mixed" else 0
    )  # what was held out is redone


@pytest.mark.parametrize("switch_at", [0.0, 0.1, 1 / 3, 0.5, 0.999, 1.0])
def test_all_orders_have_equal_data_of_either_engine(switch_at: float) -> None:
    weak = []
    for order in ORDERS:
        engine = make(order=order, switch_at=switch_at)
        batches = [engine.make([Order(7, ("same",)), Order(1), Order(4, ("next",))], rng(step)) for step in range(10)]
        made = [example for batch in batches for examples in batch.examples for example in examples]
        assert [[len(examples) for examples in batch.examples] for batch in batches] == [[7, 1, 4]] * 10
        weak.append(makers(made)["weak"])
        assert sum(batch.cost for batch in batches) == pytest.approx(weak[-1] + 10 * (120 - weak[-1]))
    assert weak == [round(120 * switch_at)] * 3


def test_a_step_in_which_the_turn_changes_is_divided_in_proportion() -> None:
    engine = make(switch_at=0.75)
    engine.make([Order(80)], rng(0))
    batch = engine.make([Order(20, ("same",)), Order(10, ("next",)), Order(0, ("double",))], rng(1))
    assert [dict(makers(examples)) for examples in batch.examples] == [
        {"weak": 7, "strong": 13},
        {"weak": 3, "strong": 7},
        {},
    ]
    assert batch.cost == 10 + 200


def test_beyond_the_total_the_last_engine_goes_on() -> None:
    for order, last in (("weak-first", "strong"), ("strong-first", "weak")):
        engine = make(order=order)
        engine.make([Order(120)], rng(0))
        assert dict(makers(engine.make([Order(50)], rng(1)).examples[0])) == {last: 50}


def test_the_weak_engine_makes_the_easier_parts_and_the_strong_one_all() -> None:
    weak, strong = make(switch_at=1.0, total=1000), make(switch_at=0.0)
    shown = (Example("same 5", "5", ("same", "large")), Example("next 5", "6", ("next", "middle")))
    orders = [Order(60, ("double",)), Order(60, like=shown), Order(60), Order(60, ("same", "large"))]
    parts = [sorted({example.path for example in examples}) for examples in weak.make(orders, rng()).examples]
    assert parts == [
        [("double", "middle"), ("double", "small")],
        [(skill, size) for skill in ("next", "same") for size in ("middle", "small")],
        [(skill, size) for skill in ("double", "next", "same") for size in ("middle", "small")],
        [("same", "large")],  # ordered by name
    ]
    made = strong.make(orders, rng()).examples
    assert {example.path[1] for example in made[0]} == {"small", "middle", "large"}
    assert {example.path for example in made[1]} == {one.path for one in shown}
    one = make(switch_at=1.0, easy=0.01, total=1000).make(orders[:1], rng()).examples[0]
    assert {example.path for example in one} == {("double", "small")}
    alike = make(switch_at=1.0, easy=1.0, total=1000).make(orders, rng()).examples
    plain = make_data_engine("procedural", TASK).make(orders, rng()).examples
    assert [[one.prompt for one in made] for made in alike] == [[one.prompt for one in made] for made in plain]


@pytest.mark.parametrize("wrong", [0.0, 0.4, 1.0])
def test_so_many_targets_of_the_weak_engine_are_wrong_and_none_of_the_strong(wrong: float) -> None:
    def right(example: Example) -> bool:
        name, number = example.prompt.split()
        return example.target == str({"same": 1, "next": 1, "double": 2}[name] * int(number) + (name == "next"))

    engine = make(order="mixed", wrong=wrong, total=2000)
    made = engine.make([Order(2000, ("same",))], rng()).examples[0]
    weak = [right(example) for example in made if example.facts[MADE]["by"] == "weak"]
    strong = [right(example) for example in made if example.facts[MADE]["by"] == "strong"]
    assert len(weak) == len(strong) == 1000
    assert all(strong)
    assert 1 - np.mean(weak) == pytest.approx(wrong, abs=0.05 if 0 < wrong < 1 else 0)


@final
class Checked(Numbers):
    """Numbers, where the subject can tell which targets are right."""

    def verify(self, examples: Sequence[Example]) -> list[bool]:
        return [int(one.target) == int(one.prompt.split()[1]) + (one.skill == "next") for one in examples]

    def make(self, path: tuple[str, ...], count: int, rng: np.random.Generator) -> list[Example]:
        return super().make(path if path[0] != "double" else ("same", *path[1:]), count, rng)


def test_what_is_found_wrong_is_rejected_ordered_again_and_paid_for_again() -> None:
    made = SkillListEnv(
        action="shares",
        rounds=4,
        subject=Checked(),
        student="tests.data.toy:Practice",
        budget=1200,
        engine="weak-then-strong",
        engine_settings={"wrong": 0.3, "weak_cost": 0.5, "strong_cost": 4.0, "total": 1200},
    )
    made.reset(seed=0)
    for _ in range(4):
        made.step(SHARES)
    rejected, given = made.lifetime.quality.rejected, makers(made.lifetime.data)
    assert 0.3 * given["weak"] < rejected["verified"] < 0.6 * given["weak"]  # 0.43 times are expected
    assert all(made.lifetime.subject.verify(made.lifetime.data))
    paid = 0.5 * (given["weak"] + rejected["verified"]) + 4 * given["strong"]
    assert paid <= made.lifetime.expenses.engine <= paid + 4 * rejected["held-out"]


def test_where_nobody_can_tell_or_nobody_checks_the_student_learns_from_what_is_wrong() -> None:
    for checks in (None, ()):
        made = env(wrong=1.0, switch_at=1.0, checks=checks)
        made.reset(seed=0)
        made.step(SHARES)
        assert made.spent == 30
        assert sum(one.target != one.prompt.split()[1] for one in made.lifetime.data if one.skill == "same") > 10


def test_no_more_is_spent_than_the_allowance() -> None:
    engine = make(switch_at=0.5, weak_cost=2.0, strong_cost=5.0, total=20)
    batch = engine.make([Order(20)], rng(), allowance=37)
    assert dict(makers(batch.examples[0])) == {"weak": 10, "strong": 3}
    assert batch.cost == 35
    assert "strong engine: the allowance" in batch.failures[0]
    free = make(weak_cost=0.0, switch_at=1.0).make([Order(20)], rng(), allowance=0.0)
    assert (len(free.examples[0]), free.cost) == (20, 0.0)
    made = env(spending_limit=100.0)
    made.reset(seed=0)
    over = False
    while not over:
        _, _, over, _, info = made.step(SHARES)
    assert 90 < info["expenses"]["engine"] <= 100  # another example of the strong engine would cost 10
    assert 60 < info["budget_used"] <= 64


def test_the_same_generator_and_state_make_the_same_and_begin_begins_anew() -> None:
    engine = make(order="mixed", wrong=0.5)

    def run() -> list[list[str]]:
        batches = [engine.make([Order(9), Order(5, ("next",))], rng(step)) for step in range(3)]
        return [[one.prompt + one.target for one in examples] for batch in batches for examples in batch.examples]

    first = run()
    assert engine.planned == 42
    engine.begin()
    assert engine.planned == 0
    assert run() == first


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("weak", ["procedural", "pool"])
def test_an_episode_goes_on_from_its_files_as_if_it_had_never_stopped(order: str, weak: str, tmp_path: Path) -> None:
    chosen: dict[str, Any] = {"order": order, "switch_at": 0.4, "wrong": 0.2, "weak": weak}
    if weak == "pool":
        pool = {one.key: one for name in TASK.skill_names for one in TASK.make((name,), 200, rng(5))}
        held_out = {one.key for one in (*TASK.validation, *TASK.test)}
        write_examples(tmp_path / "pool.jsonl", [one for key, one in pool.items() if key not in held_out])
        chosen["weak_settings"] = {"path": str(tmp_path / "pool.jsonl")}
    whole = env(tmp_path / "whole", **chosen)
    whole.reset(seed=1)
    expected = [whole.step(SHARES) for _ in range(4)]
    for stop in range(1, 4):
        first = env(tmp_path / str(stop), **chosen)
        first.reset(seed=1)
        for _ in range(stop):
            first.step(SHARES)
        write_state(tmp_path / "state.npz", first.state_dict())
        second = env(tmp_path / str(stop), **chosen)
        second.load_state_dict(read_state(tmp_path / "state.npz"))
        for shown, _, _, _, told in expected[stop:]:
            seen, _, _, _, info = second.step(SHARES)
            assert np.array_equal(seen, shown)
            assert info["expenses"] == told["expenses"]
        assert [(one.prompt, one.target, one.facts) for one in second.lifetime.data] == [
            (one.prompt, one.target, one.facts) for one in whole.lifetime.data
        ]


def test_one_engine_that_fails_does_not_stop_the_other_and_what_was_spent_is_told() -> None:
    broken = f"{__name__}:Broken"
    engine = make(order="mixed", weak=broken, weak_cost=4.0)
    batch = engine.make([Order(10)], rng(0))
    assert dict(makers(batch.examples[0])) == {"strong": 5}
    assert batch.cost == 50 + 4 * 0.25
    assert batch.failures == ["weak engine: the endpoint is not there"]
    assert engine.planned == 10
    alone = make(weak=broken)
    with pytest.raises(EngineError, match="weak engine: the endpoint is not there") as caught:
        alone.make([Order(10)], rng(0))
    assert caught.value.cost == 0.25
    assert alone.planned == 0


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"weak": "prozedural"}, "unknown engine 'prozedural'; did you mean 'procedural'"),
        ({"strong": "weak-then-strong"}, "strong is 'weak-then-strong'; expected an engine that is not made of two"),
        ({"strong_settings": {"pth": "x"}}, "unknown setting of engine 'procedural': 'pth'"),
        ({"weak_settings": 3}, "weak_settings is 3; expected values by name"),
        ({"weak": "pool"}, "Numbers has no pool of its own"),
        ({"weak_cost": -1.0}, "weak_cost is -1.0; expected a number, at least 0"),
        ({"strong_cost": float("nan")}, "strong_cost is nan"),
        ({"switch_at": 1.5}, r"switch_at is 1.5; expected a number in \[0, 1\]"),
        ({"order": "weak"}, "order is 'weak'; expected one of 'weak-first', 'strong-first', 'mixed'"),
        ({"total": 0}, "total is 0; expected a whole number, at least 1"),
        ({"easy": 0.0}, r"easy is 0.0; expected a number in \(0, 1\]"),
        ({"wrong": 2}, r"wrong is 2; expected a number in \[0, 1\]"),
        ({"swich_at": 0.5}, "did you mean 'switch_at'"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_spent(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        env(**chosen)


def test_wrong_targets_are_refused_for_a_student_that_would_not_notice() -> None:
    with pytest.raises(ValueError, match=r"wrong is 0\.1; expected 0 for a student that does not read its examples"):
        env(wrong=0.1, student="simulated")
    WeakThenStrongEngine(BlankSubject(TASK), WeakThenStrongSettings())


def learnt(order: str, switch_at: float) -> tuple[NDArray[np.float64], float]:
    """Accuracy on the test set of ten students, and what the engine of each cost."""
    found = []
    for seed in range(10):
        made = SkillListEnv(
            action="shares",
            subject="math",
            student="simulated",
            budget=1200,
            engine="weak-then-strong",
            engine_settings={"order": order, "switch_at": switch_at, "total": 1200},
        )
        teach(made, make_teacher("uniform", made, seed=seed), seed=seed)
        found.append(made.evaluate().mean_return)
    return np.array(found), made.lifetime.expenses.engine


@pytest.mark.slow
def test_where_hard_parts_build_on_easy_ones_weak_then_strong_beats_the_reverse_at_equal_data_and_cost() -> None:
    weak_first, cost = learnt("weak-first", 0.5)
    strong_first, cost_of_reverse = learnt("strong-first", 0.5)
    strong_alone, cost_of_strong = learnt("weak-first", 0.0)
    weak_alone, _ = learnt("weak-first", 1.0)
    assert cost == cost_of_reverse == 600 + 6000 < cost_of_strong == 12_000
    assert (weak_first - strong_first).mean() > 0.01
    assert (weak_first - weak_alone).mean() > 0.03
    assert abs((weak_first - strong_alone).mean()) < 0.01
