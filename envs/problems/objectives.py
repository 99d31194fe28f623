"""Objectives of distillation, as plain functions of tensors; each gives a scalar that is to be minimised.

Logits are ``(m, classes)`` and labels ``(m,)``, unless said otherwise; nothing here draws numbers or keeps state.
"""

import torch
from torch import Tensor
from torch.nn import functional


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean over examples of minus the log-probability of the label; ``weights`` ``(m,)`` multiply the terms."""
    return _mean(functional.cross_entropy(logits, labels, reduction="none"), weights)


def distillation(
    student: Tensor, teacher: Tensor, *, temperature: float = 1.0, weights: Tensor | None = None
) -> Tensor:
    """Mean of ``KL(teacher / temperature || student)``, the student at temperature 1.

    Only the teacher is softened, as in MTARD (Zhao et al. 2022, arXiv:2306.16170); with both softened it would be that
    of Hinton et al. 2015 (arXiv:1503.02531).
    """
    target = functional.softmax(teacher / temperature, dim=1)
    log_target = functional.log_softmax(teacher / temperature, dim=1)
    return _mean((target * (log_target - functional.log_softmax(student, dim=1))).sum(dim=1), weights)


def label_assisted(teacher: Tensor, labels: Tensor, noise: Tensor, *, sigma: float) -> Tensor:
    """``(m, classes)`` target probabilities of a teacher that also reads a noisy label.

    After LAD (Qiu et al. 2024): the label, as one number a class with Gaussian noise of standard deviation ``sigma``
    (``noise`` is standard normal, ``(m, classes)``), is weighed against the teacher as its precision deserves, taking
    the teacher's own error for one of standard deviation 1: the closed form of a linear Gaussian model, in which
    ``sigma=0`` is the hard label, and a great sigma the plain teacher. The source trains its teacher on the noisy
    label instead.
    """
    probabilities = functional.softmax(teacher, dim=1)
    told = functional.one_hot(labels, teacher.shape[1]).to(teacher.dtype) + sigma * noise
    trust = sigma**2 / (1 + sigma**2)
    mixed = (trust * probabilities + (1 - trust) * told).clamp_min(0)
    return mixed / mixed.sum(dim=1, keepdim=True).clamp_min(1e-12)


def attention_relation(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean ``KL(teacher || student)`` of attention distributions ``(heads, positions, positions)``, rows summing to 1.

    The first loss of MiniLM (Wang et al. 2020, arXiv:2002.10957).

    Raises:
        ValueError: If the shapes differ; heads and positions must match.
    """
    if student.shape != teacher.shape:
        raise ValueError(f"attentions have shapes {tuple(student.shape)} and {tuple(teacher.shape)}; expected the same")
    tiny = torch.finfo(student.dtype).tiny
    logs = teacher.clamp_min(tiny).log() - student.clamp_min(tiny).log()
    return (teacher * logs).sum(dim=-1).mean()


def value_relation(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean ``KL(teacher || student)`` of ``softmax(V V' / sqrt(d))`` of values ``(heads, positions, d)``.

    The second loss of MiniLM. The head's dimension d may differ; any rotation of a head's values leaves it unchanged.

    Raises:
        ValueError: If heads or positions differ.
    """
    return attention_relation(_relations(student), _relations(teacher))


def anchor(features: Tensor, frozen: Tensor, residual: Tensor, *, strength: float = 0.1) -> Tensor:
    """Mean of ``1 - cos(features + strength * residual, frozen)``, all ``(m, d)``.

    The pull to a frozen teacher of FROSTER (Huang et al. 2024, arXiv:2402.03241), where ``residual`` is what a small
    network makes of the features; it has the weight 2 beside the cross-entropy there.
    """
    return (1 - functional.cosine_similarity(features + strength * residual, frozen, dim=1)).mean()


def redi(chosen: Tensor, rejected: Tensor, chosen_lengths: Tensor, rejected_lengths: Tensor, *, alpha: float) -> Tensor:
    """Mean of ``-log p(chosen) / length + alpha log p(rejected) / length``.

    Of REDI (Xu et al. 2025, arXiv:2505.24850), from summed log-probabilities ``(m,)`` and lengths ``(m,)`` in tokens;
    its default is alpha 0.8. With alpha 0 it is supervised fine-tuning. With any greater alpha it is unbounded below:
    limit the number of updates. ``python -m tests.benchmarks.redi_collapse`` shows what happens if not.
    """
    return (-chosen / chosen_lengths + alpha * rejected / rejected_lengths).mean()


def _relations(values: Tensor) -> Tensor:
    return functional.softmax(values @ values.transpose(-1, -2) / values.shape[-1] ** 0.5, dim=-1)


def _mean(terms: Tensor, weights: Tensor | None) -> Tensor:
    return terms.mean() if weights is None else (weights * terms).mean()
