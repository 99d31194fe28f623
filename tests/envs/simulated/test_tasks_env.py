from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teachgym.agents import make_teacher
from teachgym.core.loop import teach
from teachgym.core.needs import Needs
from teachgym.envs.simulated.task_model import TaskModel, TaskSettings
from teachgym.envs.simulated.tasks_env import SimulatedTasksEnv, make_tasks
from teachgym.testing import check_teacher_env
from tests.envs.simulated.student_batches import assert_equals_single_environments

KINDS: list[dict[str, Any]] = [
    {},
    {"dimensions": 3, "irrelevant_dimensions": 2, "unfeasible": 0.2, "forgetting": 0.01, "reward": "outcome"},
    {"dimensions": 1, "outcomes": "pass-or-fail", "reward": "learning-progress"},
]
EVEN: dict[str, Any] = {"variety": 0.0, "noise": 0.0}
"""Students who are all the same, and whose outcomes are their probabilities of success."""
FIRST = np.zeros(1, dtype=np.int64)


def model(ability: list[float], **population: Any) -> TaskModel:
    made = TaskModel(TaskSettings(**{**EVEN, "dimensions": len(ability), **population}), 1, mastered_above=0.75)
    made.begin(FIRST, [0])
    made.ability[0] = ability
    return made


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(x)))


@pytest.mark.parametrize("kind", [*KINDS, {"probes": "counted"}, {"probes": "free", "antagonist": True}])
def test_it_keeps_the_contract(kind: dict[str, Any]) -> None:
    check_teacher_env(lambda: SimulatedTasksEnv(budget=41, **kind))


def test_in_one_dimension_success_is_logistic_in_the_margin() -> None:
    tasks = np.linspace(0, 1, 11)[:, None]
    expected = sigmoid(12 * (0.4 - tasks[:, 0]))
    assert model([0.4], slope=12.0).expected(FIRST, tasks)[0] == pytest.approx(expected)


def test_success_takes_all_abilities_and_is_near_the_sigmoid_of_the_least_margin() -> None:
    student = model([0.9, 0.4], slope=30.0)
    tasks = np.random.default_rng(0).random((200, 2))
    least = sigmoid(30 * (student.ability - tasks).min(axis=1))
    given = student.expected(FIRST, tasks)[0]
    assert (given <= least).all()
    assert np.abs(given - least).max() < 0.17  # where both margins are 0 it is 1/3 for 1/2


def test_most_is_learnt_where_success_is_a_toss_up_and_next_to_nothing_far_from_there() -> None:
    def gain(difficulty: float) -> float:
        student = model([0.5], slope=30.0, rate=0.01)
        student.learn(FIRST, np.array([[difficulty]]))
        return float(student.ability[0, 0] - 0.5)

    assert gain(0.5) == pytest.approx(0.01)
    success = sigmoid(30 * (0.5 - 0.55))
    assert gain(0.55) == gain(0.45) == pytest.approx(0.01 * 4 * success * (1 - success))
    assert gain(0.8) < 0.01 / 1000
    assert gain(0.2) < 0.01 / 1000


def test_what_is_learnt_is_what_the_student_lacks() -> None:
    student = model([0.8, 0.5], slope=30.0, rate=0.01)
    student.learn(FIRST, np.array([[0.5, 0.5]]))
    learnt = student.ability[0] - [0.8, 0.5]
    success, parts = 1 / (1 + np.exp(-9) + 1), np.array([np.exp(-9), 1]) / (np.exp(-9) + 1)
    assert learnt == pytest.approx(0.01 * 4 * success * (1 - success) * parts)


def test_ability_gained_is_forgotten_where_tasks_leave_it_idle_and_the_start_stays() -> None:
    student = model([0.6, 0.3], slope=300.0, start=0.1, rate=0.0, forgetting=0.2)
    student.learn(FIRST, np.array([[0.6, 0.0]]))
    assert student.ability[0] == pytest.approx([0.6, 0.3 - 0.2 * (0.3 - 0.1)])
    for _ in range(300):
        student.learn(FIRST, np.array([[0.0, 0.0]]))
    assert student.ability[0] == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize("dimensions", [1, 2, 4])
@pytest.mark.parametrize("unfeasible", [0.0, 0.3, 0.9])
def test_that_share_of_tasks_stays_out_of_reach_of_the_ablest(dimensions: int, unfeasible: float) -> None:
    student = model([0.1] * dimensions, unfeasible=unfeasible)
    student.ability[0] = student.ceiling
    tasks = np.random.default_rng(1).random((20_000, dimensions))
    assert np.mean(student.expected(FIRST, tasks) > 0.75) == pytest.approx(1 - unfeasible, abs=0.015)


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from([0.0, 0.1, 1.0]),
    forgetting=st.sampled_from([0.0, 0.5, 1.0]),
    slope=st.sampled_from([0.0, 5.0, 300.0]),
    variety=st.sampled_from([0.0, 3.0]),
    difficulties=st.lists(st.floats(0, 1), min_size=1, max_size=30),
)
def test_abilities_stay_between_start_and_ceiling(difficulties: list[float], **population: Any) -> None:
    student = TaskModel(TaskSettings(noise=5.0, **population), 1, mastered_above=0.75)
    student.begin(FIRST, [0])
    for difficulty in difficulties:
        (outcome,) = student.learn(FIRST, np.array([[difficulty, 1 - difficulty]]))
        assert 0 <= outcome <= 1
        assert (student.ability >= student.start - 1e-12).all()
        assert (student.ability <= student.ceiling).all()


