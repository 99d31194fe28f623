"""A student that weighs teacher against label for every example, by the triangle of student, teacher and label."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.controlled_student import ControlledStudent, Fixed
from teachgym.envs.problems.digit_networks import (
    accuracy,
    batches,
    make_network,
    make_optimiser,
    split_digits,
    teacher,
)
from teachgym.envs.problems.distillation.distilled_student import HIDDEN, noisy
from teachgym.envs.problems.objectives import cross_entropy, distillation

TRIANGLE = ("bias", "student_teacher", "student_label", "teacher_label", "student_mean", "teacher_mean")
"""What an example's weight depends on: a constant, and distances between the answers of the student and the teacher,
the label, and the teacher's mean answer to the label's class."""
TRUE_COEFFICIENTS = "only_teacher_right"
"""1 where only the teacher is right, -1 where only the label is, 0 otherwise."""
_LOOK_AHEAD = 256
_RATE = 0.1


class TriangleStudent(ControlledStudent):
    """A student of one teacher and of noisy labels.

    The controls ``(n,)`` are the coefficients of ``TRIANGLE``, whose weighted sum is put through a sigmoid: the
    teacher's share ``alpha`` of an example's loss.

    Args:
        name: The teacher, as in ``digit_networks.teacher``.
        label_noise: Share of the labels that are wrong.
        knows: Whether ``TRUE_COEFFICIENTS`` is one of the features.
        seeds: Of the episode.
    """

    has_best = True

    def __init__(self, name: str, *, label_noise: float, knows: bool, seeds: Seeds) -> None:
        self._rng = np.random.default_rng(seeds.student)
        self._network = make_network(HIDDEN, seeds.student)
        self._optimiser = make_optimiser(self._network, rate=_RATE)
        self._data = _Answers(name, label_noise, seeds.world, knows=knows)
        self._controls = np.zeros(len(TRIANGLE) + knows)
        self._shares = (0.5, 0.5)
        self._test()

    def learn(self, controls: FloatArray) -> float:
        """Learn for an epoch."""
        self._controls = controls
        coefficients = torch.tensor(controls, dtype=torch.float32)
        for batch in batches(len(self._data.labels), self._rng):
            images, labels = self._data.images[batch], self._data.labels[batch]
            logits = self._network(images)
            alpha = torch.sigmoid(self._features(logits.detach(), batch) @ coefficients)
            self._optimiser.zero_grad()
            loss = self._loss(logits, self._data.logits[batch], labels, alpha)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
        self._test()
        return 0.0

    def score(self) -> float:
        """Accuracy on the test images."""
        return self._score

    def seen(self) -> Mapping[str, float]:
        """Accuracy and loss on validation images, mean shares, and slopes of the loss a step ahead."""
        names = (*TRIANGLE, TRUE_COEFFICIENTS)
        slopes = {f"slope_of_{name}": slope for name, slope in zip(names, self._slopes.tolist(), strict=False)}
        agree, differ = self._shares
        return {
            "accuracy": self._accuracy,
            "loss": self._loss_seen,
            "alpha_where_agreed": agree,
            "alpha_where_not": differ,
            **slopes,
        }

    def best(self) -> FloatArray:
        """Trust whoever is right."""
        return np.append(np.zeros(len(TRIANGLE)), 20.0)

    def truth(self) -> dict[str, Any]:
        """How often the teacher and the labels are right."""
        return dict(self._data.right)

    def _features(self, logits: Tensor, batch: Tensor) -> Tensor:
        """``(m, n)`` of the examples of a batch, from the student's logits ``(m, 10)``."""
        data, student = self._data, functional.softmax(logits, dim=1)
        teaches, label, mean = (rows[batch] for rows in (data.probabilities, data.one_hot, data.class_means))
        edges = [(student, teaches), (student, label), (teaches, label), (student, mean), (teaches, mean)]
        columns = [torch.ones(len(student)), *((one - other).norm(dim=1) for one, other in edges)]
        if data.only_teacher_right is not None:
            columns.append(data.only_teacher_right[batch])
        return torch.stack(columns, dim=1)

    @staticmethod
    def _loss(logits: Tensor, teaches: Tensor, labels: Tensor, alpha: Tensor) -> Tensor:
        return cross_entropy(logits, labels, 1 - alpha) + distillation(logits, teaches, weights=alpha)

    def _test(self) -> None:
        parts = split_digits()
        self._score, self._accuracy = accuracy(self._network, *parts.test), accuracy(self._network, *parts.validation)
        images, labels = parts.validation
        with torch.no_grad():
            self._loss_seen = float(cross_entropy(self._network(images), labels))
        self._slopes = self._look_ahead()

    def _look_ahead(self) -> FloatArray:
        """``(n,)`` slopes, by control, of the validation loss after another step on the first training examples."""
        data, batch = self._data, torch.arange(_LOOK_AHEAD)
        controls = torch.tensor(self._controls, dtype=torch.float32, requires_grad=True)
        weights = {name: value.detach().requires_grad_() for name, value in self._network.named_parameters()}
        logits = functional_call(self._network, weights, (data.images[batch],))
        alpha = torch.sigmoid(self._features(logits.detach(), batch) @ controls)
        agreed = data.probabilities[batch].argmax(dim=1) == data.labels[batch]
        self._shares = tuple(float(alpha[where].detach().mean()) for where in (agreed, ~agreed))  # type: ignore[assignment]
        inner = self._loss(logits, data.logits[batch], data.labels[batch], alpha)
        slopes = torch.autograd.grad(inner, list(weights.values()), create_graph=True)
        moved = {name: w - _RATE * g for (name, w), g in zip(weights.items(), slopes, strict=True)}
        images, labels = split_digits().validation
        outer = cross_entropy(functional_call(self._network, moved, (images,)), labels)
        (slope,) = torch.autograd.grad(outer, controls)
        return np.asarray(slope.numpy(), dtype=np.float64)


class _Answers(Fixed):
    """Training images with noisy labels, and what the teacher says of them."""

    def __init__(self, name: str, label_noise: float, seed: int, *, knows: bool) -> None:
        self.images, clean = split_digits().train
        self.labels = noisy(clean, label_noise, seed)
        self.logits: Tensor = teacher(name)(self.images)
        self.probabilities = functional.softmax(self.logits, dim=1)
        self.one_hot = functional.one_hot(self.labels, 10).float()
        means = torch.stack([self.probabilities[self.labels == digit].mean(dim=0) for digit in range(10)])
        self.class_means = means[self.labels]
        by_teacher, by_label = self.logits.argmax(dim=1) == clean, self.labels == clean
        self.right = {"teacher": float(by_teacher.double().mean()), "labels": float(by_label.double().mean())}
        self.only_teacher_right = by_teacher.float() - by_label.float() if knows else None
