from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from teachgym.agents.base.torch_networks import descend
from teachgym.agents.shaping.setter_solver import SetterSolver, SetterSolverSettings
from teachgym.base.packing import unpack
from teachgym.core.task_space import FloatArray
from teachgym.testing.equality import difference
from tests.agents.lessons import lesson, lessons, unit_problem

SMALL = SetterSolverSettings(train_every=15, hidden=8, judge_hidden=(8,), blocks=2, depth=1)
FAST = SetterSolverSettings(
    steps=20, learning_rate=3e-3, noise=0.05, hidden=32, blocks=2, depth=1, judge_hidden=(32, 32)
)


class Slope:
    """A student that masters what is left, fails what is right, and does either between."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def chance(self, task: FloatArray) -> float:
        return float(1 / (1 + np.exp(10 * (task[0] - 0.5))))

    def __call__(self, task: FloatArray) -> float:
        return float(self.rng.random() < self.chance(task))


def judged(teacher: SetterSolver, tasks: FloatArray) -> FloatArray:
    """How likely the judge holds a success at each of the tasks ``(m, 2)`` in the unit square."""
    with torch.no_grad():
        return np.asarray(torch.sigmoid(teacher._judge(torch.tensor(tasks)))[:, 0])


@pytest.mark.learned
def test_tasks_asked_to_be_more_feasible_are_easier_and_the_judge_knows_it() -> None:
    student = Slope()
    teacher = SetterSolver(unit_problem(), FAST, seed=0)
    lessons(teacher, 1200, student)
    chances = [
        np.mean([student.chance(task) for task in teacher.generate(np.full(200, feasibility))])
        for feasibility in (0.1, 0.5, 0.9)
    ]
    assert chances[0] + 0.1 < chances[1]
    assert chances[1] + 0.1 < chances[2]
    places = np.array([[0.3, 0.5], [0.5, 0.5], [0.7, 0.5]])
    np.testing.assert_allclose(judged(teacher, places), [0.88, 0.5, 0.12], atol=0.2)


def test_with_a_judge_that_is_content_coverage_makes_the_setter_uniform() -> None:
    teacher = SetterSolver(unit_problem(), FAST, seed=0)
    for parameter in teacher._judge.parameters():
        torch.nn.init.zeros_(parameter)
    half = np.full(64, 0.5)
    assert (teacher.generate(half).std(axis=0) < 0.06).all()
    nobody = torch.zeros(64, dtype=torch.bool)
    for _ in range(400):
        goals, wanted = torch.tensor(teacher.generate(half)), torch.tensor(half[:, None])
        descend(teacher._setter_loss(goals, wanted, nobody), teacher._setter, teacher._setter_optimiser)
    tasks = teacher.generate(np.full(1000, 0.5))
    np.testing.assert_allclose(tasks.mean(axis=0), 0.5, atol=0.06)
    np.testing.assert_allclose(tasks.std(axis=0), 1 / np.sqrt(12), atol=0.04)


def test_without_a_success_it_still_trains_and_stays_finite() -> None:
    teacher = SetterSolver(unit_problem(), replace(SMALL, learning_rate=0.01), seed=0)
    before = teacher.state_dict()["setter"]
    tasks = lessons(teacher, 200, lambda task: 0)
    assert np.isfinite(tasks).all()
    assert difference(before, teacher.state_dict()["setter"]) is not None
    assert (judged(teacher, tasks) < 0.5).mean() > 0.9


def test_tasks_on_the_bounds_do_no_harm() -> None:
    teacher = SetterSolver(unit_problem(), SMALL, seed=0)
    for decision in range(60):
        teacher.act(None)
        lesson(teacher, decision, [0, 1], decision % 2)
    assert np.isfinite(teacher.generate(np.array([1e-8, 0.5, 1 - 1e-16]))).all()


def test_the_setters_loss_is_the_sum_of_the_three_published_ones() -> None:
    teacher = SetterSolver(unit_problem(), SetterSolverSettings(hidden=8, noise=0), seed=0)
    rng = np.random.default_rng(0)
    goals, wanted = torch.tensor(rng.uniform(0.2, 0.8, (6, 2))), torch.tensor(rng.uniform(0.1, 0.9, (6, 1)))
    mastered = torch.tensor([True, False, True, True, False, False])
    with torch.no_grad():
        _, log_density = teacher._setter.inverse(goals, wanted)  # the latents of goals lead back to these goals
        odds = teacher._judge(goals)
        whole = float(teacher._setter_loss(goals, wanted, mastered))
        failed = float(teacher._setter_loss(goals, wanted, torch.zeros(6, dtype=torch.bool)))
    feasibility = np.mean((odds.numpy() - np.log(wanted.numpy() / (1 - wanted.numpy()))) ** 2)
    coverage = log_density.numpy().mean()
    validity = -log_density.numpy()[[0, 2, 3]].mean()
    assert whole == pytest.approx(feasibility + validity + coverage)
    assert failed == pytest.approx(feasibility + coverage)


def test_the_setters_step_leaves_the_judge_alone() -> None:
    teacher = SetterSolver(unit_problem(), SMALL, seed=0)
    lessons(teacher, 15, lambda task: 1)
    judge = teacher.state_dict()["judge"]
    goals, wanted = torch.full((4, 2), 0.5, dtype=torch.float64), torch.full((4, 1), 0.5, dtype=torch.float64)
    loss = teacher._setter_loss(goals, wanted, torch.ones(4, dtype=torch.bool))
    descend(loss, teacher._setter, teacher._setter_optimiser)
    assert difference(judge, teacher.state_dict()["judge"]) is None


def test_answers_in_any_order_find_the_feasibility_that_was_wanted() -> None:
    teacher = SetterSolver(unit_problem(), seed=0)
    tasks, origins = [], []
    for _ in range(3):
        tasks.append(teacher.act(None))
        origins.append(teacher.origin)
    for decision in (2, 0, 7, 2):
        lesson(teacher, decision, tasks[min(decision, 2)], decision == 2)
    answers = np.array(list(unpack(teacher.state_dict()["answers"])))
    np.testing.assert_allclose(answers[:, :2], [tasks[2], tasks[0]])
    assert [f"feasibility {answer[2]:.2f}" for answer in answers] == [origins[2], origins[0]]
    assert answers[:, 3].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"train_every": 0}, "train_every is 0; expected a whole number, at least 1"),
        ({"steps": 0}, "steps is 0"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"noise": 2}, "noise is 2"),
        ({"judge_hidden": (64, 0)}, "judge_hidden is .64, 0.; expected"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SetterSolverSettings(**setting)
