"""Every engine and every discovery of the tables keeps its contract."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.base.entry import Entry
from teachgym.envs.data.discovery.discoveries import DISCOVERIES, make_discovery
from teachgym.envs.data.engines.engines import DATA_ENGINES, make_data_engine
from teachgym.testing import check_data_engine, check_discovery
from tests.data.toy import Numbers, write_examples
from tests.envs.data.discovery.test_language_model_discovery import Model
from tests.envs.data.engines.test_language_model_engine import examples, wanted
from tests.language_model.endpoint import endpoint

TASK = Numbers()
MODEL = {"model": "toy", "backoff_seconds": 1e-3, "timeout_seconds": 5.0, "price_output": 1.0}


def author(body: dict[str, Any], number: int) -> str:
    """As many examples as are wanted, which follow from the request alone."""
    first = int(hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12], 16)
    return examples([f"same {first + k}" for k in range(wanted(body))])


def pool(folder: Path) -> dict[str, Any]:
    """A file of examples."""
    made = {one.key: one for skill in TASK.skill_names for one in TASK.make((skill,), 60, np.random.default_rng(5))}
    write_examples(folder / "pool.jsonl", list(made.values()))
    return {"path": str(folder / "pool.jsonl")}


@contextmanager
def settings(entry: Entry, folder: Path, answer: Callable[[dict[str, Any], int], Any]) -> Iterator[dict[str, Any]]:
    """What an entry of the tables needs: its quick settings, and the file or endpoint that it requires."""
    if entry.requires == "endpoint":
        with endpoint(answer) as fake:
            yield {**entry.quick_settings, **MODEL, "base_url": fake.base_url}
    else:
        yield {**entry.quick_settings, **(pool(folder) if entry.requires == "file" else {})}


@pytest.mark.parametrize("name", DATA_ENGINES)
def test_an_engine_keeps_the_contract(name: str, tmp_path: Path) -> None:
    with settings(DATA_ENGINES[name], tmp_path, author) as chosen:
        check_data_engine(lambda subject: make_data_engine(name, subject, **chosen), TASK)


@pytest.mark.parametrize("name", DISCOVERIES)
def test_a_discovery_keeps_the_contract(name: str, tmp_path: Path) -> None:
    answers = TASK.mark(TASK.validation, [one.target if one.skill == "same" else "?" for one in TASK.validation])
    with settings(DISCOVERIES[name], tmp_path, Model(groups={"numbers": list(TASK.skill_names)})) as chosen:
        check_discovery(lambda: make_discovery(name, **chosen), answers)
