"""The convolutional network keeps the contract, learns, reads words in order, and refuses what it can't learn."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from teachgym.data.example import Example
from teachgym.envs.data.subjects.digits import Digits
from teachgym.envs.data.subjects.drawings import VisualQuestions
from teachgym.students.supervised import make_supervised_student
from teachgym.students.supervised.question_cnn import QuestionCNN, QuestionCNNSettings
from teachgym.testing import check_supervised_student
from tests.data.toy import Numbers

SMALL = QuestionCNNSettings(width=8, batch_size=8)


def accuracy(student: QuestionCNN, examples: list[Example]) -> float:
    marked = student.subject.mark(examples, student.answer(examples))
    return sum(answer.correct for answer in marked) / len(marked)


def test_it_keeps_the_contract_with_images_of_another_size() -> None:
    check_supervised_student(partial(QuestionCNN, settings=replace(SMALL, image_size=16)), Digits())


def test_its_size_is_that_of_its_layers() -> None:
    answers, width, half, side = len(VisualQuestions.answers), 32, 16, 4
    words = 256 * half
    reading = 3 * width * (half + width + 2)
    convolutions = half * (5 * 9 + 1) + width * (half * 9 + 1) + width * (width * 9 + 1)
    modulation = 2 * half + 2 * 2 * width * (width + 1)
    choosing = (width * side**2 + width + 1) * 2 * width + (2 * width + 1) * answers
    expected = words + reading + convolutions + modulation + choosing
    network = QuestionCNN(VisualQuestions(), seed=0)._network
    assert sum(weights.numel() for weights in network.parameters()) == expected


@pytest.mark.learned
def test_it_learns_colours_of_pictures_that_it_has_not_seen() -> None:
    subject = VisualQuestions()
    examples = [subject.make(("colour",), 200, np.random.default_rng(seed)) for seed in range(2)]
    student = QuestionCNN(subject, seed=0)
    student.train(examples[0], updates=60)
    assert accuracy(student, examples[1]) > 0.9


@pytest.mark.learned
def test_it_reads_the_question_and_its_words_in_order() -> None:
    subject = VisualQuestions()
    student = QuestionCNN(subject, seed=0)
    image = np.random.default_rng(0).integers(256, size=(32, 32, 3)).astype(np.uint8)
    asked = [Example(prompt, answer, image=image) for prompt, answer in (("a b", "yes"), ("b a", "no"))]
    student.train(asked, updates=30)
    assert student.answer(asked) == ["yes", "no"]


def test_answers_come_in_order_however_many_are_asked() -> None:
    subject = VisualQuestions()
    student = QuestionCNN(subject, SMALL, seed=0)
    examples = subject.make(("counting",), 300, np.random.default_rng(0))
    student.train(examples, updates=20)
    together = student.answer(examples)
    alone = [student.answer([example])[0] for example in examples]
    assert (
        np.mean([one == other for one, other in zip(together, alone, strict=True)]) > 0.98
    )  # sums may differ in a bit


def test_any_text_is_read() -> None:
    student = QuestionCNN(VisualQuestions(), SMALL, seed=0)
    image = np.zeros((7, 9, 3), dtype=np.uint8)
    odd = [
        Example(prompt, "yes", image=image)
        for prompt in ("漢字 é?", "_", "\t?\u200b", "word " * 500, "".join(map(chr, range(33, 127))))
    ]
    student.train(odd, updates=2)
    assert len(student.answer(odd)) == len(odd)


def test_what_it_cannot_learn_is_refused() -> None:
    with pytest.raises(ValueError, match="chooses among given answers, and Numbers lists none"):
        QuestionCNN(Numbers(), seed=0)
    student = QuestionCNN(VisualQuestions(), SMALL, seed=0)
    with pytest.raises(ValueError, match="looks at images, and the example 'Is it red\\?' has none"):
        student.train([Example("Is it red?", "yes")], updates=1)
    with pytest.raises(ValueError, match="looks at images"):
        student.answer([Example("Is it red?", "yes")])


def test_a_state_of_another_size_is_refused() -> None:
    other = QuestionCNN(VisualQuestions(), replace(SMALL, width=16), seed=0)
    with pytest.raises(ValueError, match="the state is that of another network"):
        other.load_state_dict(QuestionCNN(VisualQuestions(), SMALL, seed=0).state_dict())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 12}, "width is 12; expected a multiple of 8"),
        ({"image_size": 30}, "image_size is 30; expected a multiple of 8"),
        ({"words": 0}, "words is 0"),
        ({"learning_rate": -1}, "learning_rate is -1; expected a number above 0"),
        ({"weight_decay": 2}, "weight_decay is 2"),
        ({"device": "abacus"}, "device is 'abacus'"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_supervised_student("cnn", VisualQuestions(), seed=0, **settings)
