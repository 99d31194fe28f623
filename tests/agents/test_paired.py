from typing import Any

import numpy as np
import pytest

from teachgym.agents.adversaries.paired import Paired, PairedSettings
from teachgym.base.packing import unpack
from teachgym.core.needs import Needs
from teachgym.core.task_space import FloatArray
from teachgym.testing import check_teacher
from tests.agents.lessons import lesson, lessons, unit_problem

FAST = PairedSettings(learning_rate=3e-3, hidden=(32,), epochs=6)


def protagonist(task: FloatArray) -> float:
    return 100.0 * float(task[0] < 0.3)


def antagonist(task: FloatArray) -> float:
    return 100.0 * float(task[0] < 0.6)


def with_regret(tasks: FloatArray) -> float:
    return float(np.mean((tasks[:, 0] >= 0.3) & (tasks[:, 0] < 0.6)))


def test_it_keeps_the_contract_with_several_episodes_per_task() -> None:
    settings = PairedSettings(
        tasks_per_update=4, epochs=1, minibatches=2, hidden=(), episodes_per_task=2, flexible=True, noise_dimensions=0
    )
    check_teacher(Paired, settings=settings, episodes=60)


@pytest.mark.learned
@pytest.mark.parametrize("seed", [0, 1])
def test_it_goes_to_what_the_antagonist_can_do_and_the_protagonist_cannot(seed: int) -> None:
    tasks = lessons(Paired(unit_problem(Needs.ANTAGONIST), FAST, seed=seed), 1000, protagonist, antagonist)
    assert with_regret(tasks[:100]) < 0.45  # uniform: 0.3
    assert with_regret(tasks[800:]) > 0.75


def test_the_first_tasks_are_spread_over_the_box() -> None:
    teacher = Paired(unit_problem(Needs.ANTAGONIST, low=-3.0, high=5.0), seed=0)
    tasks = np.array([teacher.act(None) for _ in range(300)])
    np.testing.assert_allclose(tasks.mean(axis=0), 1, atol=0.6)
    assert (tasks.min(axis=0) < -2.5).all()
    assert (tasks.max(axis=0) > 4.5).all()
    expected = 1 + 4 * np.std(np.tanh(np.random.default_rng(0).standard_normal(100_000)))
    np.testing.assert_allclose(1 + tasks.std(axis=0), expected, rtol=0.1)


@pytest.mark.parametrize(
    ("flexible", "answers", "regret"),
    [
        (False, [(10, 30), (20, 50), (60, 40)], 50 - 30),
        (False, [(60, 30), (70, 40), (80, 50)], 0),
        (True, [(60, 30), (70, 40), (80, 50)], 80 - 40),
        (True, [(10, 30), (20, 50), (40, 40)], 50 - 70 / 3),
    ],
)
def test_regret_is_the_best_of_one_above_the_mean_of_the_other(
    flexible: bool, answers: list[tuple[float, float]], regret: float
) -> None:
    teacher = Paired(unit_problem(Needs.ANTAGONIST), PairedSettings(episodes_per_task=3, flexible=flexible), seed=0)
    tasks = [teacher.act(None) for _ in range(6)]
    for i in (1, 2):
        np.testing.assert_array_equal(tasks[0], tasks[i])
        np.testing.assert_array_equal(tasks[3], tasks[3 + i])
    assert np.any(tasks[0] != tasks[3])
    for decision, (outcome, other) in zip((2, 0, 1), answers, strict=True):
        assert not list(unpack(teacher.state_dict()["rewards"]))
        lesson(teacher, decision, tasks[0], outcome, other)
    assert list(unpack(teacher.state_dict()["rewards"])) == [pytest.approx(regret)]


def test_the_policy_sees_what_it_has_chosen_the_step_and_noise() -> None:
    teacher = Paired(unit_problem(Needs.ANTAGONIST, dimensions=3), PairedSettings(noise_dimensions=4), seed=0)
    task = teacher.act(None)
    (offered,) = teacher._offers._unfinished.values()
    seen = offered.memo["observations"]
    assert seen.shape == (3, 3 + 1 + 4)
    chosen = 2 * task - 1
    np.testing.assert_allclose(seen[:, :3], [[0, 0, 0], [chosen[0], 0, 0], [chosen[0], chosen[1], 0]], atol=1e-12)
    np.testing.assert_allclose(seen[:, 3], [0, 1 / 3, 2 / 3])
    assert ((seen[:, 4:] > 0) & (seen[:, 4:] < 1)).all()
    assert len(np.unique(seen[:, 4:])) == 12
    np.testing.assert_allclose(np.tanh(offered.memo["actions"][:, 0]), chosen, atol=1e-12)


def test_rewards_come_last_and_are_divided_by_their_running_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = Paired(unit_problem(Needs.ANTAGONIST), PairedSettings(tasks_per_update=8), seed=0)
    rollouts: list[Any] = []
    monkeypatch.setattr(teacher._learner, "train", lambda rollout, rng: rollouts.append(rollout))
    regrets = np.random.default_rng(0).uniform(0, 300, 16)
    for decision, regret in enumerate(regrets):
        lesson(teacher, decision, teacher.act(None), 0, regret)
    for i, rollout in enumerate(rollouts):
        np.testing.assert_allclose(rollout.rewards[0], 0)
        seen = regrets[: 8 * i + 8]
        np.testing.assert_allclose(rollout.rewards[1], regrets[8 * i : 8 * i + 8] / seen.std(), rtol=1e-3)
        assert rollout.starts.tolist() == [[True] * 8, [False] * 8]
        assert rollout.observations.shape == (2, 8, 13)
    assert len(rollouts) == 2


def test_an_answer_that_no_longer_fits_the_policy_is_ignored() -> None:
    teacher = Paired(unit_problem(Needs.ANTAGONIST), seed=0)
    tasks = [teacher.act(None), teacher.act(None)]
    lesson(teacher, 0, tasks[0], 0, 1)
    teacher._learner.policy.log_std.data.fill_(-5.0)
    lesson(teacher, 1, tasks[1], 0, 1)
    assert list(unpack(teacher.state_dict()["rewards"])) == [1]


def test_an_antagonist_is_needed_and_its_outcomes_are_finite() -> None:
    with pytest.raises(ValueError, match="it needs antagonist"):
        Paired(unit_problem(), seed=0)
    teacher = Paired(unit_problem(Needs.ANTAGONIST), seed=0)
    with pytest.raises(ValueError, match="antagonist_outcome is nan; expected a finite number"):
        lesson(teacher, 0, teacher.act(None), 0, float("nan"))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"episodes_per_task": 0}, "episodes_per_task is 0"),
        ({"tasks_per_update": 7}, r"tasks_per_update is 7; expected .* at least 8"),
        ({"tasks_per_update": 10}, "tasks_per_update is 10; expected a multiple of minibatches, 4"),
        ({"noise_dimensions": -1}, "noise_dimensions is -1"),
        ({"learning_rate": 0}, "learning_rate is 0"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PairedSettings(**setting)
