"""Adaptation to a stream: what turns, what stays as it was, and where adaptation helps."""

import copy
from typing import Any, get_args

import numpy as np
import pytest
import torch

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.digit_networks import accuracy, split_digits
from teachgym.envs.problems.stream_adaptation.drawn_digits import (
    Shift,
    angles,
    rotated,
    rotation,
    source_network,
)
from teachgym.envs.problems.stream_adaptation.env import StreamAdaptationEnv, StreamStudent
from tests.envs.problems.problems import final_score

IMAGES = split_digits().validation[0].numpy().astype(np.float64)


def begun(**settings: Any) -> tuple[StreamAdaptationEnv, StreamStudent]:
    env = StreamAdaptationEnv(**{"budget": 4, **settings})
    env.reset(seed=1)
    student = env.lifetime.student
    assert isinstance(student, StreamStudent)
    return env, student


def weights(student: StreamStudent, *, teacher: bool) -> list[FloatArray]:
    network = student._pair.teacher if teacher else student._pair.student
    return [value.detach().numpy().copy() for value in network.parameters()]


def same(left: list[FloatArray], right: list[FloatArray]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(left, right, strict=True))


def test_a_rotation_by_quarter_turns_is_that_of_the_array_and_by_0_is_none() -> None:
    square = IMAGES.reshape(-1, 8, 8)
    for quarters in range(4):
        turned = rotated(IMAGES, 90.0 * quarters).reshape(-1, 8, 8)
        np.testing.assert_allclose(turned, np.rot90(square, quarters, axes=(1, 2)), atol=1e-12)


def test_a_rotation_keeps_ink_within_its_range_and_in_the_middle() -> None:
    for degrees in (10.0, 30.0, 60.0):
        matrix = rotation(degrees)
        assert matrix.min() >= 0
        assert matrix.sum(axis=1).max() <= 1 + 1e-12
        middle = np.zeros((8, 8))
        middle[3:5, 3:5] = 1.0
        assert (matrix @ middle.reshape(-1)).reshape(8, 8)[3:5, 3:5].min() > 0.6


def test_the_angles_are_those_of_the_shift() -> None:
    assert angles("gradual", 160)[[0, -1]].tolist() == [0.0, 60.0]
    assert np.diff(angles("gradual", 160)) == pytest.approx(60 / 159)
    assert angles("abrupt", 160).tolist() == [0.0] * 80 + [60.0] * 80
    np.testing.assert_allclose(angles("cyclic", 161)[::40], [0.0, 50.0, 0.0, 50.0, 0.0], atol=1e-9)


@pytest.mark.learned
def test_the_network_knows_upright_digits_and_not_turned_ones() -> None:
    images, labels = split_digits().test
    network = source_network().student
    assert accuracy(network, images, labels) > 0.95
    turned = torch.tensor(rotated(images.numpy(), 60.0), dtype=torch.float32)
    assert accuracy(network, turned, labels) < 0.3


@pytest.mark.parametrize("shift", get_args(Shift))
def test_momentum_1_and_0_updates_leave_everything_as_it_was(shift: Shift) -> None:
    env, student = begun(shift=shift)
    start = [weights(student, teacher=teacher) for teacher in (False, True)]
    for _ in range(4):
        env.step(np.array([1.0, 0.0, 1.0, 0.0]))
    assert all(same(weights(student, teacher=teacher), start[teacher]) for teacher in (False, True))
    network = source_network().student
    errors = [
        int((network(images).argmax(dim=1) != labels).sum())
        for images, labels in zip(student._stream.images, student._stream.labels, strict=True)
    ]
    assert student.score() == -sum(errors) / 800


def test_with_momentum_1_only_the_student_learns_and_without_updates_neither() -> None:
    env, student = begun()
    start = weights(student, teacher=True)
    env.step(np.array([0.0, 0.4, 1.0, 0.0]))
    assert same(weights(student, teacher=False), start)
    env.step(np.array([1.0, 1.0, 0.0, 0.0]))
    assert same(weights(student, teacher=True), start)
    assert not same(weights(student, teacher=False), start)


def test_a_reset_brings_the_source_network_back() -> None:
    env, student = begun()
    start = weights(student, teacher=False)
    env.step(np.array([0.5, 2.0, 0.0, 0.0]))
    env.step(np.array([0.5, 0.0, 0.0, 0.49]))
    assert not same(weights(student, teacher=False), start)
    env.step(np.array([0.5, 0.0, 0.0, 0.5]))
    assert same(weights(student, teacher=False), start)
    assert same(weights(student, teacher=True), start)


def test_episodes_leave_the_source_network_as_it_was() -> None:
    before = copy.deepcopy(source_network().student.state_dict())
    env, _ = begun()
    env.step(np.array([0.5, 3.0, 1.0, 1.0]))
    assert all(torch.equal(value, before[name]) for name, value in source_network().student.state_dict().items())


def test_nothing_that_a_teacher_is_given_depends_on_the_labels() -> None:
    (env, _), (other, student) = begun(), begun()
    for labels in student._stream.labels:
        labels.copy_((labels + 1) % 10)
    for step in range(4):
        controls = np.array([0.9, 2.0, 1.0, 0.0])
        left, right = env.step(controls), other.step(controls)
        assert np.array_equal(left[0], right[0])
        assert left[4]["feedback"].outcome == right[4]["feedback"].outcome
        assert left[1] == right[1] or step == 3
    assert left[4]["truth"]["score"] > right[4]["truth"]["score"] + 0.2


def test_the_score_is_minus_the_errors_of_all_batches() -> None:
    env, _ = begun(budget=5, batches=2)
    errors, over = [], False
    while not over:
        _, reward, over, _, info = env.step(np.array([0.9, 1.0, 1.0, 0.0]))
        errors.append(info["truth"]["error"])
    assert reward == info["truth"]["score"] == pytest.approx(-np.mean(errors))


def test_each_batch_is_answered_before_it_is_learnt_from() -> None:
    (env, _), (other, _) = begun(batches=1), begun(batches=1)
    env.step(np.array([0.9, 10.0, 1.0, 0.0]))
    other.step(np.array([0.9, 0.0, 1.0, 0.0]))
    assert env.lifetime.student.score() == other.lifetime.student.score()
    assert env.lifetime.student.seen() != other.lifetime.student.seen()


@pytest.mark.parametrize(("option", "value"), [("batches", 0), ("shift", "sudden"), ("loss", "mean")])
def test_options_that_are_not_allowed_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=option):
        StreamAdaptationEnv(**{option: value})


@pytest.mark.slow
def test_a_gradual_shift_is_adaptable_the_same_at_once_is_not_and_replay_helps_where_the_stream_comes_back() -> None:
    def error(rule: str, shift: Shift, **settings: Any) -> float:
        env = StreamAdaptationEnv(shift=shift, **settings)
        return -float(np.mean([final_score(env, rule, seed=seed) for seed in range(2)]))

    gradual, abrupt, cyclic = (error("none", shift) for shift in get_args(Shift))
    followed = error("no-replay", "gradual")
    assert followed < gradual - 0.2
    assert error("no-replay", "gradual", loss="cross-entropy") > followed + 0.1
    assert error("no-replay", "abrupt") > abrupt - 0.03
    assert error("rescaled", "cyclic") < min(cyclic, error("no-replay", "cyclic")) - 0.02
