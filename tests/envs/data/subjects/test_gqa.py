"""GQA's question files are read as published, and scored by equality."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from teachgym.data.engine import Order
from teachgym.envs.data.engines.engines import make_data_engine
from teachgym.envs.data.subjects import make_subject

KINDS = [("query", "attr", "material"), ("query", "rel", "relO"), ("verify", "obj", "existC")]


def question(number: int, answer: str = "wood", image: str | None = None) -> dict[str, Any]:
    structural, semantic, detailed = KINDS[number % 3]
    return {
        "question": f"What is number {number} made of?",
        "answer": answer,
        "fullAnswer": "It is made of wood.",
        "imageId": f"n{number % 4}" if image is None else image,
        "types": {"structural": structural, "semantic": semantic, "detailed": detailed},
        "isBalanced": True,
    }


def write_files(folder: Path) -> dict[str, str]:
    """Nine validation questions as published, eighteen test questions as lines, and images for both."""
    images = folder / "images"
    images.mkdir()
    for number in range(4):
        Image.new("RGB", (40, 30), (60 * number, 0, 0)).save(images / f"n{number}.jpg")
    published = {f"00{number}": question(number) for number in range(9)}
    (folder / "val.json").write_text(json.dumps(published))
    lines = [json.dumps(question(number)) for number in range(100, 118)]
    (folder / "test.jsonl").write_text("\n".join(lines))
    (folder / "train.json").write_text(json.dumps({str(n): question(n, "Wood") for n in range(200, 230)}))
    return {"validation": str(folder / "val.json"), "test": str(folder / "test.jsonl"), "images": str(images)}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return write_files(tmp_path)


def test_questions_answers_types_and_images_are_those_of_the_files(files: dict[str, str]) -> None:
    subject = make_subject("gqa", image_size=20, **files)
    assert {skill.name: [part.name for part in skill.parts] for skill in subject.skills} == {
        "query": ["material", "relO"],
        "verify": ["existC"],
    }
    assert (len(subject.validation), len(subject.test)) == (9, 18)
    for example in (*subject.validation, *subject.test):
        number = int(example.prompt.split()[3])
        assert example.path == (KINDS[number % 3][0], KINDS[number % 3][2])
        assert example.target == "wood"
        assert example.image is not None
        assert example.image.shape == (20, 20, 3)
        np.testing.assert_allclose(example.image[10, 10], [60 * (number % 4), 0, 0], atol=4)  # JPEG is lossy


def test_the_skill_may_be_the_semantic_type(files: dict[str, str]) -> None:
    assert make_subject("gqa", skill="semantic", **files).skill_names == ("attr", "obj", "rel")


def test_the_first_questions_of_each_type_are_taken(files: dict[str, str]) -> None:
    subject = make_subject("gqa", validation_per_type=1, test_per_type=2, **files)
    assert sorted(int(one.prompt.split()[3]) for one in subject.validation) == [0, 1, 2]
    assert sorted(int(one.prompt.split()[3]) for one in subject.test) == list(range(100, 106))


def test_all_right_none_right_and_half_right(files: dict[str, str]) -> None:
    subject = make_subject("gqa", **files)
    targets = [example.target for example in subject.test]
    assert subject.scores(subject.test, targets).mean() == 1.0
    assert subject.scores(subject.test, ["glass"] * 18).mean() == 0.0
    assert subject.scores(subject.test, [*targets[:9], *["glass"] * 9]).mean() == 0.5


def test_case_counts_unless_it_is_to_be_ignored(files: dict[str, str]) -> None:
    for ignored in (False, True):
        subject = make_subject("gqa", ignore_case=ignored, **files)
        assert subject.score(subject.test[0], "Wood") == ignored
        assert subject.score(subject.test[0], " wood\n") == 1
        assert subject.score(subject.test[0], "wooden") == 0


def test_training_questions_are_a_pool_and_none_are_made(files: dict[str, str]) -> None:
    subject = make_subject("gqa", train=str(Path(files["images"]).parent / "train.json"), train_per_type=4, **files)
    assert len(subject.pool()) == 12
    batch = make_data_engine("pool", subject).make([Order(2, ("verify",))], np.random.default_rng(0))
    assert [example.path for example in batch.examples[0]] == [("verify", "existC")] * 2
    with pytest.raises(NotImplementedError, match="use the engine 'pool'"):
        subject.make(("verify",), 1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": None}, r"test.jsonl, line 2: answer is None; expected some text"),
        ({"types": {"structural": "query"}}, r"line 2: types is .*; expected names for 'structural' and 'detailed'"),
        ({"imageId": "n9"}, r"line 2: there is no image n9.jpg or n9.png in "),
    ],
)
def test_a_bad_line_is_named(files: dict[str, str], change: dict[str, Any], message: str) -> None:
    lines = [question(100), {**question(101), **change}]
    Path(files["test"]).write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(ValueError, match=message):
        make_subject("gqa", **files)


def test_a_bad_question_of_a_published_file_is_named(files: dict[str, str]) -> None:
    file = Path(files["validation"])
    file.write_text(json.dumps({"0071": {"question": "What?"}}))
    with pytest.raises(ValueError, match=r"val.json, question 0071: answer is None"):
        make_subject("gqa", **files)
    file.write_text("[1, 2]")
    with pytest.raises(ValueError, match=r"val.json holds a list; expected an object from question id"):
        make_subject("gqa", **files)
    file.write_text("{}")
    with pytest.raises(ValueError, match=r"val.json holds no question"):
        make_subject("gqa", **files)


def test_a_damaged_image_is_named(files: dict[str, str]) -> None:
    (Path(files["images"]) / "n2.jpg").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"val.json, question 002: .*n2.jpg is no image that can be read"):
        make_subject("gqa", **files)


def test_missing_paths_and_shared_questions_are_refused(files: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="validation is empty; GQA is read from files"):
        make_subject("gqa")
    with pytest.raises(ValueError, match=r"nowhere.json can't be read"):
        make_subject("gqa", **{**files, "test": "nowhere.json"})
    with pytest.raises(ValueError, match="share 9 questions; validation and test must be disjoint"):
        make_subject("gqa", **{**files, "test": files["validation"]})
    with pytest.raises(ValueError, match="skill is 'detailed'; expected one of 'structural', 'semantic'"):
        make_subject("gqa", skill="detailed", **files)
