"""What a class names in ``keeps`` comes back from a file as it was, and as copies."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from teachgym.base.files import read_state, write_state
from teachgym.base.state import Stateful, foreign
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


class Base(Stateful):
    keeps: ClassVar[tuple[str, ...]] = ("_array", "flag")

    def __init__(self) -> None:
        self._array, self.flag = np.zeros(2), False


class Everything(Base):
    keeps = ("number", "share", "text", "missing", "pair", "pairs", "notes", "last", "rows", "names", "inner", "clock")
    missing: NDArray[np.float64] | None
    pair: Pair | None
    pairs: dict[int, Pair]

    def __init__(self) -> None:
        super().__init__()
        self.number, self.share, self.text, self.missing = 0, 0.0, "", None
        self.pair, self.pairs, self.notes = None, {}, dict[int, Any]()
        self.last: deque[float] = deque(maxlen=3)
        self.rows: list[NDArray[np.float64]] = []
        self.names: tuple[str, ...] = ()
        self.inner, self.clock, self.derived = Inner(), Clock(), 0

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


def test_a_state_of_something_else_is_an_error() -> None:
    with pytest.raises(KeyError, match="number"):
        Everything().load(Base().state())
