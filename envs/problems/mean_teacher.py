"""A network and its exponential moving average, which teaches it; the losses and changes of images between them."""

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.digit_networks import make_network

SIDE = 8
"""Pixels along a side of an image."""


class MeanTeacher:
    """A student, a perceptron that reads digits, and a teacher of moving averages of its weights.

    After Tarvainen and Valpola 2017 (arXiv:1703.01780). The teacher begins as a copy of the student.

    Args:
        hidden: Units of the hidden layer.
        seed: Of the initial weights.
        rate: Of Adam.
    """

    def __init__(self, hidden: int, seed: int, *, rate: float = 1e-3) -> None:
        self.student = make_network(hidden, seed)
        self._rate = rate
        self.begin()

    def begin(self) -> None:
        """Begin anew from the student as it is: the teacher is a copy of it, and the optimiser knows nothing."""
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.optimiser = torch.optim.Adam(self.student.parameters(), lr=self._rate)

    def descend(self, loss: Tensor) -> None:
        """A step of the student down the loss."""
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()

    def average(self, momentum: float) -> None:
        """The teacher becomes ``momentum`` times itself plus the rest of the student."""
        average(self.teacher, self.student, momentum)


def average(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move the weights of one network towards another's: by all of the way with momentum 0, not at all with 1."""
    with torch.no_grad():
        for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
            if momentum < 1:
                slow.lerp_(fast, 1 - momentum)


def probabilities(network: nn.Module, images: Tensor) -> Tensor:
    """``(m, 10)``, of which no gradient is kept."""
    with torch.no_grad():
        return functional.softmax(network(images), dim=1)


def soft_cross_entropy(student: Tensor, teacher: Tensor) -> Tensor:
    """``(m,)`` cross-entropy of the student's answers with those of the teacher as targets, from logits ``(m, n)``.

    With student's probabilities p and teacher's q, its gradient by the student's logits is ``p - q``.
    """
    return -(functional.softmax(teacher, dim=1) * functional.log_softmax(student, dim=1)).sum(dim=1)


def reverse_cross_entropy(student: Tensor, teacher: Tensor) -> Tensor:
    """``(m,)`` cross-entropy of the teacher's answers with those of the student as targets, from logits ``(m, n)``.

    Its gradient by the student's logits is ``-p (log q - E_p log q)``.
    """
    return soft_cross_entropy(teacher, student)


def symmetric_cross_entropy(student: Tensor, teacher: Tensor) -> Tensor:
    """``(m,)`` the mean of the two, as in Robust Mean Teacher (Döbler et al. 2023, arXiv:2211.13081)."""
    return 0.5 * soft_cross_entropy(student, teacher) + 0.5 * reverse_cross_entropy(student, teacher)


def shifted(images: FloatArray, rng: np.random.Generator, *, most: int = 1) -> FloatArray:
    """``(m, 64)`` images, each moved by up to so many pixels up or down and to a side; blank paper comes in."""
    size = len(images)
    padded = np.pad(images.reshape(size, SIDE, SIDE), ((0, 0), (most, most), (most, most)))
    down, right = rng.integers(0, 2 * most + 1, size=(2, size, 1))
    window = np.arange(SIDE)
    rows, columns = (down + window)[:, :, None], (right + window)[:, None, :]
    return np.asarray(padded[np.arange(size)[:, None, None], rows, columns].reshape(size, SIDE * SIDE))


def roughened(images: FloatArray, rng: np.random.Generator, *, noise: float, dropout: float) -> FloatArray:
    """``(m, 64)`` images with normal noise added to the ink, and a share of the pixels blank."""
    kept = rng.random(images.shape, dtype=np.float32) >= dropout
    rough: FloatArray = np.where(kept, images + noise * rng.standard_normal(images.shape, dtype=np.float32), 0.0)
    return rough


def image_tensor(images: FloatArray) -> Tensor:
    """Images as a tensor of single precision."""
    return torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32))
