from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.shaping import spdl
from teachgym.agents.shaping.context_gaussian import ContextGaussian
from teachgym.agents.shaping.spdl import Spdl, SpdlSettings, trust_region_step
from teachgym.core.episode_trace import EpisodeTrace
from teachgym.core.feedback import Feedback, Transition
from teachgym.core.needs import Needs
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.testing import check_teacher
from tests.agents.specs import spec

BOX = spaces.Box(0.0, 10.0, (2,))
EAGER = SpdlSettings(update_every_episodes=20, alpha_zero_updates=0, initial_mean=(2.0, 2.0), initial_std=(1.0, 1.0))
"""In units of the box of 0 to 10: a centre of 0.2 and a width of 0.1."""


def valued(space: spaces.Box = BOX, easy: EasyTasks | None = None) -> TeachingSpec:
    offers = Needs.VALUES if easy is None else Needs.VALUES | Needs.EASY_TASKS
    return replace(spec(space), offers=offers, easy_tasks=easy)


def valued_answer(task: Any, value: float, rewards: tuple[float, ...] = (1.0,), cost: int = 1) -> Transition:
    trace = EpisodeTrace(np.array(rewards), np.array([value, *[0.0] * len(rewards)]))
    vector = np.array(task, dtype=np.float64)
    return Transition(None, task, 0.0, None, False, Feedback(vector, 0.0, False, cost, 0, trace=trace))


def teach(teacher: Spdl, episodes: int, value: Callable[[FloatArray], float], reward: float = 1.0) -> None:
    for _ in range(episodes):
        task = teacher.act(None)
        teacher.update(valued_answer(task, value(task), (reward,)))


def record(monkeypatch: pytest.MonkeyPatch) -> list[tuple[FloatArray, FloatArray, float]]:
    calls: list[tuple[FloatArray, FloatArray, float]] = []

    def step(old: Any, target: Any, contexts: FloatArray, values: FloatArray, *, alpha: float, max_kl: float) -> None:
        calls.append((contexts, values, alpha))

    monkeypatch.setattr(spdl, "trust_region_step", step)
    return calls


def test_without_knowledge_it_starts_at_a_random_point_with_a_tenth_of_the_range() -> None:
    starts = [Spdl(valued(), seed=seed).sampling() for seed in range(100)]
    np.testing.assert_allclose(np.mean([start.means[0] for start in starts], axis=0), 5, atol=0.8)
    np.testing.assert_allclose(starts[0].covariances[0], np.eye(2))


def test_it_starts_from_easy_tasks_where_there_are_some() -> None:
    easy = EasyTasks((0.0, 9.0), (0.0, 2.0))
    start = Spdl(valued(easy=easy), seed=0).sampling()
    np.testing.assert_allclose(start.means, [[0, 9]])
    np.testing.assert_allclose(start.covariances[0], np.diag([0.01, 4]))  # a hundredth of the range at least
    unused = Spdl(valued(easy=easy), SpdlSettings(use_easy_tasks=False), seed=0).sampling()
    np.testing.assert_allclose(unused.means, Spdl(valued(), seed=0).sampling().means)


def test_draws_come_from_the_gaussian_that_it_shows() -> None:
    teacher = Spdl(valued(), EAGER, seed=0)
    tasks = np.array([teacher.act(None) for _ in range(3000)])
    np.testing.assert_allclose(tasks.mean(axis=0), 2, atol=0.06)
    np.testing.assert_allclose(tasks.std(axis=0), 1, atol=0.05)
    assert teacher.origin == "context"
    assert teacher.sampling() is teacher.sampling()


def test_updates_follow_the_students_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch)
    teacher = Spdl(valued(), SpdlSettings(update_every_steps=50, first_update_steps=200), seed=0)
    sizes = []
    for _ in range(40):
        teacher.update(valued_answer([1, 1], 0, cost=30))
        sizes.append(len(calls))
    # At 210 steps, and then whenever 250, 300, 350, ... have been passed: at 270, 300, 360, 420, 450, ...
    assert [i * 30 for i in range(1, 41) if sizes[i - 1] > ([0, *sizes][i - 1])][:6] == [210, 270, 300, 360, 420, 450]
    assert [len(values) for _, values, _ in calls][:4] == [7, 2, 1, 2]


