import numpy as np
import pytest

import teachgym
from teachgym.core.needs import Needs
from teachgym.envs.simulated.hypercubes import HypercubesEnv, HypercubesStudent
from teachgym.testing import check_teacher_env

KINDS = [
    {},
    {"dimensions": 3, "cubes_per_dimension": 4, "irrelevant_dimensions": 2},
    {"forgetting": 0.01, "reward": "gain"},
    {"probes": "counted", "reward": "learning-progress"},
    {"probes": "free", "antagonist": True, "budget": 201},
]


@pytest.mark.parametrize("settings", KINDS)
def test_it_keeps_the_contract(settings: dict[str, object]) -> None:
    check_teacher_env(lambda: HypercubesEnv(**{"budget": 200, **settings}))  # type: ignore[arg-type]


def visit(student: HypercubesStudent, *cube: int, times: int = 1) -> float:
    task = (np.array(cube) + 0.5) / 10
    return [student.learn(task) for _ in range(times)][-1]


def test_only_the_cube_at_the_origin_is_open_at_first() -> None:
    student = HypercubesStudent(10, 2, 0.0)
    assert [visit(student, i, j) for i in range(3) for j in range(3)] == [0.01] + 8 * [0.0]


@pytest.mark.parametrize("neighbour", [(1, 0), (0, 1), (1, 1)])
def test_a_cube_opens_when_one_below_it_in_any_dimensions_has_75(neighbour: tuple[int, int]) -> None:
    student = HypercubesStudent(10, 2, 0.0)
    visit(student, 0, 0, times=74)
    assert visit(student, *neighbour) == 0.0
    visit(student, 0, 0)
    assert visit(student, *neighbour) == 0.01
    assert visit(student, 2, 0) == 0.0


def test_competence_ends_at_100_and_above_75_is_mastered() -> None:
    student = HypercubesStudent(10, 2, 0.0)
    visit(student, 0, 0, times=75)
    assert student.score() == 0.0
    visit(student, 0, 0)
    assert student.score() == 0.01
    assert visit(student, 0, 0, times=100) == 1.0


def test_every_cube_can_be_mastered_in_the_order_of_the_grid_at_76_visits_each() -> None:
    student = HypercubesStudent(5, 2, 0.0)
    for i in range(5):
        for j in range(5):
            for _ in range(76):
                student.learn(np.array([i + 0.5, j + 0.5]) / 5)
    assert student.score() == 1.0


def test_a_cube_forgets_its_share_in_every_episode_that_visits_another() -> None:
    student = HypercubesStudent(10, 2, 0.01)
    level = 0.0
    for _ in range(50):
        level += 1
        assert visit(student, 0, 0) == pytest.approx(level / 100)
    visit(student, 9, 9, times=30)
    centre = np.array([[0.05, 0.05]])
    assert student.expected(centre)[0] == pytest.approx(0.5 * 0.99**30)
    assert visit(student, 0, 0) == pytest.approx(0.5 * 0.99**30 + 0.01)


def test_what_a_forgotten_cube_unlocked_closes_again() -> None:
    student = HypercubesStudent(10, 2, 0.01)
    visit(student, 0, 0, times=76)
    assert visit(student, 1, 0) > 0
    visit(student, 9, 9, times=30)
    before = student.play(np.array([0.15, 0.05]))
    assert visit(student, 1, 0) == pytest.approx(before)


def test_irrelevant_dimensions_make_no_difference() -> None:
    plain, padded = HypercubesEnv(budget=300), HypercubesEnv(budget=300, irrelevant_dimensions=3)
    plain.reset(seed=0)
    padded.reset(seed=0)
    rng = np.random.default_rng(0)
    for task in 0.3 * rng.random((300, 2)):
        outcomes = plain.step(task)[1], padded.step(np.append(task, rng.random(3)))[1]
        assert outcomes[0] == outcomes[1]


def test_gains_sum_to_the_share_of_mastered_cubes() -> None:
    env = HypercubesEnv(reward="gain", budget=500, forgetting=1e-4)
    _, info = env.reset(seed=0)
    assert info["mastered"] == 0.0
    total, over = 0.0, False
    rng = np.random.default_rng(0)
    while not over:
        _, reward, over, _, info = env.step(0.2 * rng.random(2))
        total += reward
    assert info["mastered"] == pytest.approx(total)
    assert total > 0
    assert env.evaluate().mastered == pytest.approx(100 * total)


def test_probes_tells_the_competence_and_changes_nothing() -> None:
    env = HypercubesEnv(probes="counted", budget=20)
    assert env.teaching_spec.has_probes
    env.reset(seed=0)
    here = np.array([0.05, 0.05])
    for count in range(1, 6):
        assert env.step({"decision": here, "probe": 0})[1] == count / 100
        _, reward, _, _, info = env.step({"decision": here, "probe": 1})
        assert reward == count / 100
        assert info["feedback"].probe
        assert info["feedback"].cost == 1
    assert env.spent == 10


def test_free_probes_costs_nothing() -> None:
    env = HypercubesEnv(probes="free", budget=2)
    env.reset(seed=0)
    for _ in range(10):
        *_, over, _, info = env.step({"decision": [0.05, 0.05], "probe": 1})
        assert not over
        assert info["spent"] == info["feedback"].cost == 0


def test_a_teacher_that_probes_for_nothing_and_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachgym.core.teacher_env.MOST_UNPAID", 20)
    env = HypercubesEnv(probes="free", budget=50)
    env.reset(seed=0)
    for probe in ([1] * 20 + [0]) * 2 + [1] * 20:
        env.step({"decision": [0.05, 0.05], "probe": probe})
    with pytest.raises(RuntimeError, match="the last 20 decisions have spent none"):
        env.step({"decision": [0.05, 0.05], "probe": 1})


def test_an_antagonist_learns_the_same_and_its_episodes_count() -> None:
    env = HypercubesEnv(antagonist=True, budget=10)
    assert Needs.ANTAGONIST in env.teaching_spec.offers
    env.reset(seed=0)
    *_, info = env.step([0.05, 0.05])
    assert info["feedback"].antagonist_outcome == info["feedback"].outcome == 0.01
    assert info["spent"] == info["feedback"].cost == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cubes_per_dimension": 0}, "cubes_per_dimension is 0"),
        ({"dimensions": 9}, "expected at most 1,000,000"),
        ({"forgetting": 1.5}, "forgetting is 1.5"),
        ({"budget": 0}, "budget is 0"),
        ({"reward": "fun"}, "reward is 'fun'"),
        ({"probes": "on"}, "probes is 'on'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HypercubesEnv(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("action", [[0.5, 0.5], {"task": [0.5, 0.5]}, {"decision": [0.5, 0.5], "probe": 2}])
def test_actions_beside_the_probes_space_are_refused(action: object) -> None:
    env = HypercubesEnv(probes="counted")
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r'"probe"|expected'):
        env.step(action)


def test_a_run_is_recorded() -> None:
    env = HypercubesEnv(budget=50)
    record = teachgym.teach(env, teachgym.make_teacher("random", env, seed=0), seed=0)
    assert record.tasks.shape == (50, 2)
    assert all(feedback.trace is None for feedback in record.feedback)
