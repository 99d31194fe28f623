from typing import Any

import numpy as np
import pytest

from teachgym.agents.replay.accel import Accel, AccelSettings
from teachgym.agents.replay.editors import edit_sizes
from teachgym.core.feedback import Feedback
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import FloatArray, Parameter, TaskSpace
from teachgym.testing.made_up import made_up_specs
from teachgym.testing.teacher import check_teacher
from tests.agents.levels import Decision, answer, decide, level_problem, play, replays_per_hundred
from tests.agents.specs import WALKER

EASY = EasyTasks((0.1, 5.9), (0.1, 0.1))


def accel(seed: int = 0, *, easy: EasyTasks | None = EASY, **settings: Any) -> Accel:
    chosen = AccelSettings(**{"capacity": 40, "least_filled": 0.25, "replay_batch": 8, **settings})
    return Accel(level_problem(probes=True, easy=easy), chosen, seed=seed)


def zero(task: FloatArray) -> float:
    return 0.0


def height(task: FloatArray) -> float:
    return float(task[0])


def of(decisions: list[Decision], origin: str) -> list[Decision]:
    return [decision for decision in decisions if decision.origin == origin]


def test_only_replays_train() -> None:
    decisions = play(accel(), 500, zero, height)
    assert {decision.origin for decision in decisions} == {"new", "replay", "edited"}
    assert all(decision.probe == (decision.origin != "replay") for decision in decisions)
    seen: set[bytes] = set()
    for decision in decisions:
        assert decision.probe or decision.task.tobytes() in seen
        seen.add(decision.task.tobytes())


def test_each_batch_of_answered_replays_has_as_many_children_which_are_played_at_once() -> None:
    decisions = play(accel(), 500, zero, height)
    replays = children = 0
    for decision in decisions:
        due = replays // 8 * 8 - children
        assert (decision.origin == "edited") == (due > 0)
        replays += decision.origin == "replay"
        children += decision.origin == "edited"
    assert children > 100


def test_children_lie_within_the_edits_of_a_level_of_their_batch_and_in_the_box() -> None:
    decisions = play(accel(bases="batch"), 800, zero, height)
    sizes, children = 3 * edit_sizes(WALKER), 0
    batch: list[FloatArray] = []
    for decision in decisions:
        if decision.origin == "replay":
            batch.append(decision.task)
        elif decision.origin == "edited":
            children += 1
            assert decision.task in WALKER
            parent = batch[-8:][(children - 1) % 8]  # each of the batch in turn
            assert (np.abs(decision.task - parent) <= sizes + 1e-12).all()
    assert children > 100


def test_levels_grow_from_easy_ones_to_where_the_score_is_best() -> None:
    decisions = play(accel(), 3000, zero, height)
    assert max(decision.task[0] for decision in of(decisions, "new")) < 0.6
    assert np.mean([decision.task[0] for decision in of(decisions, "replay")[-100:]]) > 2


def test_without_easy_tasks_new_levels_are_uniform() -> None:
    tasks = np.array([decide(accel(seed, easy=None)).task for seed in range(200)])
    np.testing.assert_allclose(tasks.mean(axis=0), [1.5, 3], atol=0.35)


def test_children_may_be_left_out() -> None:
    decisions = play(accel(edit_chance=0.0), 400, zero, height)
    assert not of(decisions, "edited")
    some = of(play(accel(edit_chance=0.5), 1500, zero, height), "edited")
    all_of_them = of(play(accel(), 1500, zero, height), "edited")
    assert 0.3 < len(some) / len(all_of_them) < 0.95


def told(outcome: float) -> Feedback:
    return Feedback(np.zeros(2), outcome, False, 1, 0)


def test_easy_bases_are_the_levels_with_the_best_outcome_less_score() -> None:
    teacher = accel(bases="easy", easy_bases=2, edits=1, edit_sizes=(1e-6, 1e-6), replay_batch=4)
    teacher._replayed(np.array([0.1, 0.0]), told(100), 90.0)
    teacher._replayed(np.array([0.2, 0.0]), told(100), 5.0)
    teacher._replayed(np.array([0.3, 0.0]), told(-100), 1.0)
    teacher._replayed(np.array([0.4, 0.0]), told(70), 0.0)
    children = [decide(teacher) for _ in range(4)]
    assert {child.origin for child in children} == {"edited"}
    np.testing.assert_allclose([child.task[0] for child in children], [0.2, 0.4, 0.2, 0.4], atol=1e-5)


