"""NaturalBench's groups are read as published, and scored by the benchmark's four scores."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from teachgym.data.subject import Subject
from teachgym.envs.data.subjects import SUBJECTS, make_subject


def group(number: int) -> dict[str, Any]:
    choice = number % 2 == 1
    first, second = ("A", "B") if choice else ("Yes", "No")
    return {
        "Index": number,
        "Image_0": f"{number}_a.png",
        "Image_1": f"{number}_b.png",
        "Question_0": f"Is number {number} open?",
        "Question_1": f"Is number {number} red?",
        "Image_0_Question_0": first,
        "Image_1_Question_0": second,
        "Image_0_Question_1": second,
        "Image_1_Question_1": first,
        "Question_Type": "multiple_choice" if choice else "yes_no",
        "Source": "Flickr30K" if number % 4 < 2 else "DOCCI",
    }


def write_files(folder: Path) -> dict[str, str]:
    for number in range(10):
        for place, name in enumerate("ab"):
            Image.new("RGB", (9, 9), (20 * number, 100 * place, 0)).save(folder / f"{number}_{name}.png")
    write(folder, [group(number) for number in range(10)])
    return {"groups": str(folder / "groups.jsonl"), "images": str(folder)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_files(tmp_path)
    return tmp_path


def write(folder: Path, groups: list[dict[str, Any]]) -> None:
    (folder / "groups.jsonl").write_text("\n".join(map(json.dumps, groups)))


def make(folder: Path, **settings: Any) -> Subject:
    given = {**SUBJECTS["naturalbench"].quick_settings, **settings}
    return make_subject("naturalbench", groups=str(folder / "groups.jsonl"), images=str(folder), **given)


def metrics(subject: Subject, wrong: set[tuple[int, int, int]]) -> dict[str, float]:
    """Scores on the test set where (group, image, question) are answered wrongly."""
    given = []
    for example in subject.test:
        place = tuple(example.facts[name] for name in ("group", "image", "question"))
        given.append("neither" if place in wrong else example.target)
    return subject.metrics(subject.mark(subject.test, given))


def test_groups_become_four_examples_each(folder: Path) -> None:
    subject = make(folder)
    assert subject.skill_names == ("multiple_choice", "yes_no")
    for examples, numbers in ((subject.validation, range(4)), (subject.pool(), (4, 5)), (subject.test, range(6, 10))):
        assert {example.facts["group"] for example in examples} == set(numbers)
        assert len(examples) == 4 * len(numbers)
        for example in examples:
            facts = example.facts
            published = group(facts["group"])
            assert example.prompt.startswith(published[f"Question_{facts['question']}"])
            assert example.target == published[f"Image_{facts['image']}_Question_{facts['question']}"]
            assert example.path == (published["Question_Type"],)
            assert example.image is not None
            assert example.image[3, 3].tolist() == [20 * facts["group"], 100 * facts["image"], 0]
    assert len({example.key for example in (*subject.validation, *subject.pool(), *subject.test)}) == 40
    assert [example.skill for example in subject.test] == ["multiple_choice"] * 8 + ["yes_no"] * 8


def test_a_question_says_what_answers_there_are_unless_it_is_not_to(folder: Path) -> None:
    prompts = {example.skill: example.prompt for example in make(folder).validation}
    assert prompts["yes_no"].endswith("? Answer Yes or No.")
    assert prompts["multiple_choice"].endswith("? Answer A or B.")
    assert make(folder, request=False).validation[-1].prompt == "Is number 2 red?"


def test_all_right_is_1_and_none_right_is_0(folder: Path) -> None:
    subject = make(folder)
    names = ("binary", "question", "image", "group")
    assert metrics(subject, set()) == dict.fromkeys(names, 1.0)
    everything = {(n, image, q) for n in range(6, 10) for image in (0, 1) for q in (0, 1)}
    assert metrics(subject, everything) == dict.fromkeys(names, 0.0)


def test_the_same_answer_always_is_half_right_and_no_group(folder: Path) -> None:
    subject = make(folder)
    answers = subject.mark(subject.test, ["Yes A"] * 16)
    assert subject.metrics(answers) == {"binary": 0.5, "question": 0.0, "image": 0.0, "group": 0.0}


def test_scores_ask_for_both_images_both_questions_or_all_four(folder: Path) -> None:
    subject = make(folder)
    one = metrics(subject, {(6, 0, 0)})
    assert one == {"binary": 15 / 16, "question": 7 / 8, "image": 7 / 8, "group": 3 / 4}
    same_question = metrics(subject, {(6, 0, 0), (6, 1, 0)})
    assert same_question == {"binary": 14 / 16, "question": 7 / 8, "image": 6 / 8, "group": 3 / 4}
    same_image = metrics(subject, {(6, 0, 0), (6, 0, 1)})
    assert same_image == {"binary": 14 / 16, "question": 6 / 8, "image": 7 / 8, "group": 3 / 4}


def test_groups_that_are_not_whole_have_no_scores(folder: Path) -> None:
    subject = make(folder)
    some = subject.test[:3]
    assert subject.metrics(subject.mark(some, [example.target for example in some])) == {}


@pytest.mark.parametrize(
    ("skill", "given", "meant"),
    [
        ("yes_no", "Yes", "Yes"),
        ("yes_no", "no, it is not; yes it was", "No"),
        ("yes_no", "It is: YES.", "Yes"),
        ("yes_no", "yesterday, nobody", ""),
        ("yes_no", "A", ""),
        ("yes_no", "", ""),
        ("multiple_choice", "B", "B"),
        ("multiple_choice", "The answer is (B), not A", "B"),
        ("multiple_choice", "a.", "A"),
        ("multiple_choice", "it is a dog", ""),
        ("multiple_choice", "Bad", ""),
    ],
)
def test_the_first_word_that_is_an_answer_counts(folder: Path, skill: str, given: str, meant: str) -> None:
    subject = make(folder)
    for example in subject.validation:
        if example.skill == skill:
            assert subject.score(example, given) == (example.target == meant)


def test_another_field_may_name_the_skill(folder: Path) -> None:
    assert make(folder, skill="Source").skill_names == ("DOCCI", "Flickr30K")


def test_the_defaults_are_204_and_200_examples(folder: Path) -> None:
    groups = [{**group(n), "Image_0": "0_a.png", "Image_1": "0_b.png"} for n in range(110)]
    write(folder, groups)
    subject = make(folder, validation_groups=51, test_groups=50)
    default = type(subject).Settings()
    assert (default.validation_groups, default.test_groups) == (51, 50)
    assert (len(subject.validation), len(subject.pool()), len(subject.test)) == (204, 36, 200)
    assert {example.facts["group"] for example in subject.test} == set(range(60, 110))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Question_Type": "essay"}, "line 3: Question_Type is 'essay'; expected one of 'yes_no', 'multiple_choice'"),
        ({"Question_1": ""}, "line 3: Question_1 is ''; expected some text"),
        ({"Image_1_Question_0": "B"}, "line 3: Image_1_Question_0 is 'B'; expected Yes or No"),
        ({"Image_1": "gone.png"}, "line 3: there is no image gone.png in "),
        ({"Question_0": "Is number 2 red?"}, "line 3: the same question and image as in .*groups.jsonl, line 3"),
    ],
)
def test_a_bad_line_is_named(folder: Path, change: dict[str, Any], message: str) -> None:
    write(folder, [{**group(n), **(change if n == 2 else {})} for n in range(10)])
    with pytest.raises(ValueError, match=message):
        make(folder)


def test_missing_paths_and_too_few_groups_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="groups is empty; NaturalBench is read from files"):
        make_subject("naturalbench")
    with pytest.raises(ValueError, match="holds 10 groups; validation_groups is 7 and test_groups is 4"):
        make(folder, validation_groups=7)
    with pytest.raises(NotImplementedError, match="use the engine 'pool'"):
        make(folder).make(("yes_no",), 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="Souce is None"):
        make(folder, skill="Souce")
