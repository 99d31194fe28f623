"""MATH is read as it was published, split by subject and level, and its own answers are right."""

import json
import pathlib
from typing import Any

import numpy as np
import pytest

from teachgym.envs.data.subjects import make_subject
from teachgym.envs.data.subjects.math_benchmark import MathBenchmark

FOLDERS = {"Algebra": "algebra", "Counting & Probability": "counting_and_probability", "Geometry": "geometry"}


def entry(part: str, subject: str, level: int, number: int) -> dict[str, Any]:
    value = f"\\frac{{{number}}}{{{2 * number + 1}}}"
    return {
        "problem": f"{part}: divide {number} by {2 * number + 1} in {subject}, level {level}.",
        "level": f"Level {level}",
        "type": subject,
        "solution": f"We divide $\\boxed{{0}}$, no: the value is $\\boxed{{{value}}}.$",
    }


def entries(part: str, each: int = 4) -> list[dict[str, Any]]:
    return [entry(part, subject, level, n) for subject in FOLDERS for level in (1, 2, 5) for n in range(1, each + 1)]


def write_files(folder: pathlib.Path) -> dict[str, str]:
    for part in ("train", "test"):
        for number, one in enumerate(entries(part)):
            file = folder / part / FOLDERS[one["type"]] / f"{number}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(one), encoding="utf-8")
    return {"path": str(folder)}


def write_lines(file: pathlib.Path, lines: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> str:
    return write_files(tmp_path)["path"]


def test_the_first_of_every_subject_and_level_are_for_validation_and_the_rest_is_the_pool(tree: str) -> None:
    subject = make_subject("math-benchmark", path=tree, validation_per_cell=3, test_per_cell=2)
    assert (len(subject.validation), len(subject.pool()), len(subject.test)) == (9 * 3, 9 * 1, 9 * 2)
    assert subject.skill_names == tuple(FOLDERS)
    assert [part.name for part in subject.skills[0].parts] == ["level 1", "level 2", "level 5"]
    assert subject.validation[0].path == ("Algebra", "level 1")
    assert [one.prompt.split()[2] for one in subject.validation[:3]] == ["1", "2", "3"]
    assert subject.pool()[0].prompt.startswith("train: divide 4")
    assert all(one.prompt.startswith("test") for one in subject.test)
    with pytest.raises(NotImplementedError, match="use the engine 'pool'"):
        subject.make(("Algebra",), 1, np.random.default_rng(0))


@pytest.mark.parametrize("target", ["answer", "solution"])
def test_an_oracle_has_1_a_constant_0_and_every_second_right_a_half(tree: str, target: str) -> None:
    subject = make_subject("math-benchmark", path=tree, target=target, validation_per_cell=2)
    examples = subject.test
    right = [one.target for one in examples]
    assert ("We divide" in right[0]) == (target == "solution")
    assert subject.scores(examples, right).mean() == 1.0
    assert subject.scores(examples, ["7"] * len(examples)).mean() == 0.0
    half = [words if number % 2 else "7" for number, words in enumerate(right)]
    answers = subject.mark(examples, half)
    assert np.mean([answer.correct for answer in answers]) == 0.5
    levels = subject.metrics(answers)
    assert list(levels) == ["level 1", "level 2", "level 5"]
    assert np.mean(list(levels.values())) == 0.5


def test_an_answer_counts_by_its_value_in_a_box_a_phrase_or_bare(tree: str) -> None:
    subject = make_subject("math-benchmark", path=tree, validation_per_cell=2)
    example = subject.test[1]
    assert example.target == "\\frac{2}{5}"
    for given in ("0.4", "2/5", "It is $\\boxed{0.40}$", "The final answer is 4/10.", "\\dfrac25"):
        assert subject.score(example, given) == 1.0, given
    for given in ("", "0.5", "maybe 2/5", "\\boxed{0.4} or \\boxed{0.5}", "(2,5)"):
        assert subject.score(example, given) == 0.0, given
    strict = make_subject("math-benchmark", path=tree, validation_per_cell=2, bare=False)
    assert strict.score(example, "0.4") == 0.0
    assert strict.score(example, "\\boxed{0.4}") == 1.0
    assert strict.test[1].target == "\\boxed{\\frac{2}{5}}"
    assert strict.scores(strict.test, [one.target for one in strict.test]).mean() == 1.0


def test_lines_with_answer_and_subject_are_read_as_well_and_equal_the_folders(
    tree: str, tmp_path: pathlib.Path
) -> None:
    lines = tmp_path / "lines"
    lines.mkdir()
    write_lines(lines / "train.jsonl", entries("train"))
    renamed = [
        {
            "problem": one["problem"],
            "solution": "none",
            "answer": f"\\frac{{{n}}}{{{2 * n + 1}}}",
            "subject": one["type"],
            "level": int(one["level"][-1]),
            "unique_id": f"test/{n}.json",
        }
        for one in entries("test")
        for n in [int(one["problem"].split()[2])]
    ]
    write_lines(tmp_path / "other.jsonl", renamed)
    first = make_subject("math-benchmark", path=tree)
    second = make_subject("math-benchmark", path=str(lines), test_path=str(tmp_path / "other.jsonl"))
    for a, b in ((first.validation, second.validation), (first.test, second.test)):
        assert [(one.key, one.target, one.path) for one in a] == [(one.key, one.target, one.path) for one in b]


def test_training_problems_of_the_test_set_and_of_no_level_are_left_out(tmp_path: pathlib.Path) -> None:
    train, test = entries("train"), entries("test")
    unknown = {**entry("train", "Algebra", 1, 99), "level": "Level ?"}
    write_lines(tmp_path / "train.jsonl", [*train, train[0], test[0], unknown])
    write_lines(tmp_path / "test.jsonl", test)
    subject = make_subject("math-benchmark", path=str(tmp_path), validation_per_cell=1)
    assert len(subject.validation) + len(subject.pool()) == len(train)
    assert len(subject.test) == len(test)
    assert not {one.key for one in subject.test} & {one.key for one in (*subject.validation, *subject.pool())}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"problem": ""}, "problem is ''"),
        ({"type": "Algebre"}, "unknown topic 'Algebre'; did you mean 'Algebra'"),
        ({"level": "Level 6"}, "level is 'Level 6'; expected 'Level 1' to 'Level 5'"),
        ({"solution": "It is 5."}, "no .boxed"),
        ({"answer": 5}, "no .boxed"),
    ],
)
def test_a_bad_line_is_named(tmp_path: pathlib.Path, change: dict[str, Any], message: str) -> None:
    lines = entries("train")
    lines[4] = {**lines[4], **change}
    write_lines(tmp_path / "train.jsonl", lines)
    write_lines(tmp_path / "test.jsonl", entries("test"))
    with pytest.raises(ValueError, match=rf"train\.jsonl, line 5: .*{message}"):
        make_subject("math-benchmark", path=str(tmp_path))


def test_files_that_are_missing_or_no_json_are_named(tree: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="path is empty"):
        MathBenchmark()
    with pytest.raises(ValueError, match=r"neither a folder 'train' nor a file train\.jsonl"):
        make_subject("math-benchmark", path=str(tmp_path / "train"))
    with pytest.raises(ValueError, match="validation_per_cell is 0"):
        make_subject("math-benchmark", path=tree, validation_per_cell=0)
    bad = tmp_path / "train" / "algebra" / "3.json"
    bad.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"3\.json can't be read as JSON"):
        make_subject("math-benchmark", path=tree)
