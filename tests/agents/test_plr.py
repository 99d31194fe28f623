from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from teachgym.agents.replay.level_replay import LevelReplay
from teachgym.agents.replay.level_scores import LevelScore, ScoreSettings
from teachgym.agents.replay.plr import Plr, PlrSettings, RobustPlr, RobustPlrSettings
from teachgym.core.needs import Needs
from teachgym.core.requirements import Requirements
from teachgym.core.spaces import ProbeSpace
from teachgym.core.spec import EasyTasks, TeachingSpec
from teachgym.core.task_space import FloatArray
from teachgym.testing.teacher import check_teacher
from tests.agents.levels import Decision, answer, decide, level_problem, play, replays_per_hundred

EASY = EasyTasks((0.5, 5.0), (0.1, 0.2))
SMALL = RobustPlrSettings(capacity=40, least_filled=0.25)


def plain(settings: PlrSettings | None = None, seed: int = 0) -> Plr:
    return Plr(level_problem(), settings, seed=seed)


def robust(settings: RobustPlrSettings = SMALL, seed: int = 0) -> RobustPlr:
    return RobustPlr(level_problem(probes=True), settings, seed=seed)


def height(task: FloatArray) -> float:
    return float(task[0])


def zero(task: FloatArray) -> float:
    return 0.0


class Corner:
    """A student that learns in a ninth of the walker's space only: there its outcome rises and falls."""

    def __init__(self) -> None:
        self.visits = 0

    def __call__(self, task: FloatArray) -> float:
        self.visits += is_corner(task)
        return 350.0 if is_corner(task) and self.visits % 2 else -150.0


def is_corner(task: FloatArray) -> bool:
    return bool(task[0] <= 1 and task[1] <= 2)


def in_corner(decisions: list[Decision]) -> float:
    return float(np.mean([is_corner(decision.task) for decision in decisions]))


@pytest.mark.parametrize("score", ["outcome-change", "outcome-slope", "learnability"])
def test_where_one_corner_teaches_replays_go_there_more_often_than_uniform(score: Any) -> None:
    settings = PlrSettings(score=score, capacity=100, staleness_share=0.3)
    decisions = play(plain(settings), 1500, Corner())
    assert in_corner([decision for decision in decisions if decision.origin == "new"]) < 0.17  # a ninth is uniform
    assert in_corner([decision for decision in decisions if decision.origin == "replay"][-400:]) > 2 / 9


@pytest.mark.parametrize("teacher", [plain(PlrSettings(capacity=40)), robust()], ids=["plain", "robust"])
def test_where_one_corner_surprises_the_critic_replays_go_there(teacher: LevelReplay) -> None:
    decisions = play(teacher, 1000, zero, lambda task: float(is_corner(task)))
    replayed = [decision for decision in decisions if decision.origin == "replay"]
    assert len(replayed) > 50
    assert in_corner(replayed) > 0.4


def test_robust_plr_never_trains_on_an_unseen_level_and_always_on_a_replayed_one() -> None:
    seen: set[bytes] = set()
    origins = []
    for decision in play(robust(), 600, zero, height):
        origins.append(decision.origin)
        assert decision.probe == (decision.origin != "replay")
        assert decision.probe == (decision.task.tobytes() not in seen)
        seen.add(decision.task.tobytes())
    assert origins[:10] == ["new"] * 10  # until a quarter of 40 levels is stored
    assert 0.4 < np.mean([origin == "replay" for origin in origins[10:]]) < 0.6


def test_plain_plr_trains_on_all_even_where_it_could_screen() -> None:
    teacher = Plr(level_problem(probes=True), PlrSettings(capacity=5), seed=0)
    decisions = play(teacher, 60, zero, height)
    assert {decision.origin for decision in decisions} == {"new", "replay"}
    assert all(not decision.probe for decision in decisions)


def test_the_chance_of_a_replay_grows_with_the_filled_share_up_to_its_setting() -> None:
    replays = []
    for seed in range(300):
        teacher = plain(PlrSettings(capacity=10, replay_chance=0.5, least_filled=0.0), seed)
        play(teacher, 1, zero, height)
        replays.append([decision.origin == "replay" for decision in play(teacher, 60, zero, height, first=1)])
    shares = np.mean(replays, axis=0)
    assert 0.05 < shares[0] < 0.16  # one level of ten
    assert np.mean(shares[-20:]) == pytest.approx(0.5, abs=0.03)


