"""Which engine is in force, and what is said where the fast one is missing."""

import importlib
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from teachgym.cli import main
from teachgym.envs.worlds.bipedal_walker import engines
from teachgym.envs.worlds.bipedal_walker.batch import WalkerBatch, make_walkers
from teachgym.envs.worlds.bipedal_walker.world import ParametricBipedalWalker
from teachgym.worlds.world_batch import SerialBatch


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an installation without a compiler."""

    found = importlib.import_module

    def not_found(name: str) -> Any:
        if name.endswith("._engine"):
            raise ModuleNotFoundError(name)
        return found(name)

    monkeypatch.setattr(importlib, "import_module", not_found)
    engines.fast_engine.cache_clear()
    monkeypatch.setattr(Path, "exists", lambda path: path.name == "engine_missing.txt")
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: "there is no C++ compiler (g++)\n")


@pytest.fixture(autouse=True)
def load_again() -> Any:
    yield
    engines.fast_engine.cache_clear()


def test_the_fast_engine_is_in_force_where_it_is_built() -> None:
    assert engines.choose_engine("auto") == "fast"
    assert engines.why_no_engine() is None
    assert isinstance(make_walkers(2).batch, WalkerBatch)


@pytest.mark.usefixtures("no_engine")
def test_without_it_the_reference_serves() -> None:
    assert engines.choose_engine("auto") == "reference"
    env = make_walkers(2)
    assert isinstance(env.batch, SerialBatch)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    ParametricBipedalWalker().reset(seed=0)


@pytest.mark.usefixtures("no_engine")
def test_asking_for_it_by_name_says_why_there_is_none_and_how_to_get_it() -> None:
    with pytest.raises(ValueError, match=r"was not built: there is no C\+\+ compiler.*install teachgym again"):
        gymnasium.make("teachgym/ParametricBipedalWalker-v0", engine="fast")
    with pytest.raises(ValueError, match="engine is 'fast', but"):
        make_walkers(2, engine="fast")


@pytest.mark.usefixtures("no_engine")
def test_list_says_which_is_in_force_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--engines"]) == 0
    printed = capsys.readouterr().out
    assert "reference, because the fast one was not built: there is no C++ compiler (g++)" in printed
    assert "Teachers" not in printed


def test_list_names_the_fast_engine_where_it_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--engines"]) == 0
    assert "fast, because it is built" in capsys.readouterr().out
