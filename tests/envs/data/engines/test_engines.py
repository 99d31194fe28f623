"""Engines make what is ordered, no more, and the same for the same seed."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from teachgym.data.engine import Order
from teachgym.data.example import Example
from teachgym.envs.data.apportion import cut, split
from teachgym.envs.data.engines.engines import make_data_engine
from teachgym.envs.data.engines.pool_engine import PoolEngine
from tests.data.toy import Numbers, write_examples

TASK = Numbers()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def pool(tmp_path: Path, size: int = 60) -> PoolEngine:
    examples = {one.key: one for name in TASK.skill_names for one in TASK.make((name, "large"), size, rng(5))}
    write_examples(tmp_path / "pool.jsonl", list(examples.values()))
    engine = make_data_engine("pool", TASK, path=str(tmp_path / "pool.jsonl"))
    assert isinstance(engine, PoolEngine)
    return engine


def test_the_procedural_engine_draws_from_the_skill_from_examples_or_from_all() -> None:
    engine = make_data_engine("procedural", TASK)
    like = (Example("a", "b", ("next", "small")), Example("c", "d", ("double", "large")))
    batch = engine.make([Order(5, ("same",)), Order(40, like=like), Order(300), Order(0, ("next",))], rng())
    named, alike, any_skill, none = batch.examples
    assert [len(part) for part in batch.examples] == [5, 40, 300, 0]
    assert {one.skill for one in named} == {"same"}
    assert {one.path for one in alike} == {("next", "small"), ("double", "large")}
    assert all(80 <= count <= 120 for count in Counter(one.skill for one in any_skill).values())
    assert none == []
    assert batch.cost == 345
    again = make_data_engine("procedural", TASK).make([Order(5, ("same",)), Order(40, like=like)], rng())
    assert [one.prompt for part in again.examples for one in part] == [one.prompt for one in (*named, *alike)]


def test_the_procedural_engine_stops_at_its_allowance() -> None:
    batch = make_data_engine("procedural", TASK).make([Order(5, ("same",)), Order(5, ("next",))], rng(), allowance=7)
    assert [len(part) for part in batch.examples] == [5, 2]
    assert "allowance of 7" in batch.failures[0]


def test_the_pool_engine_gives_everything_once_and_says_when_it_runs_out(tmp_path: Path) -> None:
    engine = pool(tmp_path)
    first = engine.make([Order(50, ("same",))], rng(1)).examples[0]
    second = engine.make([Order(50, ("same",))], rng(2))
    assert {one.skill for one in first} == {"same"}
    assert len(second.examples[0]) < 50
    assert "of 50 examples of same were left" in second.failures[0]
    assert not {one.key for one in first} & {one.key for one in second.examples[0]}
    engine.begin(first)
    assert len(engine.make([Order(50, ("same",))], rng(3)).examples[0]) == len(second.examples[0])
    engine.begin()
    assert [one.prompt for one in engine.make([Order(50, ("same",))], rng(1)).examples[0]] == [
        one.prompt for one in first
    ]


def test_the_pool_engine_finds_what_is_most_like_the_examples_shown(tmp_path: Path) -> None:
    shown = Example("double 123", "?")
    batch = pool(tmp_path).make([Order(20, like=(shown,))], rng())
    assert {one.skill for one in batch.examples[0]} == {"double"}


def test_whole_numbers_are_shared_out_exactly() -> None:
    assert split(10, [1, 1, 1]) == [4, 3, 3]
    assert split(7, [0.5, 0.25, 0.25]) == [3, 2, 2]
    assert split(0, [1, 2]) == [0, 0]
    assert cut([3, 4], 7) == [3, 4]
    assert cut([30, 40], 7) == [3, 4]
    for seed in range(200):
        weights, total = rng(seed).random(7), int(rng(seed).integers(1, 500))
        shares = split(total, weights)
        assert sum(shares) == total
        assert np.abs(np.array(shares) - total * weights / weights.sum()).max() < 1


def test_unknown_engines_and_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown engine 'pol'; did you mean 'pool'"):
        make_data_engine("pol", TASK)
    with pytest.raises(ValueError, match="unknown setting of engine 'pool': 'pth'; did you mean 'path'"):
        make_data_engine("pool", TASK, pth="x")
    with pytest.raises(ValueError, match="Numbers has no pool of its own; give the engine setting path"):
        make_data_engine("pool", TASK)
