"""Small classifiers keep the contract, are the model that their name says, and refuse what they can't learn."""

from functools import partial

import numpy as np
import pytest

from teachgym.base.packing import unpack
from teachgym.data.example import Example
from teachgym.data.subject import Subject
from teachgym.envs.data.subjects.digits import Digits
from teachgym.students.supervised import make_supervised_student
from teachgym.students.supervised.classifiers import (
    Classifier,
    ClassifierSettings,
    LogisticRegressionStudent,
    MLPSettings,
    MLPStudent,
)
from teachgym.testing import check_supervised_student
from tests.data.toy import Numbers

KINDS: tuple[type[Classifier], ...] = (LogisticRegressionStudent, MLPStudent)


def upright(count: int, seed: int = 0) -> list[Example]:
    return Digits().make(("upright",), count, np.random.default_rng(seed))


def test_it_keeps_the_contract_with_colours_and_larger_images() -> None:
    settings = MLPSettings(image_size=16, colours=True, hidden=5, batch_size=3)
    check_supervised_student(partial(MLPStudent, settings=settings), Digits())


@pytest.mark.learned
def test_logistic_regression_steps_down_the_gradient_of_the_softmax_loss() -> None:
    examples = upright(1)
    student = LogisticRegressionStudent(Digits(), ClassifierSettings(learning_rate=0.5, batch_size=4), seed=3)
    student.train(examples, updates=1)  # of the same example four times
    weights, bias = unpack(student.state_dict()["layers"])
    student.train(examples, updates=1)
    after, bias_after = unpack(student.state_dict()["layers"])

    image = examples[0].image
    assert image is not None
    pixels = image[:, :, 0].ravel() / 255
    logits = pixels @ weights + bias
    chances = np.exp(logits) / np.exp(logits).sum()
    slope = chances - np.eye(10)[int(examples[0].target)]
    np.testing.assert_allclose(after, weights - 0.5 * np.outer(pixels, slope), atol=1e-12)
    np.testing.assert_allclose(bias_after, bias - 0.5 * slope, atol=1e-12)


@pytest.mark.parametrize(("kind", "expected"), [(LogisticRegressionStudent, 650), (MLPStudent, 3610)])
def test_sizes_are_those_of_the_models(kind: type[Classifier], expected: int) -> None:
    student = kind(Digits(), seed=0)
    student.train(upright(1), updates=1)
    assert sum(layer.size for layer in unpack(student.state_dict()["layers"])) == expected


def test_before_it_has_learnt_anything_it_gives_the_first_answer() -> None:
    assert MLPStudent(Digits(), seed=0).answer(upright(3)) == ["0", "0", "0"]


def test_larger_images_are_averaged_down() -> None:
    small, large = Digits(), make_task(magnification=4)
    rng = np.random.default_rng
    pairs = small.make(("noisy",), 5, rng(0)), large.make(("noisy",), 5, rng(0))
    student = MLPStudent(small, seed=0)
    first, second = (student.images(examples, 8) for examples in pairs)
    np.testing.assert_array_equal(first, second)


def make_task(magnification: int) -> Digits:
    return Digits(Digits.Settings(magnification=magnification))


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_without_a_list_of_answers_is_refused(kind: type[Classifier]) -> None:
    with pytest.raises(ValueError, match="chooses among given answers, and Numbers lists none"):
        kind(Numbers(), seed=0)


class NumberedDigits(Numbers):
    """Numbers in words, of which there are ten."""

    answers = tuple("0123456789")


def test_examples_without_an_image_are_refused() -> None:
    subject: Subject = NumberedDigits()
    student = MLPStudent(subject, seed=0)
    with pytest.raises(ValueError, match="looks at images, and the example 'one' has none"):
        student.train([Example("one", "1")], updates=1)
    with pytest.raises(ValueError, match="looks at images"):
        student.answer(subject.validation)


def test_a_target_that_is_no_answer_is_refused() -> None:
    student, example = MLPStudent(Digits(), seed=0), upright(1)[0]
    with pytest.raises(ValueError, match="is 'ten', none of the subject's answers: 0, 1"):
        student.train([Example(example.prompt, "ten", image=example.image)], updates=1)


def test_a_state_of_another_size_is_refused() -> None:
    student, other = (MLPStudent(Digits(), MLPSettings(hidden=hidden), seed=0) for hidden in (4, 5))
    student.train(upright(2), updates=1)
    with pytest.raises(ValueError, match="it is of another student"):
        other.load_state_dict(student.state_dict())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": 0}, "hidden is 0; expected a whole number, at least 1"),
        ({"learning_rate": 0}, "learning_rate is 0; expected a number above 0"),
        ({"image_size": 0}, "image_size is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"hiden": 3}, "did you mean 'hidden'"),
    ],
)
def test_settings_are_checked(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_supervised_student("mlp", Digits(), seed=0, **settings)
