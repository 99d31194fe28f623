"""Small networks that read digits, attacks on them, and the teachers that a distillation environment offers."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from teachgym.envs.problems.controlled_student import Fixed
from teachgym.envs.problems.digits import digits
from teachgym.envs.problems.objectives import cross_entropy
from teachgym.students.lifetimes.global_state import seeded

RADIUS = 0.15
"""Of an attack, in ink: the greatest change of a pixel."""
TRAINING_ATTACK, TEST_ATTACK = 5, 10
"""Steps of an attack in training and in tests."""
_VALIDATION, _TEST, _WEAK, _EARLY = 200, 500, 60, 150
_HIDDEN, _EPOCHS, _BATCH = 128, 30, 64


@dataclass(frozen=True)
class SplitDigits(Fixed):
    """Images ``(m, 64)`` and labels ``(m,)``, in three parts, the same in every episode."""

    train: tuple[Tensor, Tensor]
    """1,097."""
    validation: tuple[Tensor, Tensor]
    """200, for what a teacher sees."""
    test: tuple[Tensor, Tensor]
    """500, for the score."""


@cache
def split_digits() -> SplitDigits:
    """The parts."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(images))
    parts = np.split(order, [_TEST, _TEST + _VALIDATION])
    test, validation, train = (
        (torch.tensor(images[part], dtype=torch.float32), torch.tensor(labels[part])) for part in parts
    )
    return SplitDigits(train, validation, test)


def make_network(hidden: int, seed: int) -> nn.Sequential:
    """A perceptron with one hidden layer, from pixels to logits ``(m, 10)``."""
    with seeded(seed):
        return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def hidden_features(network: nn.Sequential, images: Tensor) -> Tensor:
    """``(m, hidden)`` what the hidden layer makes of images."""
    features: Tensor = network[1](network[0](images))
    return features


def make_optimiser(network: nn.Module, *, rate: float = 0.1) -> torch.optim.SGD:
    """Stochastic gradient descent with momentum 0.9 and weight decay 2e-4, as in MTARD."""
    return torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=2e-4)


def attacked(network: nn.Module, images: Tensor, labels: Tensor, *, steps: int) -> Tensor:
    """``(m, 64)`` images changed within ``RADIUS`` so that the network errs: projected gradient ascent."""
    found = images
    for _ in range(steps):
        changed = found.clone().requires_grad_()
        (slope,) = torch.autograd.grad(cross_entropy(network(changed), labels), changed)
        moved = changed.detach() + 2.5 * RADIUS / steps * slope.sign()
        found = torch.minimum(torch.maximum(moved, images - RADIUS), images + RADIUS).clamp(0.0, 1.0)
    return found


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of right answers."""
    with torch.no_grad():
        return float((network(images).argmax(dim=1) == labels).double().mean())


@cache
def teacher(name: str) -> nn.Sequential:
    """A teacher by name, trained once in a process, always to the same weights.

    ``clean`` on all training images; ``robust`` on attacked ones; ``early`` on 150 of them; ``weak`` on 60 and
    ``strong`` on all; ``random`` not at all (Sarnthein et al. 2023, arXiv:2302.12091), as a control.
    """
    network = make_network(_HIDDEN, seed=1)
    if name == "random":
        return network.requires_grad_(False)
    images, labels = split_digits().train
    size = {"weak": _WEAK, "early": _EARLY}.get(name, len(images))
    images, labels = images[:size], labels[:size]
    optimiser, rng = make_optimiser(network), np.random.default_rng(0)
    for _ in range(_EPOCHS):
        for batch in batches(size, rng):
            shown, wanted = images[batch], labels[batch]
            if name == "robust":
                shown = attacked(network, shown, wanted, steps=TRAINING_ATTACK)
            optimiser.zero_grad()
            cross_entropy(network(shown), wanted).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return network.requires_grad_(False)


def batches(size: int, rng: np.random.Generator) -> list[Tensor]:
    """An epoch: all numbers below the size, in random order, 64 at a time."""
    order = torch.tensor(rng.permutation(size))
    return [order[start : start + _BATCH] for start in range(0, size, _BATCH)]
