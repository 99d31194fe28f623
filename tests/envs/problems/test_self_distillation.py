"""Self-distillation: the source's numbers, its limit, and the truth."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import teachgym
from teachgym.envs.problems.self_distillation.env import (
    BEST_CONSTANT,
    TOY_LABELS,
    RidgeProblem,
    SelfDistillationEnv,
    SelfDistiller,
)
from teachgym.study.train_settings import TrainSettings
from teachgym.study.train_teacher import train_teacher
from tests.envs.problems.problems import final_score, play_rule

TOY = RidgeProblem(np.array(TOY_LABELS), gamma=80.0, ridge=0.2)


def losses(weights: list[float]) -> list[float]:
    env = SelfDistillationEnv(budget=len(weights))
    env.reset(seed=0)
    return [env.step(np.array([weight]))[4]["loss"] for weight in weights]


@pytest.mark.parametrize(
    ("weight", "published", "limit"),
    [
        (0.0, [0.16477, 0.15076, 0.14915, 0.15561, 0.16735, 0.18251], 0.49505),
        (0.25, [0.16477, 0.15309, 0.14958, 0.14903, 0.14946, 0.15011], 0.15250),
        (0.35, [0.16477, 0.15424, 0.15089, 0.14983, 0.14954, 0.14948], 0.14959),
    ],
)
def test_constant_weights_give_the_losses_that_the_authors_print(
    weight: float, published: list[float], limit: float
) -> None:
    assert np.round(losses([weight] * 6), 5).tolist() == published
    assert round(losses([weight] * 3000)[-1], 5) == limit


@settings(deadline=None)
@given(st.floats(0.05, 1.0))
def test_a_constant_weight_tends_to_a_ridge_of_lambda_over_the_weight(weight: float) -> None:
    student = SelfDistiller(TOY, steps=1000, low=0.0, high=1.0)
    for _ in range(1000):
        student.learn(np.array([weight]))
    ridge = RidgeProblem(np.array(TOY_LABELS), gamma=80.0, ridge=0.2 / weight)
    assert -student.score() == pytest.approx(ridge.loss(ridge.labels), abs=1e-12)


def test_fits_follow_the_spectral_recursion() -> None:
    values, vectors = np.linalg.eigh(TOY.kernel)
    shrink = np.diag(values / (values + 0.2))
    weights = [0.3, 0.8, 0.1, 0.6]
    factor, student = np.eye(11), SelfDistiller(TOY, steps=4, low=0.0, high=1.0)
    for weight in weights:
        factor = shrink @ ((1 - weight) * factor + weight * np.eye(11))
        student.learn(np.array([weight]))
        np.testing.assert_allclose(student._fit, vectors @ factor @ vectors.T @ TOY.labels, atol=1e-12)


@pytest.mark.learned
@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5))
def test_the_source_is_the_best_next_step(weights: list[float]) -> None:
    env = SelfDistillationEnv(budget=len(weights) + 1)
    observation, _ = env.reset(seed=0)
    for weight in weights:
        observation, *_ = env.step(np.array([weight]))
    chosen = float(env.teaching_spec.rules["paper"](observation)[0])
    fit = env.lifetime.student._fit  # type: ignore[attr-defined]
    grid = [TOY.loss(TOY.mixed(weight, fit)) for weight in np.linspace(0, 1, 1001)]
    assert TOY.loss(TOY.mixed(chosen, fit)) <= min(grid) + 1e-9


@settings(deadline=None)
@given(st.lists(st.floats(-1.0, 2.0), min_size=1, max_size=6))
def test_the_gradient_of_the_last_loss_is_that_of_finite_differences(weights: list[float]) -> None:
    point, step = np.array(weights), 1e-6
    _, gradient = TOY.final_loss(point, TOY.labels)
    for k in range(len(point)):
        up, down = point.copy(), point.copy()
        up[k] += step
        down[k] -= step
        slope = (TOY.final_loss(up, TOY.labels)[0] - TOY.final_loss(down, TOY.labels)[0]) / (2 * step)
        assert gradient[k] == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_the_optimum_of_three_steps_is_that_of_a_grid() -> None:
    grid = np.linspace(0, 1, 201)
    on_grid = min(TOY.final_loss([1.0, a, b], TOY.labels)[0] for a in grid for b in grid)
    weights, least = TOY.optimal(3, TOY.labels, 0.0, 1.0)
    assert on_grid - 1e-6 < least <= on_grid
    assert TOY.final_loss(weights, TOY.labels)[0] == pytest.approx(least)


@pytest.mark.parametrize(("steps", "greedy"), [(3, 0.148764), (6, 0.149483)])
def test_the_one_step_rule_is_myopic(steps: int, greedy: float) -> None:
    optimum = 0.148675
    assert round(-final_score(SelfDistillationEnv(budget=steps), "paper"), 6) == greedy
    assert round(-final_score(SelfDistillationEnv(budget=steps, truth=True), "truth"), 6) == optimum


def test_without_bounds_the_second_weight_of_the_source_is_negative() -> None:
    env = SelfDistillationEnv(budget=2, low=-2.0, high=2.0)
    env.reset(seed=0)
    observation, *_ = env.step(np.array([1.0]))
    assert env.teaching_spec.rules["paper"](observation)[0] == pytest.approx(-0.622, abs=5e-4)


def test_the_best_constant_is_that_of_a_grid() -> None:
    assert min(np.round(np.linspace(0, 1, 1001), 3), key=lambda w: losses([w] * 6)[-1]) == BEST_CONSTANT


@pytest.mark.slow
def test_over_other_noise_the_source_is_mostly_worse_than_a_constant_and_never_beats_the_optimum() -> None:
    worse, regrets = 0, []
    for seed in range(20):
        env = SelfDistillationEnv(data="redrawn", truth=True)
        best = final_score(env, "truth", seed=seed)
        source, constant = (final_score(env, rule, seed=seed) for rule in ("paper", "constant"))
        weights = np.linspace(0, 1, 101)
        problem = env.lifetime.student.problem  # type: ignore[attr-defined]
        constant = max(-problem.final_loss([w] * 6, problem.labels)[0] for w in weights)
        worse += source < constant
        assert max(source, constant) <= best + 1e-9
        regrets.append(best - source)
    assert worse > 10
    assert np.mean(regrets) > 0.001


def test_redrawn_noise_depends_on_the_seed_and_the_toy_does_not() -> None:
    env = gymnasium.make("teachgym/SelfDistillation-v0", data="redrawn")
    assert play_rule(env.unwrapped, "none", seed=1)[-1] != play_rule(env.unwrapped, "none", seed=2)[-1]  # type: ignore[arg-type]
    toy = SelfDistillationEnv()
    assert play_rule(toy, "none", seed=1)[-1] == play_rule(toy, "none", seed=2)[-1]


def test_a_teacher_of_curricula_acts_in_it() -> None:
    env = SelfDistillationEnv(budget=40)
    record = teachgym.teach(env, teachgym.make_teacher("alp-gmm", env, seed=0), seed=0)
    assert len(record.feedback) == 40


@pytest.mark.slow
def test_a_teacher_that_is_trained_closes_part_of_the_gap_that_the_one_step_rule_leaves(tmp_path: Path) -> None:
    algorithm = "ppo,gamma=1.0,n_steps=96,batch_size=256,ent_coef=0.0,learning_rate=1e-3"
    settings = TrainSettings(env="SelfDistillation", algorithm=algorithm, steps=70_000, name="teacher", runs=tmp_path)
    train_teacher(settings)
    env = SelfDistillationEnv()
    teacher = teachgym.make_teacher("policy", env, seed=0, path=str(settings.folder), deterministic=True)
    teachgym.teach(env, teacher, seed=0)
    rule, optimum = 0.149483, 0.148675
    assert optimum <= -env.evaluate().mean_return < rule - 0.25 * (rule - optimum)
