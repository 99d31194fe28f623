"""What a class names in ``keeps`` comes back from a file as it was, and as copies."""

from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym.base.files import read_state, write_state
from teachgym.base.state import Stateful, foreign, foreign_keeps, restored, stored
from teachgym.testing.equality import difference, not_plain


@dataclass(eq=False)
class Pair:
    """A dataclass of an array, a number, and arrays by name."""

    place: NDArray[np.float64]
    count: int = 0
    memo: dict[str, NDArray[np.float64]] = field(default_factory=dict)


class Inner(Stateful):
    keeps = ("number",)

    def __init__(self, number: int = 0) -> None:
        self.number = number


class Clock:
    """A class of somebody else's."""

    def __init__(self, time: float = 0.0) -> None:
        self.time = time


def set_clock(clock: Clock, time: float) -> Clock:
    clock.time = time
    return clock


foreign(Clock, lambda clock: clock.time, set_clock)


class Gauge:
    """Another class of somebody else's, of which two attributes change."""

    def __init__(self) -> None:
        self.level, self.readings = 0.0, cast(Any, np.zeros(()))


foreign_keeps(Gauge, "level", "readings")


class Base(Stateful):
    keeps: ClassVar[tuple[str, ...]] = ("_array", "flag")

    def __init__(self) -> None:
        self._array, self.flag = np.zeros(2), False


class Everything(Base):
    keeps = (
        *("number", "share", "text", "missing", "pair", "pairs", "notes", "last", "rows", "names", "inner", "clock"),
        *("mixed", "anything", "counter", "parts", "by_name", "gauge", "rng", "scalar"),
    )
    missing: NDArray[np.float64] | None
    pair: Pair | None
    pairs: dict[int, Pair]
    mixed: dict[int, tuple[Pair, int]]
    anything: Any

    def __init__(self) -> None:
        super().__init__()
        self.number, self.share, self.text, self.missing = 0, 0.0, "", None
        self.pair, self.pairs, self.notes = None, {}, dict[int, Any]()
        self.last: deque[float] = deque(maxlen=3)
        self.rows: list[NDArray[np.float64]] = []
        self.names: tuple[str, ...] = ()
        self.inner, self.clock, self.derived = Inner(), Clock(), 0
        self.mixed, self.anything = {}, None
        self.counter: Counter[str] = Counter()
        self.parts, self.by_name = [Inner(), Inner()], {"a": Clock(), "b": Clock()}
        self.gauge, self.rng, self.scalar = Gauge(), np.random.default_rng(0), np.float64(0.0)

    def _forget_derived(self) -> None:
        self.derived = -1


def used() -> Everything:
    made = Everything()
    made._array, made.flag, made.number, made.share, made.text = np.array([0.1, np.nan]), True, 2**62, 0.1, "ü"
    made.missing = np.arange(3.0)
    made.pair = Pair(np.ones(2), 3, {"a": np.zeros((2, 2))})
    made.pairs = {7: Pair(np.array([5.0])), 9: Pair(np.array([6.0]), 1)}
    made.notes = {3: np.array([1.0]), 4: "text", 5: 2}
    made.last.extend([1.0, 2.0, 3.0, 4.0])
    made.rows, made.names = [np.array([1.0, 2.0]), np.array([3.0, 4.0])], ("a", "b")
    made.inner.number, made.clock.time, made.derived = 5, 2.5, 1
    made.mixed = {2: (Pair(np.zeros(1), 4), 5), 3: (Pair(np.ones(1)), 6)}
    made.anything = {"nested": [{"deep": [1, 2.5, np.ones(2)], 7: "seven"}, None, []], "large": 2**100}
    made.counter.update("abba")
    made.parts[1].number, made.by_name["b"].time = 8, 9.5
    made.gauge.level, made.gauge.readings, made.scalar = 0.5, np.float64(0.1) * np.float64(3.0), np.float64(0.1)
    made.rng.random(5)
    return made


def test_everything_comes_back_from_a_file(tmp_path: Path) -> None:
    first, second = used(), Everything()
    assert not_plain(first.state()) is None
    write_state(tmp_path / "state.npz", first.state())
    second.load(read_state(tmp_path / "state.npz"))
    assert difference(first.state(), second.state()) is None
    assert second.number == 2**62
    assert second.last == deque([2.0, 3.0, 4.0])
    assert second.last.maxlen == 3
    assert second.pair is not None
    assert isinstance(second.pair.count, int)
    assert second.pair.memo["a"].shape == (2, 2)
    assert list(second.pairs) == [7, 9]
    assert second.notes[4] == "text"
    assert (second.inner.number, second.clock.time, second.names) == (5, 2.5, ("a", "b"))
    assert second.derived == -1, "what is derived is forgotten"
    assert (second.mixed[2][0].count, second.mixed[2][1], second.mixed[3][0].place.tolist()) == (4, 5, [1.0])
    assert difference(first.anything, second.anything) is None
    assert second.counter == Counter(a=2, b=2)
    assert second.counter["never seen"] == 0
    assert [part.number for part in second.parts] == [0, 8]
    assert [clock.time for clock in second.by_name.values()] == [0.0, 9.5]
    assert (second.gauge.level, second.gauge.readings) == (0.5, first.gauge.readings)
    assert isinstance(second.scalar, np.float64)
    assert second.rng.random() == first.rng.random()


def test_an_object_that_was_hardly_used_takes_the_place_of_one_that_was() -> None:
    later = used()
    later.load(Everything().state())
    assert difference(later.state(), Everything().state()) is None
    assert later.pair is None


@pytest.mark.parametrize("direction", ["stored", "loaded"])
def test_a_state_is_a_copy(direction: str) -> None:
    first = used()
    state, again = first.state(), first.state()
    second = Everything()
    second.load(state)
    changed = first if direction == "stored" else second
    changed._array += 1
    changed.rows[0] += 1
    changed.pairs[7].place += 1
    changed.notes[3] += 1
    assert difference(state, again) is None


def test_objects_take_their_states_over_where_they_are() -> None:
    first, second = used(), Everything()
    held = second.inner, second.clock, second.parts[1], second.by_name["b"], second.gauge, second.rng
    second.load(first.state())
    now = second.inner, second.clock, second.parts[1], second.by_name["b"], second.gauge, second.rng
    assert all(one is other for one, other in zip(held, now, strict=True))


def test_objects_that_are_not_there_are_an_error() -> None:
    more = used()
    more.parts.append(Inner())
    with pytest.raises(ValueError, match="the state holds 3 entries, which do not fit the 2 that are here"):
        Everything().load(more.state())
    with pytest.raises(TypeError, match="place, count, memo were kept of an object whose class is not known"):
        restored(None, stored(Pair(np.zeros(1))))
    assert restored(None, stored(Pair(np.zeros(1), 3)), Pair).count == 3


def test_names_that_differ_by_underscores_alone_are_refused() -> None:
    class Twice(Base):
        keeps = ("array",)
        array = 0

    with pytest.raises(TypeError, match="Twice keeps _array, flag, array; expected names that differ without"):
        Twice().state()


def test_a_state_of_something_else_is_an_error() -> None:
    with pytest.raises(KeyError, match="number"):
        Everything().load(Base().state())
