from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from teachgym.core.evaluation import Evaluation
from teachgym.core.feedback import Feedback
from teachgym.core.record import EPISODES, EVALUATIONS, SAMPLING, Record
from teachgym.core.sampling import GaussianMixture, Window


def make_record() -> Record:
    rng = np.random.default_rng(0)
    tests = rng.uniform(size=(3, 2))
    mixture = GaussianMixture(rng.normal(size=(2, 2)), rng.normal(size=(2, 2, 2)), np.array([0.25, 0.75]), 0.2)
    return Record(
        origins=["bootstrap", "component 1", "random"],
        feedback=[
            Feedback(task=rng.uniform(size=2), outcome=-1.25, success=False, cost=7, decision=1),
            Feedback(task=rng.uniform(size=2), outcome=301.5, success=True, cost=2000, decision=0),
        ],
        finished_at=[7, 2007],
        evaluations=[
            Evaluation(tests, rng.normal(size=3), np.array([4, 5, 6]), mastered_above=230.0, spent=steps)
            for steps in (0, 1000)
        ],
        sampling=[(0, Window(np.zeros(2), np.ones(2))), (7, mixture)],
    )


def assert_equal_fields(left: Any, right: Any) -> None:
    assert type(left) is type(right)
    for field in fields(left):
        a, b = getattr(left, field.name), getattr(right, field.name)
        assert np.array_equal(a, b), field.name
        assert type(a) is type(b), field.name


def test_a_record_makes_a_round_trip(tmp_path: Path) -> None:
    record = make_record()
    record.save(tmp_path)
    loaded = Record.load(tmp_path)
    assert loaded.origins == record.origins
    assert loaded.finished_at == record.finished_at
    assert loaded.feedback == record.feedback
    for left, right in zip(loaded.evaluations, record.evaluations, strict=True):
        assert_equal_fields(left, right)
    for (steps, loaded_sampling), (right_steps, sampling) in zip(loaded.sampling, record.sampling, strict=True):
        assert steps == right_steps
        assert_equal_fields(loaded_sampling, sampling)


def test_an_empty_record_makes_a_round_trip(tmp_path: Path) -> None:
    Record().save(tmp_path)
    loaded = Record.load(tmp_path)
    assert loaded == Record()


def test_tasks_and_outcomes_are_columns_over_the_finished_episodes() -> None:
    record = make_record()
    assert record.tasks.shape == (2, 2)
    assert np.array_equal(record.tasks[1], record.feedback[1].task)
    assert record.outcomes.tolist() == [-1.25, 301.5]


@pytest.mark.parametrize("name", [EPISODES, EVALUATIONS, SAMPLING])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    make_record().save(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        Record.load(tmp_path)


@pytest.mark.parametrize("name", [EPISODES, EVALUATIONS])
def test_a_file_of_other_arrays_is_refused_with_its_folder(tmp_path: Path, name: str) -> None:
    make_record().save(tmp_path)
    np.savez(tmp_path / name, other=np.zeros(3))
    with pytest.raises(ValueError, match="holds no record of this version") as caught:
        Record.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("column", ["outcomes", "costs", "tasks"])
def test_columns_of_unequal_length_are_refused_with_their_folder(tmp_path: Path, column: str) -> None:
    make_record().save(tmp_path)
    with np.load(tmp_path / EPISODES) as stored:
        arrays = dict(stored)
    np.savez(tmp_path / EPISODES, **{**arrays, column: arrays[column][:1]})
    with pytest.raises(ValueError, match="holds no record of this version") as caught:
        Record.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("content", ['[{"spent": 0, "kind": "Circle"}]', '[{"kind": "Window"}]', "[3]", "3"])
def test_an_unknown_way_of_sampling_is_refused_with_its_folder(tmp_path: Path, content: str) -> None:
    make_record().save(tmp_path)
    (tmp_path / SAMPLING).write_text(content)
    with pytest.raises(ValueError, match="holds no record of this version") as caught:
        Record.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_folder_without_a_record_is_said_to_lack_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Record.load(tmp_path)
