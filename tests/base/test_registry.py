import collections
import sys
from pathlib import Path

import pytest

from teachgym.base.entry import Entry, named_class
from teachgym.base.registry import import_module, load_path, unknown_name


def test_the_nearest_known_name_is_suggested_whatever_the_case() -> None:
    error = unknown_name("teacher", "ALP-GM", ["random", "alp-gmm", "riac"])
    assert str(error) == "unknown teacher 'ALP-GM'; did you mean 'alp-gmm'? known: alp-gmm, random, riac"


def test_nothing_is_suggested_where_no_name_is_near() -> None:
    assert str(unknown_name("teacher", "zzz", ["random", "riac"])) == "unknown teacher 'zzz'; known: random, riac"


def test_an_empty_table_is_said_to_be_empty() -> None:
    assert str(unknown_name("teacher", "zzz", [])) == "unknown teacher 'zzz'; known: none"


def test_a_path_leads_to_the_object_itself() -> None:
    assert load_path("student", "collections:OrderedDict") is collections.OrderedDict


@pytest.mark.parametrize("path", ["no_such_module_here:X", "collections:Nothing", "collections", ":X", ""])
def test_a_path_that_leads_nowhere_is_named(path: str) -> None:
    with pytest.raises(ValueError, match=r"expected 'package\.module:name'") as caught:
        load_path("student", path)
    assert f"student {path!r}" in str(caught.value)


def test_a_name_that_is_too_long_is_neither_compared_nor_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.base.registry.get_close_matches", None)
    endless = "x" * 10_000_000
    for error in (unknown_name("teacher", endless, ["random"]), refusal(endless), refusal(f"{endless}:X")):
        assert len(str(error)) < 2_000


def refusal(name: str) -> ValueError:
    with pytest.raises(ValueError, match="teacher") as caught:
        named_class("teacher", name, {"random": Entry("collections:OrderedDict")}, dict)
    return caught.value


def test_the_current_folder_is_searched_for_what_is_named_in_it_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "named_here.py").write_text("import neighbour_here\n")
    (tmp_path / "neighbour_here.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", paths := [*sys.path])
    with pytest.raises(ModuleNotFoundError):
        import_module("no_such_module_here")
    assert str(tmp_path) not in paths
    assert Path(str(import_module("named_here").__file__)) == tmp_path / "named_here.py"
    assert paths[-1] == str(tmp_path), "after all others"


def test_in_a_folder_that_is_gone_a_module_is_still_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ValueError, match="no_such_module_here"):
        load_path("teacher", "no_such_module_here:X")


def test_where_a_module_was_looked_for_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="looked in") as caught:
        load_path("teacher", "no_such_module_here:X")
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(ValueError, match="has no attribute 'Nothing'") as caught:
        load_path("teacher", "collections:Nothing")
    assert "looked in" not in str(caught.value)
