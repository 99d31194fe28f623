"""``check_data_engine`` accepts a sound engine and catches each way of not being one."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from teachgym.data.engine import Batch, DataEngine, EngineError, Order
from teachgym.data.example import Example
from teachgym.testing import check_data_engine
from tests.data.toy import Numbers


@dataclass(frozen=True)
class CounterSettings:
    """Where it starts."""

    start: int = 0
    """First number."""


class Counter(DataEngine):
    """A sound engine to break: it numbers its examples, and goes on counting through an episode."""

    Settings: ClassVar[type[Any]] = CounterSettings

    def __init__(self, subject: Any, settings: Any = None) -> None:
        super().__init__(subject, settings)
        self.begin()

    def begin(self, made: Sequence[Example] = ()) -> None:
        self.number = self.settings.start + len(made)

    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        left = allowance
        made, failures = [], []
        for place, order in enumerate(orders):
            count = int(min(order.count, left))
            left -= count
            made.append([self.example(order, rng) for _ in range(count)])
            if count < order.count:
                failures.append(f"order {place}: {count} of {order.count} made")
        return Batch(made, float(sum(map(len, made))), failures)

    def example(self, order: Order, rng: np.random.Generator) -> Example:
        self.number += 1
        return Example(f"same {self.number}{rng.integers(10)}", "1", order.path)


class MakesTooMany(Counter):
    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        return super().make([replace(order, count=order.count + 1) for order in orders], rng, allowance=allowance)


class MakesTooFewInSilence(Counter):
    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        fewer = [replace(order, count=order.count // 2) for order in orders]
        return super().make(fewer, rng, allowance=allowance)


class LeavesOrdersOut(Counter):
    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        return super().make([order for order in orders if order.count], rng, allowance=allowance)


class MakesAnotherSkill(Counter):
    def example(self, order: Order, rng: np.random.Generator) -> Example:
        return replace(super().example(order, rng), path=("next",))


class Overspends(Counter):
    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        return super().make(orders, rng)


class IsPaidBack(Counter):
    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        return replace(super().make(orders, rng, allowance=allowance), cost=-1.0)


class Unseeded(Counter):
    def example(self, order: Order, rng: np.random.Generator) -> Example:
        return super().example(order, np.random.default_rng())


class DrawsFromPython(Counter):
    def example(self, order: Order, rng: np.random.Generator) -> Example:
        random.random()
        return super().example(order, rng)


class NeverBegins(Counter):
    def begin(self, made: Sequence[Example] = ()) -> None:
        if not hasattr(self, "number"):
            super().begin(made)


class ForgetsWhatItMade(Counter):
    def begin(self, made: Sequence[Example] = ()) -> None:
        super().begin()


class TakesAnySettings(Counter):
    def __init__(self, subject: Any, settings: Any = None) -> None:
        super().__init__(subject, settings if isinstance(settings, CounterSettings) else None)


@dataclass
class Thawed:
    """Settings that are not frozen."""

    start: int = 0


class ThawedSettings(Counter):
    Settings = Thawed


class UnknownCheck(Counter):
    checks = ("spelling",)


class NeverWorks(Counter):
    def make(self, orders: Sequence[Order], rng: np.random.Generator, *, allowance: float = np.inf) -> Batch:
        raise EngineError("the endpoint is not there")


class ChangesTheTask(Counter):
    def example(self, order: Order, rng: np.random.Generator) -> Example:
        assert isinstance(self.subject.validation, list)
        self.subject.validation.append(self.subject.validation[0])
        return super().example(order, rng)


BROKEN: dict[type[DataEngine], str] = {
    MakesTooMany: "order 0 has 5 examples; 4 were ordered",
    MakesTooFewInSilence: "2 of 4 examples, and failures does not say why",
    LeavesOrdersOut: "5 orders have 4 lists",
    MakesAnotherSkill: "has an example of",
    Overspends: "of an allowance of 0",
    IsPaidBack: "the cost is -1.0",
    Unseeded: "other examples in a fresh engine",
    DrawsFromPython: "global generator",
    NeverBegins: r"other examples after begin\(\) in one that was used before",
    ForgetsWhatItMade: "went on otherwise",
    TakesAnySettings: "must raise TypeError",
    ThawedSettings: "expected a frozen dataclass",
    UnknownCheck: r"checks names \['spelling'\]",
    NeverWorks: "could make nothing: the endpoint is not there",
    ChangesTheTask: "the engine changed the subject",
}


def test_a_sound_engine_passes() -> None:
    check_data_engine(Counter, Numbers())
    check_data_engine(lambda subject: Counter(subject, CounterSettings(start=7)), Numbers(), seed=3)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_every_breakage_is_caught_and_named(broken: type[DataEngine]) -> None:
    with pytest.raises(AssertionError, match=BROKEN[broken]):
        check_data_engine(broken, Numbers())


def test_what_is_not_an_engine_is_named() -> None:
    with pytest.raises(AssertionError, match=r"expected a teachgym.data.engine.DataEngine"):
        check_data_engine(lambda subject: "an engine", Numbers())  # type: ignore[arg-type, return-value]