def test_children_enter_the_store_by_their_score() -> None:
    teacher = accel(capacity=4, staleness_share=0.0)
    decisions = play(teacher, 400, zero, height)
    best = sorted(height for height, _ in {tuple(decision.task) for decision in decisions})[-4:]
    assert sorted(teacher._store.state()["tasks"][:, 0]) == best
    assert any(decision.task[0] in best for decision in of(decisions, "edited"))


def test_replays_without_an_answer_are_not_edited() -> None:
    teacher = accel(bases="batch", replay_schedule="fixed", replay_chance=1.0, replay_batch=3)
    play(teacher, 10, zero, height)
    open_replays = [decide(teacher) for _ in range(20)]
    assert {decision.origin for decision in open_replays} == {"replay"}
    for number in (25, 12, 17):
        answer(teacher, number, open_replays[number - 10], 0.0, 1.0)
    parents = np.array([open_replays[i].task for i in (15, 2, 7)])
    children = [decide(teacher) for _ in range(3)]
    assert {child.origin for child in children} == {"edited"}
    assert (np.abs(np.array([child.task for child in children]) - parents) <= 3 * edit_sizes(WALKER) + 1e-12).all()
    assert decide(teacher).origin == "replay"


def test_from_half_full_on_replays_come_as_often_as_in_the_source() -> None:
    teachers = [accel(seed, capacity=200, least_filled=0.5, edit_chance=0.0) for seed in range(4)]
    shares = np.mean([replays_per_hundred(teacher, 500) for teacher in teachers], axis=0)
    assert shares[0] == 0
    np.testing.assert_allclose(shares[1:], [0.61, 0.75, 0.86, 0.87], atol=0.07)  # counted in the authors' code


def test_the_sizes_of_edits_may_be_set() -> None:
    space = TaskSpace([Parameter("a", 0.0, 10.0, harder=0.6), Parameter("b", 0.0, 1.0)])
    spec = level_problem(probes=True, space=space)
    for settings, expected in [
        ({}, [0.6, 0.05]),
        ({"edit_steps": None, "edit_share": 0.1}, [1.0, 0.1]),
        ({"edit_sizes": (3.0, 0.0)}, [3.0, 0.0]),
    ]:
        teacher = Accel(spec, AccelSettings(**settings), seed=0)  # type: ignore[arg-type]
        np.testing.assert_allclose(teacher._sizes, expected)
    with pytest.raises(ValueError, match="expected 2 finite numbers"):
        Accel(spec, AccelSettings(edit_sizes=(1.0,)), seed=0)


def test_the_defaults_are_those_of_the_source() -> None:
    settings = AccelSettings()
    assert (settings.score, settings.priority, settings.temperature) == ("positive-value-loss", "rank", 0.1)
    assert (settings.replay_chance, settings.replay_schedule) == (0.9, "proportionate")
    assert (settings.least_filled, settings.capacity, settings.staleness_share) == (0.5, 1000, 0.5)
    assert (settings.edits, settings.edit_chance, settings.bases, settings.easy_bases) == (3, 1.0, "easy", 4)
    assert Accel.requirements(settings) == Requirements((ProbeSpace,), needs=Needs.VALUES)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"replay_batch": 0}, "replay_batch is 0; expected a whole number, at least 1"),
        ({"edit_chance": 2}, "edit_chance is 2"),
        ({"bases": "hard"}, "bases is 'hard'; expected one of 'batch', 'easy'"),
        ({"easy_bases": 0}, "easy_bases is 0"),
        ({"edits": 0}, "edits is 0"),
        ({"edit_sizes": ("a",)}, "edit_sizes is"),
        ({"edit_steps": 0}, "edit_steps is 0; expected a number above 0"),
        ({"edit_share": 0}, r"edit_share is 0; expected a number in \(0, 1\]"),
        ({"temperature": -1}, "temperature is -1"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AccelSettings(**setting)


def easy_problems() -> list[TeachingSpec]:
    return made_up_specs(Requirements((ProbeSpace,), needs=Needs.VALUES | Needs.EASY_TASKS))


@pytest.mark.parametrize(
    ("settings", "specs"),
    [
        (AccelSettings(capacity=8, least_filled=0.25, replay_batch=5, bases="batch", edit_chance=0.5), easy_problems()),
        (AccelSettings(capacity=1, replay_batch=1, score="outcome-change", edit_steps=None), None),
    ],
)
def test_it_keeps_the_contract(settings: AccelSettings, specs: list[TeachingSpec] | None) -> None:
    check_teacher(Accel, settings=settings, episodes=60, specs=specs)