def test_updates_follow_answers_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch)
    teacher = Spdl(valued(), SpdlSettings(update_every_episodes=8), seed=0)
    teach(teacher, 31, lambda task: 0)
    assert [len(values) for _, values, _ in calls] == [8, 8, 8]


def test_at_most_1000_answers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch)
    teacher = Spdl(valued(), SpdlSettings(update_every_steps=1, first_update_steps=1100), seed=0)
    for i in range(1100):
        teacher.update(valued_answer([1, 1], i))
    assert calls[0][1].tolist() == list(range(100, 1100))


def test_alpha_is_zeta_times_performance_over_the_distance_from_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    start = ContextGaussian.diagonal(np.full(2, 0.2), np.full(2, 0.1))
    distance = start.kl(ContextGaussian.diagonal(np.full(2, 0.5), np.full(2, 0.25)))
    means: list[tuple[Any, float]] = [("return", 1 + 0.5 * 2 + 0.25 * 4), ("value", 7.0)]
    for performance, mean in means:
        calls = record(monkeypatch)
        settings = replace(EAGER, zeta=0.25, discount=0.5, performance=performance, alpha_zero_updates=2)
        teacher = Spdl(valued(), settings, seed=0)
        for _ in range(60):
            teacher.update(valued_answer([4, 5], 7, (1, 2, 4)))
        assert [alpha for *_, alpha in calls][:2] == [0, 0]
        assert calls[2][2] == pytest.approx(0.25 * mean / distance)
        np.testing.assert_allclose(calls[2][0], [[0.4, 0.5]] * 20)
        assert calls[2][1].tolist() == [7] * 20
    calls = record(monkeypatch)
    teach(Spdl(valued(), EAGER, seed=0), 20, lambda task: 5, reward=-100)
    assert calls[0][2] == 0  # performance is negative


