"""Distillation: limits, the balances of the sources, and what they are worth."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from teachgym.envs.problems.digit_networks import (
    RADIUS,
    accuracy,
    attacked,
    make_network,
    split_digits,
    teacher,
)
from teachgym.envs.problems.distillation.distilled_student import DistilledStudent
from teachgym.envs.problems.distillation.env import DistillationEnv
from teachgym.envs.problems.distillation.triangle_student import TriangleStudent
from tests.envs.problems.problems import final_score


def net(env: DistillationEnv, rule: str, *, seed: int) -> float:
    """The final score less what was paid."""
    final_score(env, rule, seed=seed)
    return env.evaluate().mean_return


def weights(env: DistillationEnv) -> list[torch.Tensor]:
    student = env.lifetime.student
    assert isinstance(student, DistilledStudent | TriangleStudent)
    return [value.detach().clone() for value in student._network.parameters()]


def taught(env: DistillationEnv, controls: list[float], *, epochs: int = 2) -> list[torch.Tensor]:
    env.reset(seed=1)
    for _ in range(epochs):
        env.step(np.array(controls))
    return weights(env)


def same(left: list[torch.Tensor], right: list[torch.Tensor], *, within: float = 0.0) -> bool:
    return all(torch.allclose(one, other, rtol=0, atol=within) for one, other in zip(left, right, strict=True))


def test_an_attack_stays_within_its_radius_and_the_ink_and_does_harm() -> None:
    network, (images, labels) = teacher("clean"), split_digits().test
    changed = attacked(network, images, labels, steps=10)
    assert float((changed - images).abs().max()) <= RADIUS + 1e-6
    assert float(changed.min()) >= 0
    assert float(changed.max()) <= 1
    assert accuracy(network, changed, labels) < accuracy(network, images, labels) - 0.5


@pytest.mark.learned
def test_the_teachers_are_what_their_names_say() -> None:
    images, labels = split_digits().test
    of = {name: accuracy(teacher(name), images, labels) for name in ("clean", "robust", "early", "weak", "random")}
    assert of["clean"] > of["early"] + 0.03 > of["weak"] + 0.1
    assert of["random"] < 0.25
    under_attack = {
        name: accuracy(teacher(name), attacked(teacher(name), images, labels, steps=10), labels)
        for name in ("clean", "robust")
    }
    assert under_attack["robust"] > under_attack["clean"] + 0.3


def test_only_the_shares_of_the_weights_count() -> None:
    env = DistillationEnv(problem="order")
    assert same(taught(env, [0.2, 0.4, 1, 1]), taught(env, [0.5, 1.0, 1, 1]), within=1e-5)


def test_without_any_weight_nothing_is_learnt_and_nothing_is_paid() -> None:
    env = DistillationEnv(problem="order", price=1.0)
    env.reset(seed=1)
    before = weights(env)
    _, reward, *_ = env.step(np.array([0.0, 0.0, 1.0, 1.0]))
    assert same(weights(env), before)
    assert reward == 0


@pytest.mark.learned
def test_labels_alone_are_plain_training() -> None:
    env = DistillationEnv(problem="noisy", label_noise=0.0)
    found = taught(env, [0.0, 1.0, 1.0], epochs=1)
    network = make_network(24, env.seeds.student)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=2e-4)
    images, labels = split_digits().train
    order = np.random.default_rng(env.seeds.student).permutation(len(images))
    for batch in np.split(order, range(64, len(order), 64)):
        optimiser.zero_grad()
        functional.cross_entropy(network(images[batch]), labels[batch]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert same(found, [value.detach() for value in network.parameters()], within=1e-6)


@pytest.mark.parametrize(("bias", "controls"), [(-20.0, [0.0, 1.0, 1.0]), (20.0, [1.0, 0.0, 1.0])])
def test_a_triangle_with_nothing_but_a_bias_is_a_shared_weight(bias: float, controls: list[float]) -> None:
    by_sample = taught(DistillationEnv(problem="noisy", weights="sample"), [bias, 0, 0, 0, 0, 0])
    assert same(by_sample, taught(DistillationEnv(problem="noisy"), controls), within=1e-4)


def test_slopes_of_the_triangle_are_those_of_finite_differences() -> None:
    env = DistillationEnv(problem="noisy", weights="sample")
    env.reset(seed=1)
    student = env.lifetime.student
    assert isinstance(student, TriangleStudent)
    student.learn(np.array([0.3, 0.5, -0.2, 0.1, 0.0, 0.4]))
    slopes, controls, images = student._slopes, student._controls, split_digits().validation
    data, batch = student._data, torch.arange(256)

    def loss_after(coefficients: np.ndarray) -> float:
        network = make_network(24, 0)
        network.load_state_dict(student._network.state_dict())
        network.double()
        logits = network(data.images[batch].double())
        features = student._features(logits.detach().float(), batch).double()
        alpha = torch.sigmoid(features @ torch.tensor(coefficients))
        teaches, labels = data.logits[batch].double(), data.labels[batch]
        target = functional.softmax(teaches, dim=1)
        apart = (target * (target.log() - functional.log_softmax(logits, dim=1))).sum(dim=1)
        own = functional.cross_entropy(logits, labels, reduction="none")
        loss = ((1 - alpha) * own + alpha * apart).mean()
        slopes = torch.autograd.grad(loss, list(network.parameters()))
        with torch.no_grad():
            for value, slope in zip(network.parameters(), slopes, strict=True):
                value.sub_(0.1 * slope)
            return float(functional.cross_entropy(network(images[0].double()), images[1]))

    for k in range(len(controls)):
        up, down = controls.copy(), controls.copy()
        up[k], down[k] = up[k] + 1e-4, down[k] - 1e-4
        assert slopes[k] == pytest.approx((loss_after(up) - loss_after(down)) / 2e-4, rel=0.02, abs=1e-5)


def seen(env: DistillationEnv, **values: float) -> np.ndarray:
    """An observation with these values, and 0 elsewhere."""
    return np.array([values.get(name, 0.0) for name in env.observation_names], dtype=np.float32)


@pytest.mark.learned
@settings(deadline=None)
@given(clean=st.floats(0.1, 2.0), robust=st.floats(0.1, 2.0))
def test_the_weights_of_mtard_converge_to_the_share_of_the_losses(clean: float, robust: float) -> None:
    env, weight = DistillationEnv(), 0.5
    for _ in range(60):
        observation = seen(env, progress=0.5, last_weight_of_clean=weight, loss_of_clean=clean, loss_of_robust=robust)
        weight = float(env.teaching_spec.rules["paper"](observation)[0])
    assert weight == pytest.approx(clean / (clean + robust), abs=1e-4)


def test_the_temperatures_of_mtard_soften_the_sharper_teacher_only() -> None:
    env = DistillationEnv()
    start = dict(progress=0.5, last_weight_of_clean=0.5, loss_of_clean=1.0, loss_of_robust=1.0)
    sharp = env.teaching_spec.rules["rescaled"](seen(env, **start, entropy_of_clean=0.1, entropy_of_robust=0.3))
    assert sharp[3:].tolist() == pytest.approx([1.36, 1.0])
    other = env.teaching_spec.rules["rescaled"](seen(env, **start, entropy_of_clean=0.3, entropy_of_robust=0.1))
    assert other[3:].tolist() == pytest.approx([1.0, 1.36])
    alike = env.teaching_spec.rules["rescaled"](seen(env, **start, last_temperature_of_clean=4.0))
    assert alike[3:].tolist() == pytest.approx([4.0, 1.0])


def test_entropy_grows_with_the_temperature() -> None:
    env = DistillationEnv()
    env.reset(seed=0)
    student = env.lifetime.student
    assert isinstance(student, DistilledStudent)
    entropies = [student._data.entropy("clean", temperature) for temperature in (1.0, 2.0, 5.0, 10.0)]
    assert np.all(np.diff(entropies) > 0)
    assert entropies[-1] <= 1


def test_the_strong_teacher_has_a_price_whenever_it_is_asked() -> None:
    env = DistillationEnv(problem="order", budget=4, price=0.2)
    env.reset(seed=0)
    paid = [env.step(np.array(controls))[4]["paid"] for controls in ([1, 0, 1, 1], [1, 0.01, 1, 1], [0, 1, 1, 1])]
    assert paid == pytest.approx([0.0, 0.05, 0.1])


@pytest.mark.parametrize("objective", ["label-assisted", "relations"])
def test_other_objectives_teach_too_and_are_not_the_same(objective: Any) -> None:
    plain, other = (
        DistillationEnv(problem="noisy", budget=5),
        DistillationEnv(problem="noisy", budget=5, objective=objective),
    )
    scores = [final_score(env, "teacher", seed=0) for env in (plain, other)]
    assert min(scores) > 0.7
    assert scores[0] != scores[1]


@settings(max_examples=5, deadline=None)
@given(st.floats(0.0, 1.0))
def test_so_many_labels_are_wrong_as_is_said(share: float) -> None:
    env = DistillationEnv(problem="noisy", label_noise=share)
    env.reset(seed=3)
    student = env.lifetime.student
    assert isinstance(student, DistilledStudent)
    wrong = float((student._data.labels != split_digits().train[1]).double().mean())
    assert wrong == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"problem": "easy"}, "problem"),
        ({"weights": "sample"}, "noisy"),
        ({"weights": "each"}, "weights"),
        ({"label_noise": 2.0}, "label_noise"),
        ({"objective": "hope"}, "objective"),
        ({"random_teacher": 1}, "random_teacher"),
        ({"truth": True}, "not known"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DistillationEnv(**settings)


@pytest.mark.slow
def test_the_mean_of_the_accuracies_is_best_between_the_teachers_and_mtard_is_there() -> None:
    of = {
        rule: np.mean([final_score(DistillationEnv(budget=15), rule, seed=seed) for seed in range(2)])
        for rule in ("clean", "robust", "constant", "paper")
    }
    assert min(of["constant"], of["paper"]) > max(of["clean"], of["robust"]) + 0.005


def test_a_random_teacher_alone_teaches_no_digits() -> None:
    for seed in range(5):
        env = DistillationEnv(problem="noisy", random_teacher=True, budget=10)
        env.reset(seed=seed)
        scores = [env.step(np.array([0.0, 1.0, 0.0, 1.0, 1.0]))[4]["score"] for _ in range(10)]
        assert scores[-1] < 0.3
        assert final_score(env, "teacher", seed=seed) > 0.8


@pytest.mark.slow
def test_the_truth_of_examples_is_above_constants_and_both_teachers_alone() -> None:
    def mean(rule: str, **kind: Any) -> float:
        env = DistillationEnv(problem="noisy", weights="sample", **kind)
        return float(np.mean([final_score(env, rule, seed=seed) for seed in range(8)]))

    constant = mean("constant")
    assert mean("truth", truth=True) > constant + 0.002
    assert constant > max(mean("none"), mean("teacher")) + 0.01


@pytest.mark.learned
@pytest.mark.slow
def test_where_the_strong_teacher_is_dear_weak_then_strong_beats_both_and_the_other_order() -> None:
    of = {
        rule: np.mean([net(DistillationEnv(problem="order"), rule, seed=seed) for seed in range(2)])
        for rule in ("paper", "strong", "weak", "strong-then-weak", "late-strong")
    }
    assert of["paper"] > max(of["strong"], of["weak"], of["strong-then-weak"]) + 0.02
    assert abs(of["paper"] - of["late-strong"]) < 0.02  # the control with as much of the strong teacher
