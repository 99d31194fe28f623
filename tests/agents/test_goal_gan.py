from typing import Any

import numpy as np
import pytest
import torch

from teachgym.agents.shaping.goal_gan import GoalGan, GoalGanSettings
from teachgym.base.packing import unpack
from teachgym.core.needs import NOTHING, Needs
from teachgym.core.spec import EasyTasks
from teachgym.core.task_space import FloatArray
from teachgym.core.teacher import Note
from teachgym.testing import check_teacher
from tests.agents.lessons import lesson, lessons, unit_problem

SMALL = GoalGanSettings(
    train_every=10,
    iterations=5,
    pretrain_iterations=5,
    batch_size=8,
    generator_hidden=(16,),
    discriminator_hidden=(16,),
)


class Band:
    """A student that masters tasks left of 0.3, fails right of 0.5, and does either between."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, task: FloatArray) -> float:
        return 1.0 if task[0] < 0.3 else float(task[0] < 0.5 and self.rng.random() < 0.5)


def in_band(tasks: FloatArray) -> float:
    return float(np.mean((tasks[:, 0] >= 0.3) & (tasks[:, 0] < 0.5)))


@pytest.mark.parametrize("offers", [NOTHING, Needs.EASY_TASKS])
def test_it_keeps_the_contract(offers: Needs) -> None:
    check_teacher(GoalGan, settings=SMALL, episodes=120, offers=offers)


def test_it_keeps_the_contract_with_everything_at_its_limit() -> None:
    settings = GoalGanSettings(
        rollouts=3,
        train_every=1,
        iterations=2,
        noise=0,
        min_distance=0,
        max_mastered=1,
        batch_size=1,
        generator_hidden=(),
        discriminator_hidden=(),
        reach=1,
    )
    check_teacher(GoalGan, settings=settings, episodes=60)


@pytest.mark.parametrize("seed", [0, 1])
def test_where_one_band_is_neither_too_hard_nor_too_easy_it_goes_there(seed: int) -> None:
    teacher = GoalGan(unit_problem(), GoalGanSettings(noise=0.1, replay_share=0), seed=seed)
    tasks = lessons(teacher, 1200, Band())
    assert in_band(tasks[800:]) > 0.45  # a fifth is uniform, and noise of 0.1 takes many out of a band of 0.2
    assert in_band(teacher.generate(500)) > 0.9


@pytest.mark.learned
def test_pretrained_on_easy_tasks_it_starts_there() -> None:
    """Generators swing about their target: single means spread by 0.03 here, with the seed as with the processor."""
    easy = EasyTasks((0.2, 0.7), (0.05, 0.1))
    pretrained = [GoalGan(unit_problem(Needs.EASY_TASKS, easy=easy), seed=seed) for seed in range(4)]
    tasks = np.array([[teacher.act(None) for _ in range(200)] for teacher in pretrained])
    np.testing.assert_allclose(tasks.mean(axis=1), np.tile(easy.mean, (4, 1)), atol=0.15)
    np.testing.assert_allclose(tasks.mean(axis=(0, 1)), easy.mean, atol=0.06)
    np.testing.assert_allclose(tasks.std(axis=1).mean(axis=0), easy.std, atol=0.05)


@pytest.mark.learned
def test_without_pretraining_easy_tasks_change_nothing() -> None:
    easy = EasyTasks((0.2, 0.7), (0.05, 0.1))
    untrained = GoalGan(unit_problem(Needs.EASY_TASKS, easy=easy), GoalGanSettings(pretrain=False), seed=0)
    plain = GoalGan(unit_problem(), seed=0)
    for _ in range(5):
        np.testing.assert_array_equal(untrained.act(None), plain.act(None))


@pytest.mark.learned
def test_the_generator_reaches_all_of_the_box_and_no_more() -> None:
    for reach in (1.0, 2.0):
        teacher = GoalGan(unit_problem(low=2.0, high=4.0), GoalGanSettings(reach=reach), seed=0)
        for bias, expected in ((-50.0, 2.0), (0.0, 3.0), (0.25 * np.log(3), 3 + np.tanh(0.25 * np.log(3)) * reach)):
            last: Any = teacher._generator[4]
            torch.nn.init.zeros_(last.weight)
            torch.nn.init.constant_(last.bias, bias)
            np.testing.assert_allclose(teacher.generate(2), expected, rtol=1e-6)


def test_a_task_is_offered_twice_and_labelled_by_its_own_two_answers() -> None:
    teacher = GoalGan(unit_problem(), GoalGanSettings(replay_share=0), seed=0)
    tasks = [teacher.act(None) for _ in range(6)]
    for first in (0, 2, 4):
        np.testing.assert_array_equal(tasks[first], tasks[first + 1])
    for decision, outcome in ((5, 1), (0, 1), (3, 0), (1, 1), (2, 0), (4, 0), (77, 1)):
        lesson(teacher, decision, tasks[min(decision, 5)], outcome)
    state = teacher.state_dict()
    np.testing.assert_array_equal(list(unpack(state["tasks"])), [tasks[0], tasks[2], tasks[4]])
    assert list(unpack(state["labels"])) == [False, False, True]  # always, never, once of two
    np.testing.assert_array_equal(state["mastered"], [tasks[0]])


def test_only_tasks_apart_from_all_others_are_remembered_and_the_newest_of_them() -> None:
    settings = GoalGanSettings(rollouts=1, min_distance=0.1, max_mastered=2, pretrain=False)
    teacher = GoalGan(unit_problem(), settings, seed=0)
    places = [0.1, 0.15, 0.3, 0.5]  # the diagonal is sqrt(2), so 0.14 is too near
    for decision, place in enumerate(places):
        teacher._notes[decision] = Note("generator", teacher._offers.begin(np.array([place, 0.5])))
        lesson(teacher, decision, [place, 0.5], 1)
    assert teacher.state_dict()["mastered"].tolist() == [[0.3, 0.5], [0.5, 0.5]]


def test_mastered_tasks_come_back_with_the_share_asked_for() -> None:
    teacher = GoalGan(unit_problem(), GoalGanSettings(rollouts=1, replay_share=0.3, noise=0.001), seed=0)
    teacher._mastered = np.array([[0.9, 0.1], [0.1, 0.9]])
    origins, tasks = [], []
    for _ in range(1000):
        tasks.append(teacher.act(None))
        origins.append(teacher.origin)
    replayed = np.array(tasks)[np.array(origins) == "replay"]
    assert 0.25 < len(replayed) / 1000 < 0.35
    distances = np.min(np.linalg.norm(replayed[:, None] - teacher._mastered, axis=2), axis=1)
    assert 0.0005 < distances.mean() < 0.003
    assert 0.4 < np.mean(replayed[:, 0] > 0.5) < 0.6


def test_it_trains_once_there_are_enough_labels_unless_none_is_positive() -> None:
    for outcome, trained in ((0.0, False), (1.0, True)):
        settings = GoalGanSettings(rollouts=1, success_max=1, train_every=5, iterations=1, replay_share=0)
        teacher = GoalGan(unit_problem(), settings, seed=0)
        before = teacher.state_dict()["generator"]
        lessons(teacher, 4, lambda task, outcome=outcome: outcome)  # type: ignore[misc]
        np.testing.assert_array_equal(teacher.state_dict()["generator"]["0.weight"], before["0.weight"])
        assert len(list(unpack(teacher.state_dict()["tasks"]))) == 4
        lessons(teacher, 1, lambda task, outcome=outcome: outcome, first=4)  # type: ignore[misc]
        after = teacher.state_dict()
        assert bool(np.any(after["generator"]["0.weight"] != before["0.weight"])) is trained
        assert not [*unpack(after["tasks"]), *unpack(after["labels"])]


def test_a_training_is_the_published_losses_by_rmsprop() -> None:
    """The first iteration recomputed: gradients of both losses by finite differences, one RMSProp step each."""
    settings = GoalGanSettings(generator_hidden=(), discriminator_hidden=(), batch_size=4, reach=1, learning_rate=0.01)
    teacher = GoalGan(unit_problem(dimensions=1, low=-1.0), settings, seed=0)
    before = teacher.state_dict()
    tasks, labels = np.array([[0.5], [-0.5], [0.1], [0.9]]), np.array([True, False, True, False])
    seed = int(np.random.default_rng(3).integers(2**32))
    noise = torch.randn(4, 1, generator=torch.Generator().manual_seed(seed)).numpy()
    teacher.rng = np.random.default_rng(3)
    teacher._train(tasks, labels, 1)
    generator = np.concatenate([before["generator"][f"0.{name}"].ravel() for name in ("weight", "bias")])
    judge = np.concatenate([before["discriminator"][f"0.{name}"].ravel() for name in ("weight", "bias")])

    def made(g: FloatArray) -> FloatArray:
        return np.asarray(np.tanh(noise * g[0] + g[1]), dtype=np.float64)

    def judge_loss(d: FloatArray) -> float:
        known, new = tasks * d[0] + d[1], made(generator) * d[0] + d[1]
        wanted = np.where(labels, 1.0, -1.0)[:, None]
        return float((np.sum((known - wanted) ** 2) + np.sum((new + 1) ** 2)) / 8)

    def descend(loss: Any, at: FloatArray) -> FloatArray:
        steps = np.eye(2) * 1e-5
        slope = np.array([(loss(at + step) - loss(at - step)) / 2e-5 for step in steps])
        return np.asarray(at - 0.01 * slope / np.sqrt(0.1 * slope**2), dtype=np.float64)

    judge = descend(judge_loss, judge.astype(np.float64))
    generator = descend(
        lambda g: float(np.mean((made(g) * judge[0] + judge[1] - 1) ** 2)), generator.astype(np.float64)
    )
    after = teacher.state_dict()
    np.testing.assert_allclose(after["discriminator"]["0.weight"][0, 0], judge[0], rtol=1e-4)
    np.testing.assert_allclose(after["discriminator"]["0.bias"][0], judge[1], atol=1e-5)
    np.testing.assert_allclose(after["generator"]["0.weight"][0, 0], generator[0], rtol=1e-4)
    np.testing.assert_allclose(after["generator"]["0.bias"][0], generator[1], atol=1e-5)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"rollouts": 0}, "rollouts is 0; expected a whole number, at least 1"),
        ({"success_min": 0.8}, "success_min is 0.8; expected no more than success_max, 0.75"),
        ({"success_max": 1.1}, "success_max is 1.1"),
        ({"replay_share": -0.1}, "replay_share is -0.1"),
        ({"noise": -1}, "noise is -1; expected a number, at least 0"),
        ({"max_mastered": 0}, "max_mastered is 0"),
        ({"reach": 0}, "reach is 0; expected a number above 0"),
        ({"generator_hidden": (16, 0)}, "generator_hidden is .16, 0.; expected"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GoalGanSettings(**setting)