def test_outcomes_scatter_about_the_probability_of_success_by_the_noise() -> None:
    students, slots = TaskModel(TaskSettings(variety=0.0, rate=0.0), 4000, mastered_above=0.75), np.arange(4000)
    students.begin(slots, slots.tolist())
    outcomes = students.play(slots, np.full((4000, 2), 0.1))
    assert outcomes.mean() == pytest.approx(1 / 3, abs=4 * 0.05 / 4000**0.5)
    assert outcomes.std() == pytest.approx(0.05, rel=0.05)


def test_pass_or_fail_passes_as_often_as_the_probability_says() -> None:
    population = TaskSettings(variety=0.0, rate=0.0, outcomes="pass-or-fail")
    students, slots = TaskModel(population, 4000, mastered_above=0.75), np.arange(4000)
    students.begin(slots, slots.tolist())
    outcomes = students.play(slots, np.full((4000, 2), 0.1))
    assert set(outcomes.tolist()) == {0.0, 1.0}
    assert outcomes.mean() == pytest.approx(1 / 3, abs=4 * 0.47 / 4000**0.5)


def test_playing_a_task_teaches_nothing() -> None:
    student = model([0.5, 0.5])
    student.play(FIRST, np.array([[0.5, 0.5]]))
    assert student.ability[0].tolist() == [0.5, 0.5]


def test_irrelevant_parameters_make_no_difference() -> None:
    def outcomes(last: float) -> list[float]:
        env = SimulatedTasksEnv(irrelevant_dimensions=1)
        env.reset(seed=0)
        return [env.step(np.array([0.1, 0.1, last]))[4]["feedback"].outcome for _ in range(50)]

    assert outcomes(0.0) == outcomes(1.0)


def test_gains_telescope_to_final_minus_initial_score() -> None:
    env = SimulatedTasksEnv(budget=100, rate=0.02)
    start = env.reset(seed=0)[1]["score"]
    steps = [env.step(np.full(2, 0.1 + step / 300)) for step in range(100)]
    assert sum(step[1] for step in steps) == pytest.approx(steps[-1][4]["score"] - start)
    assert steps[-1][4]["score"] > start + 0.02
    assert env.evaluate().mean_return == pytest.approx(steps[-1][4]["score"])


def test_following_the_frontier_beats_random_tasks() -> None:
    def mastered(name: str) -> NDArray[np.float64]:
        finals = []
        for seed in range(5):
            env = SimulatedTasksEnv(reward="outcome")
            teach(env, make_teacher(name, env, seed=seed), seed=seed)
            finals.append(env.evaluate().mastered)
        return np.array(finals)

    random, oracle = mastered("random"), mastered("oracle")
    assert (oracle > 90).all()
    assert random.mean() < 50


def test_offers_are_what_was_asked_for() -> None:
    plain, asked = SimulatedTasksEnv().teaching_spec, SimulatedTasksEnv(probes="free", antagonist=True).teaching_spec
    assert (plain.has_probes, plain.offers) == (False, Needs.SUCCESS | Needs.EASY_TASKS | Needs.VALUES)
    assert (asked.has_probes, asked.offers) == (True, plain.offers | Needs.ANTAGONIST)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_a_vector_equals_single_environments(kind: dict[str, Any], mode: AutoresetMode) -> None:
    name = "teachgym/SimulatedTasks-v0"
    assert_equals_single_environments(name, mode, steps=260, size=3, truth="score", budget=115, **kind)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"slop": 3}, "unknown setting of SimulatedTasks 'slop'; did you mean 'slope'"),
        ({"dimensions": 0}, "dimensions is 0"),
        ({"irrelevant_dimensions": -1}, "irrelevant_dimensions is -1"),
        ({"slope": 1000}, "slope is 1000; expected a number in .0, 300.0."),
        ({"variety": float("nan")}, "variety is nan; expected a number, not nan"),
        ({"unfeasible": 2}, r"unfeasible is 2; expected a number in \[0, 1\]"),
        ({"mastered_above": 1.0}, "mastered_above is 1.0; expected a number between 0 and 1"),
        ({"budget": 0}, "budget is 0"),
        ({"reward": "joy"}, "reward is 'joy'"),
    ],
)
def test_arguments_that_are_not_allowed_are_named_with_the_fix(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimulatedTasksEnv(**arguments)
    with pytest.raises(ValueError, match=message):
        make_tasks(2, **arguments)


@pytest.mark.parametrize(("action", "message"), [([0.5, 1.5], "'x_1' is 1.5"), ([np.nan, 0.5], "'x_0' is nan")])
def test_a_vector_refuses_what_is_no_task(action: list[float], message: str) -> None:
    vector = make_tasks(2)
    vector.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        vector.step(np.array([[0.5, 0.5], action]))
    with pytest.raises(ValueError, match="expected 2 numbers for each slot"):
        vector.step(np.zeros((2, 3)))