def test_by_default_the_target_is_left_out_of_nine_updates_as_in_teachmyagent(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = record(monkeypatch)
    teach(Spdl(valued(), SpdlSettings(update_every_episodes=2), seed=0), 24, lambda task: 1.0)
    assert [alpha > 0 for *_, alpha in calls] == [False] * 9 + [True] * 3


@pytest.mark.learned
def test_with_a_heavy_target_it_goes_there_at_the_rate_of_the_radius() -> None:
    teacher = Spdl(valued(), replace(EAGER, zeta=1000.0, max_kl=0.1), seed=0)
    distances, moves = [], []
    for _ in range(40):
        before = teacher._context
        teach(teacher, 20, lambda task: 1.0)
        moves.append(before.kl(teacher._context))
        distances.append(teacher._context.kl(teacher._target))
    assert (np.diff(distances) <= 1e-9).all()
    assert distances[0] > 1
    assert distances[-1] < 0.01
    assert max(moves) <= 0.15
    assert min(moves[:4]) > 0.05  # as far as it may, as long as the target is far


@pytest.mark.learned
def test_without_a_target_it_follows_the_students_values() -> None:
    teacher = Spdl(valued(), replace(EAGER, alpha_zero_updates=1000, initial_mean=(5.0, 5.0)), seed=0)
    teach(teacher, 400, lambda task: float(task[0] - task[1]))
    mean = teacher.sampling().means[0]
    assert mean[0] > 6
    assert mean[1] < 4


def test_a_step_is_the_natural_gradient_scaled_to_the_radius() -> None:
    old = ContextGaussian(np.array([0.4, 0.6]), np.array([[0.1, 0.0], [0.05, 0.2]]))
    target = ContextGaussian.diagonal(np.full(2, 0.5), np.full(2, 0.25))
    rng = np.random.default_rng(0)
    contexts, values = old.draw(rng, 50), rng.normal(size=50)
    new = trust_region_step(old, target, contexts, values, alpha=0.3, max_kl=0.01)
    assert new is not None
    fisher = np.array([old.fisher_product(unit) for unit in np.eye(5)])
    gradient = old.log_density_gradient(contexts, values / 50) - 0.3 * old.kl_gradient(target)
    natural = np.linalg.solve(fisher + 0.01 * np.eye(5), gradient)
    expected = natural * np.sqrt(0.02 / (natural @ fisher @ natural))
    np.testing.assert_allclose(new.vector() - old.vector(), expected, rtol=1e-3)
    assert old.kl(new) == pytest.approx(0.01, rel=0.2)


def test_a_step_that_overshoots_is_halved() -> None:
    target = ContextGaussian.diagonal(np.full(2, 0.5), np.full(2, 0.25))
    near = ContextGaussian.diagonal(np.full(2, 0.51), np.full(2, 0.25))
    new = trust_region_step(near, target, np.full((1, 2), 0.5), np.zeros(1), alpha=1.0, max_kl=0.5)
    assert new is not None
    assert new.kl(target) <= near.kl(target) < 0.01
    assert near.kl(new) < 0.05


def test_there_is_no_step_where_nothing_is_better() -> None:
    target = ContextGaussian.diagonal(np.full(2, 0.5), np.full(2, 0.25))
    assert trust_region_step(target, target, np.full((3, 2), 0.5), np.zeros(3), alpha=1.0, max_kl=0.1) is None


def test_the_floor_under_widths_holds_until_the_target_is_near() -> None:
    def value(task: FloatArray) -> float:
        return float(-np.sum((task - 8) ** 2))

    lone = replace(EAGER, alpha_zero_updates=1000, initial_mean=(8.0, 8.0))
    free = Spdl(valued(), lone, seed=0)
    held = Spdl(valued(), replace(lone, std_floor=(0.8, 0.8), std_floor_above=0.5), seed=0)
    near = Spdl(valued(), replace(lone, std_floor=(0.8, 0.8), std_floor_above=1e6), seed=0)
    for teacher in (free, held, near):
        teach(teacher, 400, value)
    assert np.diag(free._context.factor).max() < 0.04
    assert np.diag(held._context.factor).min() >= 0.08
    assert near._context.factor.tolist() == free._context.factor.tolist()


@pytest.mark.learned
def test_30_dimensions_get_to_the_target() -> None:
    settings = replace(
        EAGER, initial_mean=(0.2,) * 30, initial_std=(0.1,) * 30, zeta=1000.0, max_kl=1.0, update_every_episodes=5
    )
    teacher = Spdl(valued(spaces.Box(0.0, 1.0, (30,))), settings, seed=0)
    teach(teacher, 600, lambda task: 1.0)
    assert teacher._context.kl(teacher._target) < 0.1


def test_a_student_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="it needs values"):
        Spdl(spec(), seed=0)


@pytest.mark.parametrize("settings", [EAGER, SpdlSettings(update_every_steps=1500, first_update_steps=3000)])
def test_it_keeps_the_contract(settings: SpdlSettings) -> None:
    settings = replace(settings, initial_mean=None, initial_std=None, alpha_zero_updates=2, performance="value")
    check_teacher(Spdl, settings=settings, episodes=150)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"update_every_steps": 0}, "update_every_steps is 0; expected a whole number, at least 1"),
        ({"first_update_steps": -1}, "first_update_steps is -1"),
        ({"update_every_episodes": 0}, "update_every_episodes is 0"),
        ({"max_kl": 0}, "max_kl is 0; expected a number above 0"),
        ({"zeta": -1}, "zeta is -1; expected a number, at least 0"),
        ({"alpha_zero_updates": -1}, "alpha_zero_updates is -1"),
        ({"performance": "reward"}, "performance is 'reward'; expected one of 'return', 'value'"),
        ({"discount": 1.5}, r"discount is 1.5; expected a number in \(0, 1\]"),
        ({"initial_mean": ("x",)}, "initial_mean is"),
        ({"target_std": (0.0,)}, "target_std is .* expected a list of numbers, each above 0"),
        ({"std_floor_above": -1.0}, "std_floor_above is -1.0"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpdlSettings(**setting)


def test_a_target_of_other_dimensions_or_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"target_std is .*; expected 2 finite numbers"):
        Spdl(valued(), SpdlSettings(target_std=(1.0,)), seed=0)
    with pytest.raises(ValueError, match=r"target_mean is .*; expected a point of the task space"):
        Spdl(valued(), SpdlSettings(target_mean=(1.0, 11.0)), seed=0)
