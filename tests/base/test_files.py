import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from teachgym.base.files import read_arrays, read_json, read_state, replacing, write_arrays, write_json, write_state
from teachgym.core.seeding import generator_state


class Interruption(BaseException):
    """What a killed process would see."""


def test_an_interrupted_write_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("old")

    def write_in_part() -> None:
        with replacing(path) as file:
            file.write(b"new, but not who")
            file.flush()
            raise Interruption

    with pytest.raises(Interruption):
        write_in_part()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_write_replaces_the_content_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "state"
    for content in (b"first", b"second"):
        with replacing(path) as file:
            file.write(content)
            assert not path.exists() or path.read_bytes() == b"first"
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("write", "bad"),
    [
        (write_json, {"a": object()}),
        (write_arrays, {"a": np.array([object()])}),
        (write_state, {"a": np.array([object()])}),
    ],
)
def test_values_that_cannot_be_written_leave_the_old_file(tmp_path: Path, write: Any, bad: Any) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(TypeError):
        write(path, bad)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_makes_a_round_trip(tmp_path: Path) -> None:
    value = {"a": [1, 2.5, None, True, "ü"], "b": {"c": -1}}
    write_json(tmp_path / "x.json", value)
    assert read_json(tmp_path / "x.json") == value


def test_arrays_keep_dtype_and_shape(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "empty": np.empty((0, 3), dtype=np.float32),
        "scalar": np.array(7, dtype=np.int16),
        "text": np.array(["a", "bcd"]),
        "flags": np.array([True, False]),
        "nan": np.array([np.nan, -np.inf]),
    }
    write_arrays(tmp_path / "x.npz", arrays)
    stored = read_arrays(tmp_path / "x.npz")
    assert stored.keys() == arrays.keys()
    for name, array in arrays.items():
        assert stored[name].dtype == array.dtype
        assert stored[name].shape == array.shape
        assert stored[name].tobytes() == array.tobytes()


def equal(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        return bool(left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes())
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return type(left) is type(right) and bool(left == right)


plain_values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
arrays = np_st.arrays(np_st.floating_dtypes(endianness="=") | np_st.integer_dtypes(), np_st.array_shapes(min_side=0))
states = st.dictionaries(
    st.text(),
    st.recursive(
        plain_values | arrays, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_size=4,
)


@given(states)
@settings(max_examples=60, deadline=None)
def test_any_state_makes_a_round_trip(tmp_path_factory: pytest.TempPathFactory, state: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "any_state"
    write_state(path, state)
    assert equal(read_state(path), state)


def test_the_state_of_a_generator_makes_a_round_trip(tmp_path: Path) -> None:
    state = generator_state(np.random.default_rng(3))
    assert state["state"]["inc"] > 2**64
    write_state(tmp_path / "x", {"rng": state})
    assert read_state(tmp_path / "x") == {"rng": state}


def test_scalars_of_numpy_and_tuples_come_back_plain(tmp_path: Path) -> None:
    write_state(tmp_path / "x", {"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True), "d": (1, 2)})
    state = read_state(tmp_path / "x")
    assert state == {"a": 0.5, "b": 3, "c": True, "d": [1, 2]}
    assert [type(value) for value in state.values()] == [float, int, bool, list]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": object()}, "a object"),
        ({"a": [{1, 2}]}, "a set"),
        ({"a": {1: 2}}, r"state keys are \[1\]; expected strings"),
        ({"a": b"bytes"}, "a bytes"),
        ({"a": np.array([None])}, "dtype object"),
    ],
)
def test_a_state_of_anything_else_is_refused(tmp_path: Path, state: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        write_state(tmp_path / "x", state)
    assert not (tmp_path / "x").exists()


def test_files_that_hold_pickles_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps({"a": 1}))
    np.savez(tmp_path / "objects.npz", a=np.array([{"a": 1}], dtype=object))
    for name in ("plain.pkl", "objects.npz"):
        for read in (read_arrays, read_state):
            with pytest.raises(ValueError, match=name):
                read(tmp_path / name)


def test_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("hello")
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "folder").mkdir()
    for name in ("empty", "text", "one.npy", "folder"):
        with pytest.raises(ValueError, match=name):
            read_arrays(tmp_path / name)
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match=r"arrays\.npz holds arrays, but no state"):
        read_state(tmp_path / "arrays.npz")


@pytest.mark.parametrize("skeleton", ["{", "[1, 2]", json.dumps({"a": {"__array__": "array_9"}})])
def test_a_state_that_is_not_whole_is_refused_by_name(tmp_path: Path, skeleton: str) -> None:
    np.savez(tmp_path / "part.npz", __json__=np.array(skeleton))
    with pytest.raises(ValueError, match=r"part\.npz"):
        read_state(tmp_path / "part.npz")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00", b""])
def test_damaged_json_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.json is not a JSON file"):
        read_json(tmp_path / "x.json")


def test_a_state_cut_short_or_altered_is_either_refused_by_name_or_unharmed(tmp_path: Path) -> None:
    state = {"a": np.arange(5.0), "b": [1, {"c": np.ones((2, 3), dtype=np.float32)}], "n": 2**127}
    path, damaged = tmp_path / "whole", tmp_path / "damaged"
    write_state(path, state)
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        damaged.write_bytes(content[:length])
        with pytest.raises(ValueError, match="damaged"):
            read_state(damaged)
    refused = 0
    for place in range(0, len(content), 3):
        altered = bytearray(content)
        altered[place] ^= 1 + place % 255
        damaged.write_bytes(altered)
        try:
            found = read_state(damaged)
        except ValueError as error:
            assert str(damaged) in str(error)  # noqa: PT017
            refused += 1
        else:
            assert equal(found, state)
    assert refused > len(content) / 10


def test_what_is_large_is_stored_as_it_is_so_that_it_can_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teachgym.base.files._MOST_COMPRESSED", 1_000)
    monkeypatch.setattr("teachgym.base.files._MOST_UNPACKED", 2_000)
    for count in (100, 100_000):
        write_arrays(tmp_path / "x.npz", {"a": np.zeros(count)})
        assert read_arrays(tmp_path / "x.npz")["a"].tolist() == [0.0] * count


@pytest.mark.parametrize("array", [np.zeros(2, "V3"), np.zeros(2, "M8[s]"), np.zeros(2, [("a", "f8")])])
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, array: Any) -> None:
    with pytest.raises(TypeError, match="only plain dtypes"):
        write_arrays(tmp_path / "x.npz", {"a": array})


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    for read in (read_json, read_arrays, read_state):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "nothing")
