"""A small network that learns from the outputs of teachers, and from labels, as much from each as it is told."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from teachgym.core.seeding import Seeds
from teachgym.core.task_space import FloatArray
from teachgym.envs.problems.controlled_student import ControlledStudent, Fixed
from teachgym.envs.problems.digit_networks import (
    TEST_ATTACK,
    TRAINING_ATTACK,
    accuracy,
    attacked,
    batches,
    hidden_features,
    make_network,
    make_optimiser,
    split_digits,
    teacher,
)
from teachgym.envs.problems.objectives import cross_entropy, distillation, label_assisted, value_relation

Objective = Literal["distillation", "label-assisted", "relations"]
SIGMA = 1.0
"""Noise of the label that a label-assisted teacher reads."""
HIDDEN = 24
"""Units of the student."""
_LEAST = 1e-3


@dataclass(frozen=True)
class DistillationSetup(Fixed):
    """What is to be distilled."""

    teachers: tuple[str, ...]
    """Names, as in ``digit_networks.teacher``."""
    costs: tuple[float, ...]
    """Of asking each of them about all the data, once an epoch."""
    labels: bool
    """Whether the labels are known."""
    robust: bool
    """Whether the score is the mean of the accuracies with and without attack."""
    label_noise: float
    """Share of the labels that are wrong."""
    steps: int
    """Epochs of an episode."""

    @property
    def sources(self) -> tuple[str, ...]:
        """What has a weight: the teachers, and the labels where they are known."""
        return (*self.teachers, *(("labels",) if self.labels else ()))


class DistilledStudent(ControlledStudent):
    """A student of several teachers.

    Controls: a weight for each source, and a temperature for each teacher.

    Args:
        curriculum: What is to be distilled.
        objective: How it learns from a teacher: from its softened outputs; from those with a noisy label mixed in; or
            from them and the relations between the examples of a batch in the teacher's hidden layer.
        seeds: Of the episode.
    """

    def __init__(self, curriculum: DistillationSetup, objective: Objective, seeds: Seeds) -> None:
        self._of, self._objective = curriculum, objective
        self._rng = np.random.default_rng(seeds.student)
        self._network = make_network(HIDDEN, seeds.student)
        self._optimiser = make_optimiser(self._network)
        self._data = _Data(curriculum, seeds.world)
        self._first: dict[str, float] = {}
        self._losses = dict.fromkeys(curriculum.sources, 1.0)
        self._temperatures = dict.fromkeys(curriculum.teachers, 1.0)
        self._test()

    def learn(self, controls: FloatArray) -> float:
        """Learn for an epoch, and return what asking the teachers cost, as a share of the episode."""
        teachers, sources = self._of.teachers, self._of.sources
        weights = dict(zip(sources, controls[: len(sources)].tolist(), strict=True))
        self._temperatures = dict(zip(teachers, controls[len(sources) :].tolist(), strict=True))
        total = sum(weights.values())
        asked = [name for name, weight in weights.items() if weight > _LEAST]
        if asked:
            self._epoch({name: weight / total for name, weight in weights.items()})
            self._test()
        costs = dict(zip(teachers, self._of.costs, strict=True))
        return sum(costs.get(name, 0.0) for name in asked) / self._of.steps

    def score(self) -> float:
        """Accuracy on the test images, or the mean of those without and with attack."""
        return self._score

    def seen(self) -> Mapping[str, float]:
        """Losses, entropies of the teachers, and accuracies on validation images."""
        return {
            **{f"loss_of_{name}": loss for name, loss in self._losses.items()},
            **{f"entropy_of_{name}": self._data.entropy(name, value) for name, value in self._temperatures.items()},
            "accuracy": self._accuracy,
            "robust_accuracy": self._robust_accuracy,
        }

    def truth(self) -> dict[str, Any]:
        """Accuracies on the test images, and how many teachers' answers to the training images are right."""
        return {**self._tested, "right": dict(self._data.right)}

    def _epoch(self, shares: Mapping[str, float]) -> None:
        (images, _), labels = self._data.parts.train, self._data.labels
        sums = dict.fromkeys(self._losses, 0.0)
        found = batches(len(images), self._rng)
        for batch in found:
            terms = self._terms(batch, images[batch], labels[batch])
            self._optimiser.zero_grad()
            torch.stack([shares[name] * term for name, term in terms.items()]).sum().backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            for name, term in terms.items():
                sums[name] += float(term.detach())
        means = {name: value / len(found) for name, value in sums.items()}
        if not self._first:
            self._first = {name: max(value, 1e-9) for name, value in means.items()}
        self._losses = {name: value / self._first[name] for name, value in means.items()}

    def _terms(self, batch: Tensor, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The loss of every source."""
        plain = self._network(images)
        terms = {}
        for name in self._of.teachers:
            answers, shown, given = self._data.logits[name][batch], images, plain
            if name == "robust":
                shown = attacked(self._network, images, labels, steps=TRAINING_ATTACK)
                given = self._network(shown)
                answers = teacher(name)(shown)
            terms[name] = self._loss(name, shown, given, answers, labels)
        if self._of.labels:
            terms["labels"] = cross_entropy(plain, labels)
        return terms

    def _loss(self, name: str, images: Tensor, given: Tensor, answers: Tensor, labels: Tensor) -> Tensor:
        softened = answers / self._temperatures[name]
        if self._objective == "label-assisted":
            noise = torch.tensor(self._rng.standard_normal(softened.shape), dtype=torch.float32)
            target = label_assisted(softened, labels, noise, sigma=SIGMA)
            return -(target * functional.log_softmax(given, dim=1)).sum(dim=1).mean()
        loss = distillation(given, answers, temperature=self._temperatures[name])
        if self._objective == "relations":
            own, others = (hidden_features(network, images) for network in (self._network, teacher(name)))
            loss = loss + value_relation(own[None], others[None])
        return loss

    def _test(self) -> None:
        parts, robust = self._data.parts, self._of.robust
        self._accuracy = accuracy(self._network, *parts.validation)
        self._robust_accuracy = self._under_attack(*parts.validation) if robust else 0.0
        self._tested = {"accuracy": accuracy(self._network, *parts.test)}
        if robust:
            self._tested["robust_accuracy"] = self._under_attack(*parts.test)
        self._score = float(np.mean(list(self._tested.values())))

    def _under_attack(self, images: Tensor, labels: Tensor) -> float:
        return accuracy(self._network, attacked(self._network, images, labels, steps=TEST_ATTACK), labels)


class _Data(Fixed):
    """Images, labels with their noise, and what the teachers say of them."""

    def __init__(self, curriculum: DistillationSetup, seed: int) -> None:
        self.parts = split_digits()
        images, clean = self.parts.train
        self.labels = noisy(clean, curriculum.label_noise, seed)
        self.logits: dict[str, Tensor] = {name: teacher(name)(images) for name in curriculum.teachers}
        self.right = {
            name: float((logits.argmax(dim=1) == clean).double().mean()) for name, logits in self.logits.items()
        }

    def entropy(self, name: str, temperature: float) -> float:
        """Mean entropy of a teacher's answers at a temperature, as a share of the greatest, log 10."""
        logs = functional.log_softmax(self.logits[name] / temperature, dim=1)
        return float(-(logs.exp() * logs).sum(dim=1).mean()) / math.log(10)


def noisy(labels: Tensor, share: float, seed: int) -> Tensor:
    """``(m,)`` labels, each wrong with a probability; the wrong ones are equally likely."""
    rng = np.random.default_rng(seed)
    wrong = torch.tensor(rng.random(len(labels)) < share)
    shift = torch.tensor(rng.integers(1, 10, size=len(labels)))
    return torch.where(wrong, (labels + shift) % 10, labels)