def test_plain_plr_replays_from_a_full_store_on_as_often_as_in_the_source() -> None:
    teachers = [plain(PlrSettings(capacity=200), seed) for seed in range(4)]
    shares = np.mean([replays_per_hundred(teacher, 500) for teacher in teachers], axis=0)
    assert shares[:2].tolist() == [0, 0]
    # Counted once in the authors' code: .40, .64 and .47.
    np.testing.assert_allclose(shares[2:], 0.5, atol=0.08)


@pytest.mark.parametrize("schedule", ["fixed", "proportionate"])
def test_below_the_least_filled_share_neither_schedule_replays(schedule: Any) -> None:
    settings = PlrSettings(capacity=40, least_filled=0.25, replay_chance=1.0, replay_schedule=schedule)
    origins = [decision.origin for decision in play(plain(settings), 60, zero, height)]
    assert origins[:10] == ["new"] * 10
    assert "replay" in origins


def test_a_full_store_holds_the_best_of_what_was_seen() -> None:
    settings = RobustPlrSettings(capacity=20, staleness_share=0.0)
    teacher = robust(settings)
    decisions = play(teacher, 500, zero, height)
    best = sorted({decision.task[0] for decision in decisions})[-20:]
    assert sorted(teacher._store.state()["tasks"][:, 0]) == best
    assert sorted(teacher._store.state()["scores"]) == best


def test_levels_without_an_answer_are_never_replayed() -> None:
    teacher = robust(replace(SMALL, least_filled=0.0, replay_schedule="fixed"))
    for _ in range(50):
        assert decide(teacher).origin == "new"
    answered = decide(teacher)
    answer(teacher, 50, answered, 0.0, 1.0)
    later = [decide(teacher) for _ in range(200)]
    replays = [decision for decision in later if decision.origin == "replay"]
    assert len(replays) > 50
    assert all(decision.task.tolist() == answered.task.tolist() for decision in replays)


def test_levels_without_a_score_are_never_replayed() -> None:
    teacher = robust(replace(SMALL, least_filled=0.0))
    assert all(decision.origin == "new" for decision in play(teacher, 100, zero, lambda task: float("nan")))


def test_a_replay_without_a_score_keeps_the_one_before() -> None:
    teacher = plain(PlrSettings(capacity=1, replay_chance=1.0))
    play(teacher, 1, zero, height)
    before = teacher._store.state()["scores"].tolist()
    assert play(teacher, 5, zero, lambda task: float("inf"), first=1)[-1].origin == "replay"
    assert teacher._store.state()["scores"].tolist() == before


def test_answers_may_come_late_and_in_any_order() -> None:
    teacher = plain(PlrSettings(capacity=30))
    decisions = [decide(teacher) for _ in range(30)]
    for number in np.random.default_rng(0).permutation(30):
        answer(teacher, int(number), decisions[number], 0.0, height(decisions[number].task))
    expected = sorted((*decision.task, decision.task[0]) for decision in decisions)
    stored = np.column_stack([teacher._store.state()["tasks"], teacher._store.state()["scores"]])
    assert sorted(map(tuple, stored)) == expected


def test_answers_to_unknown_decisions_and_levels_since_replaced_change_nothing() -> None:
    teacher = plain(PlrSettings(capacity=1, replay_chance=1.0, staleness_share=0.0))
    play(teacher, 1, zero, lambda task: 1.0)
    replay = decide(teacher)
    assert replay.origin == "replay"
    teacher._store.offer(np.array([0.1, 0.2]), 2.0, np.zeros(0), handed_out=1, now=1)
    answer(teacher, 1, replay, 0.0, 50.0)
    answer(teacher, 1, replay, 0.0, 60.0)
    answer(teacher, 77, replay, 0.0, 70.0)
    assert teacher._store.state()["scores"].tolist() == [2]
    assert teacher._store.state()["tasks"].tolist() == [[0.1, 0.2]]


def test_a_task_seen_again_updates_its_level_unless_told_otherwise() -> None:
    for unique, count in [(True, 1), (False, 3)]:
        teacher = plain(PlrSettings(capacity=9, replay_chance=0.0, unique=unique))
        for number in range(3):
            decide(teacher)
            answer(teacher, number, Decision(np.ones(2), True, "new"), 0.0, float(number))
        assert len(teacher._store) == count
        assert teacher._store.state()["scores"][count - 1] == 2


def test_a_new_level_is_compared_with_the_nearest_known() -> None:
    teacher = plain(PlrSettings(score="outcome-change", replay_chance=0.0))
    for number, (task, outcome) in enumerate([([0, 0], -150), ([3, 6], 350), ([0.1, 0.3], 100), ([2.9, 6], 100)]):
        decide(teacher)
        answer(teacher, number, Decision(np.array(task, dtype=np.float64), True, "new"), outcome)
    np.testing.assert_allclose(teacher._store.state()["scores"][:4], [0, 1, 0.5, 0.5])


