"""A probe tells what a step would come to, spends what it took, and leaves no trace in the student."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from scipy.stats import spearmanr

from teachgym.base.files import read_state, write_state
from teachgym.data.engine import EngineError
from teachgym.envs.data.data_env import DataEnv
from teachgym.envs.data.skill_list import SkillListEnv
from teachgym.students.supervised.simulated import SimulatedSupervisedStudent
from teachgym.testing.equality import difference
from tests.data.toy import Practice, settings

COUNTS = np.array([20, 10, 0])
OTHER = np.array([0, 5, 25])
WHERE = [
    ("SkillList", "counts", COUNTS, {}),
    ("SkillList", "discrete", 1, {}),
    ("SkillList", "shares", np.array([0.5, 0.5, 0.0], np.float32), {"student": "simulated"}),
    ("SkillList", "counts", COUNTS, {"subject": "digits", "student": "mlp", "pad": 6}),
    ("SkillList", "counts", COUNTS, {"regime": "latest", "engine": "weak-then-strong"}),
    ("SkillList", "counts", COUNTS, {"checks": ("not-known", "not-duplicate")}),
    ("SkillList", "counts", COUNTS, {"student": "simulated", "checks": ("not-known", "not-duplicate")}),
    ("SkillTree", "menu", np.array([1, 1, 0]), {}),
    ("SkillTree", "menu", np.array([1, 1, 0]), {"student": "simulated"}),
    ("OpenEnded", "discrete", 3, {}),
]


def make(env: str, action: str, **more: Any) -> DataEnv[Any]:
    made = gymnasium.make(
        f"teachgym/{env}-v0", disable_env_checker=True, **{"rounds": 4, "action": action, **settings(**more)}
    ).unwrapped
    assert isinstance(made, DataEnv)
    return made


def counted(**more: Any) -> SkillListEnv:
    made = make("SkillList", "counts", **more)
    assert isinstance(made, SkillListEnv)
    return made


def everything(made: DataEnv[Any]) -> dict[str, Any]:
    """All that an episode goes on from, but for what is spent."""
    room = made.classroom
    return {
        "student": room.student.state_dict(),
        "data": [(example.prompt, example.target) for example in room.data],
        "keys": sorted(room._keys),
        "rounds": room.rounds,
        "answers": [answer.given for answer in room.answers],
        "rejected": dict(room.quality.rejected),
        "shown": made._shown_state(),
        "gain": made._gain.copy(),
        "score": made._score,
        "failures": list(made._failures),
    }


@pytest.mark.parametrize(("env", "action", "plan", "more"), WHERE)
def test_a_probe_leaves_the_student_unchanged_bit_for_bit_and_says_what_a_step_comes_to(
    env: str, action: str, plan: Any, more: dict[str, Any]
) -> None:
    more = dict(more)
    if more.pop("pad", 0):
        plan = np.array([*plan, 0, 0, 0])
    made, control = make(env, action, **more), make(env, action, **more)
    for one in (made, control):
        one.reset(seed=3)
        one.step(plan)
    before, spent = everything(made), made.classroom.expenses.examples
    feedback = made.probe(plan)
    assert feedback.probe
    assert difference(before, everything(made)) is None
    assert made.spent == spent + feedback.cost
    again = made.probe(plan) if action == "counts" else None
    assert again is None or again == feedback
    expected = control.step(plan)[4]["feedback"]
    assert (feedback.outcome, feedback.cost, feedback.decision) == (
        expected.outcome,
        expected.cost,
        expected.decision,
    )
    if action == "counts":
        done = made.step(plan)[4]["feedback"]
        assert not done.probe
        assert done == expected
        assert difference(everything(control), everything(made)) is None


def test_what_a_probe_takes_is_spent_and_the_steps_that_are_left_get_less() -> None:
    made = counted()
    made.reset(seed=0)
    assert made.size == 30
    before = made.classroom.expenses.validation_answers
    assert made.probe(COUNTS).cost == 30
    spent = made.classroom.expenses
    assert (spent.examples, spent.updates) == (30, 15)
    assert spent.engine >= 30  # what was held out is made again
    assert spent.validation_answers == 2 * before
    assert made.size == 22
    assert made.classroom.data == []
    *_, info = made.step(OTHER)
    assert (info["budget_used"], info["expenses"]["updates"]) == (60, 30)


def test_different_probes_differ_where_the_steps_would() -> None:
    made = counted(student_settings={"needed": 15})
    made.reset(seed=0)
    assert made.probe(np.array([20, 0, 0])).outcome == pytest.approx(1 / 3)
    assert made.probe(np.array([20, 20, 0])).outcome == pytest.approx(2 / 3)
    assert made.classroom.accuracy == 0


@pytest.mark.parametrize("student", ["simulated", "tests.data.toy:Practice"])
def test_an_episode_with_probes_goes_on_from_its_state(student: str, tmp_path: Path) -> None:
    def play(made: SkillListEnv, start: int, end: int) -> list[Any]:
        seen: list[Any] = []
        for step in range(start, end):
            if step % 2:
                seen.append(made.probe(np.array([0, step, 1])))
            observation, reward, _, _, info = made.step(np.array([4, step, 5]))
            seen += [observation.tolist(), reward, info["feedback"], info["expenses"]]
        return seen

    whole = counted(student=student, rounds=9)
    whole.keep_files(tmp_path / "whole")
    whole.reset(seed=2)
    expected = play(whole, 0, 8)
    for stop in (1, 2, 5):
        first, second = (counted(student=student, rounds=9) for _ in range(2))
        for made in (first, second):
            made.keep_files(tmp_path / str(stop))
        first.reset(seed=2)
        seen = play(first, 0, stop)
        if stop % 2:  # and a probe was the last that happened
            seen.append(first.probe(np.array([0, stop, 1])))
        write_state(tmp_path / "state.npz", first.state_dict())
        second.load_state_dict(read_state(tmp_path / "state.npz"))
        assert second.spent == first.spent
        if stop % 2:
            observation, reward, _, _, info = second.step(np.array([4, stop, 5]))
            seen += [observation.tolist(), reward, info["feedback"], info["expenses"]]
        seen += play(second, stop + stop % 2, 8)
        assert difference(seen, expected) is None


@pytest.mark.parametrize("env", ["SkillList", "SkillTree", "OpenEnded"])
def test_what_a_probe_asked_the_student_is_spent_once_and_stays_so(
    env: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make(env, "discrete", student="simulated", checks=("not-known",)) for _ in range(2))
    first.reset(seed=1)
    first.step(1)
    before, asked = first.classroom.expenses.probes, Mock()
    with monkeypatch.context() as patched:
        patched.setattr(first.classroom.student, "answer", asked)
        first.probe(1)
    asked.assert_not_called()
    assert first.classroom.expenses.probes > before > 0
    write_state(tmp_path / "state.npz", first.state_dict())
    second.load_state_dict(read_state(tmp_path / "state.npz"))
    assert second.classroom.expenses == first.classroom.expenses


def test_a_probe_that_would_leave_nothing_is_refused_and_spends_nothing() -> None:
    for more, action in (({}, np.array([200, 0, 0])), ({"spending_limit": 10.0}, COUNTS)):
        made = counted(**more)
        made.reset(seed=0)
        with pytest.raises(ValueError, match="would use up what is left of a budget"):
            made.probe(action)
        assert made.spent == 0
        made.step(OTHER)


def test_probes_that_can_not_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted()
    with pytest.raises(ResetNeeded, match=r"before probe\(\)"):
        made.probe(COUNTS)
    made.reset(seed=0)
    with pytest.raises(ValueError, match="whole numbers of examples"):
        made.probe([0.5, 1, 1])
    retrained = counted(regime="retrain")
    retrained.reset(seed=0)
    with pytest.raises(ValueError, match="regime is 'retrain'"):
        retrained.probe(COUNTS)

    def refuse(*_: Any) -> None:
        raise NotImplementedError("it is elsewhere")

    with monkeypatch.context() as patched:
        patched.setattr(Practice, "load_state_dict", refuse)
        with pytest.raises(ValueError, match="Practice with ProceduralEngine can't be copied"):
            made.probe(COUNTS)
    monkeypatch.setattr(made.classroom.engine, "client", (name for name in ("a connection",)), raising=False)
    with pytest.raises(ValueError, match="cannot pickle 'generator'"):
        made.probe(COUNTS)
    assert made.spent == 0


def test_what_an_engine_spent_on_a_probe_that_failed_is_spent() -> None:
    made = counted(engine="tests.data.toy:MoodyEngine", engine_settings={"fails_at": 1})
    made.reset(seed=0)
    with pytest.raises(EngineError, match="start it"):
        made.probe(COUNTS)
    assert (made.spent, made.classroom.expenses.engine) == (0, 0.5)


@pytest.mark.slow
def test_one_step_probes_rank_skills_as_their_data_helps() -> None:
    correlations = []
    for seed in range(5):
        made = SkillListEnv(
            action="discrete",
            subject="math",
            subject_settings={"validation_per_skill": 300},
            student="simulated",
            student_settings={"variety": 1.0},
            budget=3000,
            rounds=20,
        )
        made.reset(seed=seed)
        student = made.classroom.student
        assert isinstance(student, SimulatedSupervisedStudent)
        needed = np.bincount(student._skill, weights=student._needed)  # of each skill, before anything is learnt
        gains = [made.probe(skill).outcome for skill in range(6)]
        correlations.append(spearmanr(gains, -needed).statistic)
    assert np.mean(correlations) > 0.8
