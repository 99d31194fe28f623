"""Mean teachers: averages, losses by their closed forms, and changes of images."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from teachgym.envs.problems.digit_networks import split_digits
from teachgym.envs.problems.mean_teacher import (
    MeanTeacher,
    reverse_cross_entropy,
    roughened,
    shifted,
    soft_cross_entropy,
    symmetric_cross_entropy,
)

IMAGES = split_digits().validation[0].numpy()


def learnt(momentum: float, *, steps: int = 3) -> tuple[MeanTeacher, list[torch.Tensor]]:
    """A pair after some steps, and its initial weights."""
    pair = MeanTeacher(16, seed=1)
    initial = weights(pair.student)
    images, labels = split_digits().validation
    for _ in range(steps):
        pair.descend(functional.cross_entropy(pair.student(images), labels))
        pair.average(momentum)
    return pair, initial


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [value.detach().clone() for value in network.parameters()]


def same(left: list[torch.Tensor], right: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(left, right, strict=True))


def test_with_momentum_0_the_teacher_is_the_student_and_with_1_it_stays_as_it_was() -> None:
    follows, initial = learnt(0.0)
    stays, _ = learnt(1.0)
    assert same(weights(follows.teacher), weights(follows.student))
    assert same(weights(stays.teacher), initial)
    assert not same(weights(stays.student), initial)


def test_after_one_step_the_teacher_lies_between_by_the_momentum() -> None:
    pair, initial = learnt(0.75, steps=1)
    for before, student, teacher in zip(initial, weights(pair.student), weights(pair.teacher), strict=True):
        torch.testing.assert_close(teacher, 0.75 * before + 0.25 * student)


def slope(loss: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    return torch.autograd.grad(loss.sum(), logits)[0]


@given(st.integers(0, 1000), st.floats(0.1, 3.0))
def test_the_gradients_by_the_logits_are_those_of_the_closed_forms(seed: int, scale: float) -> None:
    drawn = torch.tensor(scale * np.random.default_rng(seed).standard_normal((2, 5, 10)))
    student, teacher = drawn[0].requires_grad_(), drawn[1]
    p, q = student.detach().softmax(dim=1), teacher.softmax(dim=1)
    forward = p - q
    reverse = -p * (q.log() - (p * q.log()).sum(dim=1, keepdim=True))
    torch.testing.assert_close(slope(soft_cross_entropy(student, teacher), student), forward)
    torch.testing.assert_close(slope(reverse_cross_entropy(student, teacher), student), reverse)
    half = slope(symmetric_cross_entropy(student, teacher), student)
    torch.testing.assert_close(half, 0.5 * forward + 0.5 * reverse)


def test_the_symmetric_loss_does_not_tell_student_from_teacher_and_is_the_entropy_where_they_are_one() -> None:
    one, other = torch.tensor(np.random.default_rng(0).standard_normal((2, 5, 10)))
    torch.testing.assert_close(symmetric_cross_entropy(one, other), symmetric_cross_entropy(other, one))
    entropy = torch.distributions.Categorical(logits=one).entropy()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(symmetric_cross_entropy(one, one), entropy)


def test_a_shifted_image_is_one_of_nine_and_all_nine_occur() -> None:
    image = np.arange(1.0, 65.0).reshape(1, 64)
    padded = np.pad(image.reshape(8, 8), 1)
    allowed = {padded[down : down + 8, right : right + 8].tobytes() for down in range(3) for right in range(3)}
    found = {row.tobytes() for row in shifted(np.repeat(image, 500, axis=0), np.random.default_rng(0))}
    assert found == allowed


@pytest.mark.parametrize("dropout", [0.0, 0.3, 1.0])
def test_a_share_of_the_pixels_is_blank_and_the_noise_is_as_wide_as_said(dropout: float) -> None:
    rough = roughened(IMAGES, np.random.default_rng(0), noise=0.2, dropout=dropout)
    assert np.mean(rough == 0) == pytest.approx(dropout, abs=0.02)
    if dropout < 1:
        assert np.std((rough - IMAGES)[rough != 0]) == pytest.approx(0.2, abs=0.01)