@pytest.mark.parametrize(
    ("origin", "easy", "expected"),
    [
        ("uniform", EASY, (1.5, 3.0)),
        ("easy", EASY, (0.5, 5.0)),
        ("easy-if-offered", EASY, (0.5, 5.0)),
        ("easy-if-offered", None, (1.5, 3.0)),
    ],
)
def test_new_levels_are_uniform_or_easy(origin: Any, easy: EasyTasks | None, expected: tuple[float, float]) -> None:
    teacher = Plr(level_problem(easy=easy), PlrSettings(new_levels=origin), seed=0)
    tasks = np.array([decide(teacher).task for _ in range(500)])
    np.testing.assert_allclose(tasks.mean(axis=0), expected, atol=0.2)


def test_needs_follow_from_the_settings() -> None:
    assert Plr.requirements(PlrSettings()).needs == Needs.VALUES
    assert RobustPlr.requirements(RobustPlrSettings()) == Requirements((ProbeSpace,), needs=Needs.VALUES)
    assert not Plr.requirements(PlrSettings(score="outcome-slope")).needs
    outcomes_only = TeachingSpec(spaces.Box(0, 1, (2,)), spaces.Box(0, 1, (1,)), (0, 1), 0.5)
    Plr(outcomes_only, PlrSettings(score="outcome-change"), seed=0)
    with pytest.raises(ValueError, match="it needs values, and the environment offers nothing beyond outcomes"):
        Plr(outcomes_only, seed=0)
    with pytest.raises(ValueError, match="it acts on ProbeSpace, and the action space is TaskSpace"):
        RobustPlr(level_problem(), seed=0)
    with pytest.raises(ValueError, match="it needs easy tasks, and the environment offers success, values"):
        Plr(level_problem(), PlrSettings(new_levels="easy"), seed=0)


def test_the_defaults_are_those_of_the_sources() -> None:
    plain_settings, robust_settings = PlrSettings(), RobustPlrSettings()
    shared = {"priority": "rank", "temperature": 0.1, "score_rate": 1.0, "replay_chance": 0.5, "greedy_share": 0.05}
    of_plain = {"score": "value-l1", "replay_schedule": "proportionate", "staleness_share": 0.3, "capacity": 4000}
    of_robust = {"score": "positive-value-loss", "least_filled": 0.5, "staleness_share": 0.5, "capacity": 1000}
    for settings, expected in [(plain_settings, shared | of_plain), (robust_settings, shared | of_robust)]:
        assert {name: getattr(settings, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"replay_chance": 1.5}, "replay_chance is 1.5"),
        ({"replay_schedule": "linear"}, "replay_schedule is 'linear'; expected one of 'fixed', 'proportionate'"),
        ({"least_filled": -1}, "least_filled is -1"),
        ({"new_levels": "hard"}, "new_levels is 'hard'"),
        ({"capacity": 0}, "capacity is 0"),
        ({"score": "regret"}, "score is 'regret'"),
    ],
)
def test_bad_settings_are_named(setting: dict[str, Any], message: str) -> None:
    for settings in (PlrSettings, RobustPlrSettings):
        with pytest.raises(ValueError, match=message):
            settings(**setting)


QUICK: list[tuple[type[LevelReplay], Any]] = [
    (Plr, PlrSettings(capacity=1, replay_schedule="fixed", score="max-mc", unique=False)),
    (Plr, PlrSettings(capacity=8, score="outcome-change", priority="proportional", staleness_share=0.0)),
    (Plr, PlrSettings(capacity=8, score="policy-entropy", priority="top-k", replace_ties=False, score_rate=0.5)),
    (RobustPlr, RobustPlrSettings(capacity=8, score="learnability", priority="greedy", new_levels="easy")),
    (RobustPlr, RobustPlrSettings(capacity=8, score="outcome-slope", priority="max", least_filled=0.0)),
]


@pytest.mark.parametrize(("teacher", "settings"), QUICK)
def test_they_keep_the_contract(teacher: type[LevelReplay], settings: Any) -> None:
    check_teacher(teacher, settings=settings, episodes=60)


def test_entropies_are_asked_for_by_their_score_only() -> None:
    assert Plr.requirements(PlrSettings(score="policy-entropy")).needs == Needs.ENTROPIES
    assert LevelScore(ScoreSettings(score="policy-entropy"), level_problem()).memory == 0
