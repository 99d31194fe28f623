import collections

import pytest

from teachgym.names import load_path, unknown_name


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
