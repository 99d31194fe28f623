import pytest

from teachgym.agents import TEACHERS
from teachgym.base.entry import Entry
from teachgym.base.registry import load_path
from teachgym.envs.data.discovery.discoveries import DISCOVERIES
from teachgym.envs.data.engines.engines import DATA_ENGINES
from teachgym.language_model import ModelSettings


def test_quick_settings_are_written_as_on_the_command_line() -> None:
    assert Entry("module:Class").quick_settings == {}
    assert Entry("module:Class", quick="hidden=[8,4],rate=0.1,kind=a").quick_settings == {
        "hidden": [8, 4],
        "rate": 0.1,
        "kind": "a",
    }


@pytest.mark.parametrize("table", [TEACHERS, DATA_ENGINES, DISCOVERIES])
def test_an_entry_requires_an_endpoint_where_its_settings_are_those_of_a_language_model(
    table: dict[str, Entry],
) -> None:
    for name, entry in table.items():
        settings = load_path(name, entry.path).Settings
        assert issubclass(settings, ModelSettings) == (entry.requires == "endpoint"), name
