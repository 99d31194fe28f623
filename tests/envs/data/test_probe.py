"""A probe tells what a step would come to, spends what it took, and leaves no trace in the student."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from scipy.stats import spearmanr

from teachgym.base.files import read_state, write_state
from teachgym.base.state import Stateful
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


def make(env: str, action: str, **more: Any) -> DataEnv:
    arguments = {"rounds": 4, "action": action, "probes": "counted", **settings(**more)}
    made = gymnasium.make(f"teachgym/{env}-v0", disable_env_checker=True, **arguments).unwrapped
    assert isinstance(made, DataEnv)
    return made


def counted(**more: Any) -> SkillListEnv:
    made = make("SkillList", "counts", **more)
    assert isinstance(made, SkillListEnv)
    return made


def learn(made: DataEnv, action: Any) -> Any:
    """A step that is kept."""
    return made.step({"decision": action, "probe": 0})


def probe(made: DataEnv, action: Any) -> Any:
    """What a probe says."""
    return made.step({"decision": action, "probe": 1})[4]["feedback"]


def everything(made: DataEnv) -> dict[str, Any]:
    """All that an episode goes on from, but for what is spent."""
    room = made.lifetime
    return {
        "student": room.student.state_dict(),
        "data": [(example.prompt, example.target) for example in room.data],
        "keys": sorted(room._keys),
        "answers": [answer.given for answer in room.answers],
        "rejected": dict(room.quality.rejected),
        "kept": {name: kept for name, kept in Stateful.state(room).items() if name not in ("expenses", "decisions")},
        "failures": list(made.lifetime.failures),
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
        learn(one, plan)
    before, spent = everything(made), made.lifetime.expenses.examples
    feedback = probe(made, plan)
    assert feedback.probe
    assert difference(before, everything(made)) is None
    assert made.spent == spent + feedback.cost
    again = probe(made, plan) if action == "counts" else None
    assert again is None or again == replace(feedback, decision=again.decision)
    expected = learn(control, plan)[4]["feedback"]
    assert (feedback.outcome, feedback.cost, feedback.decision) == (
        expected.outcome,
        expected.cost,
        expected.decision,
    )
    if action == "counts":
        done = learn(made, plan)[4]["feedback"]
        assert not done.probe
        assert done == replace(expected, decision=done.decision)
        assert difference(everything(control), everything(made)) is None


def test_what_a_probe_takes_is_spent_and_the_steps_that_are_left_get_less() -> None:
    made = counted()
    made.reset(seed=0)
    assert made.lifetime.size == 30
    before = made.lifetime.expenses.validation_answers
    assert probe(made, COUNTS).cost == 30
    spent = made.lifetime.expenses
    assert (spent.examples, spent.updates) == (30, 15)
    assert spent.engine >= 30  # what was held out is made again
    assert spent.validation_answers == 2 * before
    assert made.lifetime.size == 22
    assert made.lifetime.data == []
    *_, info = learn(made, OTHER)
    assert (info["budget_used"], info["expenses"]["updates"]) == (60, 30)


def test_different_probes_differ_where_the_steps_would() -> None:
    made = counted(student_settings={"needed": 15})
    made.reset(seed=0)
    assert probe(made, np.array([20, 0, 0])).outcome == pytest.approx(1 / 3)
    assert probe(made, np.array([20, 20, 0])).outcome == pytest.approx(2 / 3)
    assert made.lifetime.accuracy == 0


@pytest.mark.parametrize("student", ["simulated", "tests.data.toy:Practice"])
def test_an_episode_with_probes_goes_on_from_its_state(student: str, tmp_path: Path) -> None:
    def play(made: SkillListEnv, start: int, end: int) -> list[Any]:
        seen: list[Any] = []
        for step in range(start, end):
            if step % 2:
                seen.append(probe(made, np.array([0, step, 1])))
            observation, reward, _, _, info = learn(made, np.array([4, step, 5]))
            seen += [observation.tolist(), reward, info["feedback"], info["expenses"]]
        return seen

    whole = counted(student=student, rounds=9)
    whole.lifetime.keep_files(tmp_path / "whole")
    whole.reset(seed=2)
    expected = play(whole, 0, 8)
    for stop in (1, 2, 5):
        first, second = (counted(student=student, rounds=9) for _ in range(2))
        for made in (first, second):
            made.lifetime.keep_files(tmp_path / str(stop))
        first.reset(seed=2)
        seen = play(first, 0, stop)
        if stop % 2:  # and a probe was the last that happened
            seen.append(probe(first, np.array([0, stop, 1])))
        write_state(tmp_path / "state.npz", first.state_dict())
        second.load_state_dict(read_state(tmp_path / "state.npz"))
        assert second.spent == first.spent
        if stop % 2:
            observation, reward, _, _, info = learn(second, np.array([4, stop, 5]))
            seen += [observation.tolist(), reward, info["feedback"], info["expenses"]]
        seen += play(second, stop + stop % 2, 8)
        assert difference(seen, expected) is None


@pytest.mark.parametrize("env", ["SkillList", "SkillTree", "OpenEnded"])
def test_what_a_probe_asked_the_student_is_spent_once_and_stays_so(
    env: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make(env, "discrete", student="simulated", checks=("not-known",)) for _ in range(2))
    first.reset(seed=1)
    learn(first, 1)
    before, asked = first.lifetime.expenses.other_answers, Mock()
    with monkeypatch.context() as patched:
        patched.setattr(first.lifetime.student, "answer", asked)
        probe(first, 1)
    asked.assert_not_called()
    assert first.lifetime.expenses.other_answers > before > 0
    write_state(tmp_path / "state.npz", first.state_dict())
    second.load_state_dict(read_state(tmp_path / "state.npz"))
    assert second.lifetime.expenses == first.lifetime.expenses


def test_a_probe_that_would_leave_nothing_is_refused_and_spends_nothing() -> None:
    for more, action in (({}, np.array([200, 0, 0])), ({"spending_limit": 10.0}, COUNTS)):
        made = counted(**more)
        made.reset(seed=0)
        with pytest.raises(ValueError, match="would use up what is left of a budget"):
            probe(made, action)
        assert made.spent == 0
        learn(made, OTHER)


def test_probes_that_can_not_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted()
    with pytest.raises(ResetNeeded, match=r"before step\(\)"):
        probe(made, COUNTS)
    made.reset(seed=0)
    with pytest.raises(ValueError, match="whole numbers of examples"):
        probe(made, [0.5, 1, 1])
    retrained = counted(regime="retrain")
    retrained.reset(seed=0)
    with pytest.raises(ValueError, match="regime is 'retrain'"):
        probe(retrained, COUNTS)

    def refuse(*_: Any) -> None:
        raise NotImplementedError("it is elsewhere")

    with monkeypatch.context() as patched:
        patched.setattr(Practice, "load", refuse)
        with pytest.raises(ValueError, match="Practice with ProceduralEngine can't be copied"):
            probe(made, COUNTS)
    monkeypatch.setattr(made.lifetime.engine, "client", (name for name in ("a connection",)), raising=False)
    with pytest.raises(ValueError, match="cannot pickle 'generator'"):
        probe(made, COUNTS)
    assert made.spent == 0


def test_what_an_engine_spent_on_a_probe_that_failed_is_spent() -> None:
    made = counted(engine="tests.data.toy:MoodyEngine", engine_settings={"fails_at": 1})
    made.reset(seed=0)
    with pytest.raises(EngineError, match="start it"):
        probe(made, COUNTS)
    assert (made.spent, made.lifetime.expenses.engine) == (0, 0.5)


@pytest.mark.slow
def test_one_step_probes_rank_skills_as_their_data_helps() -> None:
    correlations = []
    for seed in range(5):
        made = SkillListEnv(
            action="discrete",
            probes="counted",
            subject="math",
            subject_settings={"validation_per_skill": 300},
            student="simulated",
            student_settings={"variety": 1.0},
            budget=3000,
            rounds=20,
        )
        made.reset(seed=seed)
        student = made.lifetime.student
        assert isinstance(student, SimulatedSupervisedStudent)
        needed = np.bincount(student._skill, weights=student._needed)  # of each skill, before anything is learnt
        gains = [probe(made, skill).outcome for skill in range(6)]
        correlations.append(spearmanr(gains, -needed).statistic)
    assert np.mean(correlations) > 0.8
