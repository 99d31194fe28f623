"""Objectives of distillation: limits, invariances and gradients."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from teachgym.envs.problems.objectives import (
    anchor,
    attention_relation,
    cross_entropy,
    distillation,
    label_assisted,
    redi,
    value_relation,
)
from tests.benchmarks.redi_collapse import train

LABELS = torch.tensor([0, 3, 2, 1])


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_distillation_from_certain_labels_is_cross_entropy() -> None:
    student = drawn(4, 5)
    certain = 1e3 * functional.one_hot(LABELS, 5).double()
    assert float(distillation(student, certain)) == pytest.approx(float(cross_entropy(student, LABELS)), abs=1e-9)


def test_distillation_is_zero_for_the_softened_teacher_itself_and_its_gradient_is_the_difference() -> None:
    teacher = drawn(4, 5)
    assert float(distillation(teacher / 3, teacher, temperature=3.0)) == pytest.approx(0, abs=1e-12)
    student = drawn(4, 5, seed=1).requires_grad_()
    (gradient,) = torch.autograd.grad(distillation(student, teacher, temperature=2.0), student)
    expected = (functional.softmax(student, dim=1) - functional.softmax(teacher / 2, dim=1)) / 4
    torch.testing.assert_close(gradient, expected.detach())


@pytest.mark.parametrize(
    "objective",
    [
        lambda logits, weights: cross_entropy(logits, LABELS, weights),
        lambda logits, weights: distillation(logits, drawn(4, 5, seed=2), weights=weights),
    ],
)
def test_weights_multiply_the_terms(objective: Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]) -> None:
    logits = drawn(4, 5)
    one_by_one = [float(objective(logits, 4 * torch.eye(4, dtype=torch.float64)[i])) for i in range(4)]
    assert float(objective(logits, None)) == pytest.approx(sum(one_by_one) / 4)


def test_a_label_without_noise_is_the_target_and_one_with_endless_noise_is_forgotten() -> None:
    teacher, noise = drawn(4, 5), drawn(4, 5, seed=1)
    hard = label_assisted(teacher, LABELS, noise, sigma=0.0)
    torch.testing.assert_close(hard, functional.one_hot(LABELS, 5).double())
    plain = label_assisted(teacher, LABELS, 0 * noise, sigma=1e6)
    torch.testing.assert_close(plain, functional.softmax(teacher, dim=1), atol=1e-6, rtol=0)


@given(st.floats(0.0, 10.0))
def test_label_assisted_targets_are_probabilities(sigma: float) -> None:
    targets = label_assisted(drawn(4, 5), LABELS, drawn(4, 5, seed=1), sigma=sigma)
    assert bool((targets >= 0).all())
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(4, dtype=torch.float64))


def test_the_fusion_weight_is_the_precision_weight_of_two_gaussian_measurements() -> None:
    # the label weighs 1 / sigma^2, the teacher 1: with sigma 2 the label's share is 1/5
    teacher = torch.zeros(1, 2, dtype=torch.float64)
    target = label_assisted(teacher, torch.tensor([0]), torch.zeros(1, 2, dtype=torch.float64), sigma=2.0)
    assert float(target[0, 0]) == pytest.approx(0.8 * 0.5 + 0.2)


def test_value_relations_do_not_see_rotations_or_the_dimension_of_a_head() -> None:
    values = drawn(2, 6, 4)
    turn, _ = torch.linalg.qr(drawn(2, 4, 4, seed=1))
    assert float(value_relation(values @ turn, values)) == pytest.approx(0, abs=1e-12)
    wider = torch.cat([values, torch.zeros(2, 6, 12, dtype=torch.float64)], dim=-1) * (16 / 4) ** 0.25
    assert float(value_relation(wider, values)) == pytest.approx(0, abs=1e-12)
    assert float(value_relation(drawn(2, 6, 3, seed=5), values)) > 0.01


def test_attention_relations_are_zero_only_where_they_match_and_heads_must_match() -> None:
    attention = functional.softmax(drawn(2, 6, 6), dim=-1)
    assert float(attention_relation(attention, attention)) == 0
    assert float(attention_relation(attention.roll(1, dims=0), attention)) > 0.01
    with pytest.raises(ValueError, match="expected the same"):
        attention_relation(attention[:1], attention)


def test_the_anchor_is_zero_at_the_frozen_features_and_two_opposite_them() -> None:
    frozen = drawn(4, 3)
    assert float(anchor(2 * frozen, frozen, 0 * frozen)) == pytest.approx(0, abs=1e-12)
    assert float(anchor(-frozen, frozen, 0 * frozen)) == pytest.approx(2)
    assert float(anchor(0.9 * frozen, frozen, frozen)) == pytest.approx(0, abs=1e-12)


def log_probabilities(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    return functional.log_softmax(logits, dim=-1).gather(-1, tokens[..., None])[..., 0].sum(dim=-1)


def test_redi_without_negatives_is_fine_tuning() -> None:
    logits, tokens = drawn(4, 3, 6), torch.tensor([[0, 1, 2], [3, 4, 5], [2, 2, 2], [0, 5, 1]])
    chosen, lengths = log_probabilities(logits, tokens), torch.full((4,), 3.0, dtype=torch.float64)
    loss = redi(chosen, chosen - 1, lengths, lengths, alpha=0.0)
    assert float(loss) == pytest.approx(float(cross_entropy(logits.reshape(12, 6), tokens.reshape(12))))


@pytest.mark.parametrize("alpha", [0.2, 0.8, 1.0])
def test_redi_is_unbounded_below(alpha: float) -> None:
    one = torch.ones(1, dtype=torch.float64)
    losses = [float(redi(-one, -worse * one, one, one, alpha=alpha)) for worse in (1, 100, 10_000)]
    assert losses[2] < losses[1] < losses[0]
    assert losses[2] < -1000 * alpha


def test_simpo_with_beta_to_nothing_has_the_gradient_of_the_symmetric_loss() -> None:
    # d/dz [-log sigmoid(beta z) / beta] = -sigmoid(-beta z), which tends to -1/2
    lengths = torch.full((4,), 3.0, dtype=torch.float64)
    logits = drawn(8, 3, 6).requires_grad_()
    tokens = torch.tensor([[0, 1, 2], [3, 4, 5], [2, 2, 2], [0, 5, 1]])
    chosen, rejected = log_probabilities(logits[:4], tokens), log_probabilities(logits[4:], tokens)
    (symmetric,) = torch.autograd.grad(redi(chosen, rejected, lengths, lengths, alpha=1.0), logits, retain_graph=True)
    beta = 1e-6
    margin = beta * (chosen / lengths - rejected / lengths)
    (simpo,) = torch.autograd.grad(-functional.logsigmoid(margin).mean() / beta, logits)
    torch.testing.assert_close(2 * simpo, symmetric, atol=1e-6, rtol=1e-5)
    assert math.isfinite(float(symmetric.abs().sum()))


@pytest.mark.slow
def test_with_redi_both_traces_lose_probability_and_accuracy_falls_the_more_the_greater_alpha() -> None:
    found = {alpha: [train(alpha, seed) for seed in range(2)] for alpha in (0.0, 0.5, 1.0)}
    for none, half, whole in zip(*found.values(), strict=True):
        assert none[0] > half[0] + 0.05 > whole[0] + 0.1  # accuracy
        assert none[1] > half[1] + 5 > whole[1] + 10  # log-probability of the right trace
        assert none[2] > half[2] > whole[2]  # of the wrong one
