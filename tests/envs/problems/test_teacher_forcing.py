"""Teacher forcing: gradients, the bound of the theorem, and what forcing is worth."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from teachgym.envs.problems.teacher_forcing.clipped_plrnn import Adam, ClippedPlrnn
from teachgym.envs.problems.teacher_forcing.env import (
    ForcedStudent,
    TeacherForcingEnv,
    annealed,
    bounding_strength,
    jacobian_norms,
)
from tests.envs.problems.problems import final_score


def network(seed: int, *, dimensions: int = 3, hidden: int = 7, scale: float = 1.0) -> ClippedPlrnn:
    rng = np.random.default_rng(seed)
    made = ClippedPlrnn.drawn(dimensions, hidden, rng)
    made.weights["w1"] *= scale
    return made


def series(seed: int, *, length: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(4, length + 1, 3))


def torch_loss(weights: dict[str, torch.Tensor], data: torch.Tensor, alpha: float) -> torch.Tensor:
    pulled, errors = data[:, 0], []
    for t in range(data.shape[1] - 1):
        inner = pulled @ weights["w2"].T
        outer = torch.relu(inner + weights["h2"]) - torch.relu(inner)
        state = weights["a"] * pulled + outer @ weights["w1"].T + weights["h1"]
        errors.append((state - data[:, t + 1]) ** 2)
        pulled = (1 - alpha) * state + alpha * data[:, t + 1]
    return torch.stack(errors).mean()


@settings(deadline=None)
@given(st.floats(0.0, 1.0), st.integers(0, 50))
def test_the_gradient_through_forced_time_is_that_of_automatic_differentiation(alpha: float, seed: int) -> None:
    made, data = network(seed), series(seed)
    weights = {name: torch.tensor(value, requires_grad=True) for name, value in made.weights.items()}
    loss = torch_loss(weights, torch.tensor(data), alpha)
    slopes = torch.autograd.grad(loss, list(weights.values()))
    found = made.forced(data, alpha)
    assert found.loss == pytest.approx(float(loss.detach()))
    for (name, _), slope in zip(weights.items(), slopes, strict=True):
        np.testing.assert_allclose(found.gradient[name], slope.numpy(), rtol=1e-7, atol=1e-10)


def test_full_forcing_is_regression_on_single_steps() -> None:
    made, data = network(1), series(1)
    error = made(data[:, :-1]) - data[:, 1:]
    assert made.forced(data, 1.0).loss == pytest.approx(np.mean(error**2))


def test_without_forcing_it_is_a_free_run() -> None:
    made, data = network(1), series(1)
    free = made.free(data[:, 0], data.shape[1] - 1).swapaxes(0, 1)
    assert made.forced(data, 0.0).loss == pytest.approx(np.mean((free - data[:, 1:]) ** 2))


def test_jacobians_are_those_of_finite_differences() -> None:
    made, state, step = network(2), np.random.default_rng(0).normal(size=3), 1e-6
    inner = state @ made.weights["w2"].T
    slopes = (inner + made.weights["h2"] > 0).astype(float) - (inner > 0)
    found = made.jacobians(slopes)
    for k in range(3):
        moved = state + step * np.eye(3)[k]
        assert found[:, k] == pytest.approx((made(moved) - made(state)) / step, abs=1e-5)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 20.0))
def test_with_the_strength_of_a_bound_the_gradient_does_not_grow_whatever_the_weights(seed: int, scale: float) -> None:
    made = network(seed, scale=scale)
    slopes = made.forced(series(seed, length=8), 0.5).slopes
    jacobians = made.jacobians(slopes)
    largest = float(np.linalg.norm(jacobians, 2, axis=(-2, -1)).max())
    assert largest <= made.norm_bound() + 1e-9
    for bound in (made.norm_bound(), jacobian_norms(jacobians)["largest"]):
        alpha = bounding_strength(bound)
        product = np.eye(3)
        for jacobian in jacobians:
            product = (1 - alpha) * jacobian @ product
            assert np.linalg.norm(product, 2, axis=(-2, -1)).max() <= 1 + 1e-9


def test_orbits_are_bounded_where_the_diagonal_is_below_one() -> None:
    for seed in range(20):
        made = network(seed, scale=10.0)
        assert np.isfinite(made.free(np.full((1, 3), 100.0), 500)).all()
        reach = np.abs(made.free(np.full((1, 3), 100.0), 500)[-1]).max()
        drive = np.abs(made.weights["w1"]).sum(axis=1) * np.abs(made.weights["h2"]).max()
        assert reach <= (drive / (1 - np.abs(made.weights["a"]))).max() + 1


def test_the_norms_are_ordered_and_those_of_equal_jacobians_are_the_same() -> None:
    jacobians = np.random.default_rng(0).normal(size=(6, 4, 3, 3))
    norms = jacobian_norms(jacobians)
    assert norms["product"] <= norms["largest"]
    assert norms["mean"] <= norms["largest"]
    alike = jacobian_norms(np.broadcast_to(jacobians[0, 0], (6, 4, 3, 3)))
    assert len({round(norm, 9) for norm in alike.values()}) == 1


def test_the_annealing_jumps_up_and_comes_down_slowly() -> None:
    rule = partial(annealed, 0.999, 100)
    seen = {"progress": 0.0, "norm_of_product": 2.0, "last_alpha": 0.0}
    assert rule(seen) == [1.0]
    assert rule({**seen, "progress": 0.5, "last_alpha": 0.3}) == [0.5]
    down = np.array(rule({**seen, "progress": 0.5, "last_alpha": 1.0}))
    assert down == pytest.approx(0.5 + 0.5 * 0.999**20)
    assert rule({**seen, "progress": 0.5, "norm_of_product": 0.5, "last_alpha": 0.0}) == [0.0]


def test_adam_minimises_a_square() -> None:
    weights = {"x": np.array([3.0, -2.0])}
    adam = Adam(weights)
    for _ in range(2000):
        adam.step(weights, {"x": 2 * weights["x"]}, rate=0.02)
    assert weights["x"] == pytest.approx([0, 0], abs=1e-3)


@pytest.mark.parametrize("system", ["logistic", "henon", "lorenz"])
def test_every_system_can_be_learnt_a_little(system: Any) -> None:
    env = TeacherForcingEnv(system=system, budget=2, updates=20)
    env.reset(seed=0)
    _, _, _, _, first = env.step(np.array([1.0]))
    loss = env.lifetime.student.seen()["loss"]
    env.step(np.array([1.0]))
    assert env.lifetime.student.seen()["loss"] < loss
    assert np.isfinite(first["score"])


def test_a_student_that_diverges_ends_the_episode() -> None:
    env = TeacherForcingEnv(budget=5, updates=5)
    env.reset(seed=0)
    student = env.lifetime.student
    assert isinstance(student, ForcedStudent)
    student._network.weights["a"] += 1e200
    observation, reward, over, _, _ = env.step(np.array([0.0]))
    assert over
    assert np.isfinite(reward)
    assert env.observation_space.contains(observation)


@pytest.mark.slow
def test_gradients_are_great_without_forcing_and_small_with_it() -> None:
    def greatest(alpha: float, seed: int) -> float:
        env = TeacherForcingEnv(budget=10)
        env.reset(seed=seed)
        seen = []
        for _ in range(10):
            env.step(np.array([alpha]))
            seen.append(env.lifetime.student.seen()["log_gradient"])
        return max(seen)

    for seed in range(2):
        assert greatest(0.0, seed) > greatest(0.6, seed) + 0.3
        assert greatest(0.6, seed) < np.log10(5)


@pytest.mark.slow
def test_the_source_learns_the_attractor_and_no_forcing_does_not() -> None:
    forced, free = (
        np.median([final_score(TeacherForcingEnv(budget=20), rule, seed=seed) for seed in range(3)])
        for rule in ("paper", "none")
    )
    assert free < -14
    assert forced > -5


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"system": "pendulum"}, "system"),
        ({"noise": -1.0}, "noise"),
        ({"updates": 0}, "updates"),
        ({"budget": 0}, "budget"),
    ],
)
def test_settings_that_are_not_allowed_are_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TeacherForcingEnv(**keywords)
