"""What a curriculum offers teachers beyond outcomes: values, probes, an antagonist, a fresh student."""

from typing import Any

import numpy as np
import pytest

from teachgym import make_teacher, teach
from teachgym.core.needs import NOTHING, Needs
from teachgym.testing import check_teacher_env
from tests.envs.tasks.curricula import (
    QUICK_PPO,
    QUICK_SAC,
    equal_weights,
    make_countdown,
    make_env,
    run,
    tasks_for,
    weights,
)
from tests.toy import Countdown

STUDENTS = [("ppo", QUICK_PPO), ("ppo", QUICK_PPO | {"slots": 3}), ("sac", QUICK_SAC)]


def make_ppo(**settings: Any) -> Any:
    return make_env(student="ppo", student_settings=QUICK_PPO, steps=200, **settings)


@pytest.mark.parametrize(("student", "settings"), STUDENTS)
@pytest.mark.parametrize("extras", [{"probes": "counted"}, {"probes": "free"}, {"antagonist": True}])
def test_it_keeps_the_contract(student: str, settings: dict[str, Any], extras: dict[str, Any]) -> None:
    check_teacher_env(lambda: make_env(student=student, student_settings=settings, steps=100, **extras))


@pytest.mark.parametrize(("student", "settings"), STUDENTS)
def test_values_and_rewards_are_those_of_the_episode(student: str, settings: dict[str, Any]) -> None:
    env = make_env(student=student, student_settings=settings, steps=100)
    assert Needs.VALUES in env.teaching_spec.offers
    env.reset(seed=0)
    draw, seen = tasks_for(env), 0
    for _ in range(12):
        *_, info = env.step(draw())
        feedback = info["feedback"]
        if feedback is None:
            continue
        seen += 1
        rewards, values = feedback.trace.rewards, feedback.trace.values
        assert rewards.shape == (5,)
        assert values.shape == (6,)
        assert rewards.sum() == pytest.approx(feedback.outcome)
        assert values[-1] == 0.0
        assert np.all(values[:-1] != 0.0)
        assert np.array_equal(values, feedback.trace.values)
    assert seen > 5


def test_a_time_out_leaves_the_estimate_of_what_would_have_come() -> None:
    env = make_env(student="ppo", student_settings=QUICK_PPO, world=lambda: Countdown(times_out=True))
    env.reset(seed=0)
    *_, info = env.step([3.0, 0.5])
    assert info["feedback"].trace.values[-1] != 0.0


def test_ppo_learns_to_tell_the_return_of_a_task_in_raw_units() -> None:
    settings = {**QUICK_PPO, "slots": 4, "rollout_steps": 32, "batch_size": 32, "epochs": 10, "learning_rate": 0.01}
    env = make_env(student="ppo", student_settings=settings, steps=12_000, world=lambda: Countdown(longest=3.0))
    env.reset(seed=0)
    rng, told, true = np.random.default_rng(0), [], []
    over = False
    while not over:
        task = np.array([2.5, rng.choice([-1.0, 1.0])])
        *_, over, _, info = env.step(task)
        if info["feedback"] is not None and env.spent > 10_000:
            told.append(info["feedback"].trace.values[0])
            true.append(info["feedback"].outcome)
    assert np.mean(np.abs(np.array(told) - np.array(true))) < 0.5
    assert np.ptp(true) == 6.0


def test_ppo_tells_the_entropy_of_its_policy() -> None:
    env = make_ppo()
    assert Needs.ENTROPIES in env.teaching_spec.offers
    env.reset(seed=0)
    *_, info = env.step([0.5])
    normal = 0.5 * np.log(2 * np.pi * np.e)
    assert info["feedback"].trace.entropies == pytest.approx(np.full(5, normal))


def test_only_what_is_asked_for_is_traced_and_tracing_changes_nothing() -> None:
    whole, half, quiet = make_ppo(), make_ppo(), make_ppo()
    half.lifetime.traces, quiet.lifetime.traces = Needs.ENTROPIES, NOTHING
    expected = [answer for answer in run(whole) if answer is not None]
    for env in (half, quiet):
        answers = [answer for answer in run(env) if answer is not None]
        assert [answer.outcome for answer in answers] == [answer.outcome for answer in expected]
        assert equal_weights(weights(whole), weights(env))
        if env is quiet:
            assert all(answer.trace is None for answer in answers)
            continue
        for answer, other in zip(answers, expected, strict=True):
            assert answer.trace is not None
            assert answer.trace.values is None
            assert np.array_equal(answer.traced("entropies"), other.traced("entropies"))


def test_a_trace_is_what_the_student_thinks_when_the_step_returns_and_stays_so() -> None:
    env = make_env(student="ppo", student_settings=QUICK_PPO, steps=200, world=Countdown)
    env.reset(seed=0)
    traces, thought = [], []
    for _ in range(20):
        *_, info = env.step([3.0, 0.5])
        traces.append(info["feedback"].trace)
        thought.append(env.lifetime.student.values(np.array([[3.0, 0.5], [2.0, 0.5], [1.0, 0.5]], dtype=np.float32)))
    np.testing.assert_allclose([trace.values[:-1] for trace in traces], thought, rtol=1e-4, atol=1e-6)
    assert len({values[0] for values in thought}) > 2, "the student has learnt in between"


def test_teaching_has_traced_what_its_teacher_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    env, traced = make_ppo(), []
    values = env.lifetime.student.values

    def counted(observations: Any) -> Any:
        traced.append(len(observations))
        return values(observations)

    monkeypatch.setattr(env.lifetime.student, "values", counted)
    teach(env, make_teacher("random", env, seed=0), seed=0)
    assert not traced
    teach(env, make_teacher("plr", env, seed=0), seed=0)
    assert len(traced) == 40
    assert env.lifetime.traces is None


def test_probes_leaves_the_student_as_it_is_and_counts() -> None:
    plain, probed = make_ppo(), make_ppo(probes="free")
    assert probed.teaching_spec.has_probes
    plain.reset(seed=0)
    probed.reset(seed=0)
    draw = tasks_for(plain)
    for number in range(10):
        task = draw()
        decisions = []
        for trial in range(2):
            *_, info = probed.step({"decision": [0.3], "probe": 1})
            feedback = info["feedback"]
            assert feedback.probe
            assert feedback.cost == 0
            assert feedback.decision == 3 * number + trial
            assert feedback.trace.rewards.sum() == pytest.approx(feedback.outcome)
            decisions.append(feedback.outcome)
        assert decisions[0] != decisions[1], "each probe explores differently"
        *_, info = probed.step({"decision": task, "probe": 0})
        *_, expected = plain.step(task)
        assert info["feedback"].outcome == expected["feedback"].outcome
        assert info["feedback"].decision == 3 * number + 2
    assert equal_weights(weights(plain), weights(probed))
    assert plain.spent == probed.spent


def test_counted_probes_spends_the_budget_to_the_step() -> None:
    env = make_countdown(steps=10, probes="counted")
    env.reset(seed=0)
    *_, info = env.step({"decision": [4.0, 1.0], "probe": 1})
    assert (info["spent"], info["feedback"].outcome, info["feedback"].cost) == (4, 4.0, 4)
    env.step({"decision": [4.0, 1.0], "probe": 0})
    assert env.spent == 8
    *_, over, _, info = env.step({"decision": [4.0, 1.0], "probe": 1})
    assert info["feedback"] is None
    assert over
    assert env.spent == 10


def test_what_the_last_episode_taught_is_learnt_also_where_probes_spends_the_rest() -> None:
    env = make_env(student="sac", student_settings=QUICK_SAC, steps=50, probes="counted")
    env.reset(seed=0)
    for _ in range(8):
        env.step({"decision": [0.5], "probe": 0})
    env.step({"decision": [0.5], "probe": 1})
    before = weights(env)
    *_, over, _, info = env.step({"decision": [0.5], "probe": 1})
    assert over
    assert info["feedback"].trace.values.shape == (6,)
    assert not equal_weights(before, weights(env))


def test_protagonist_and_antagonist_play_the_same_tasks_with_other_weights() -> None:
    env = make_ppo(antagonist=True)
    assert Needs.ANTAGONIST in env.teaching_spec.offers
    answers = [answer for answer in run(env) if answer is not None]
    assert len(answers) == 20
    assert env.spent == 200
    for answer in answers:
        assert answer.cost == 10
        assert answer.antagonist_outcome != answer.outcome
    alone = make_env(student="ppo", student_settings=QUICK_PPO, steps=100)
    expected = [answer.outcome for answer in run(alone) if answer is not None]
    assert [answer.outcome for answer in answers] == expected, "the protagonist learns as it would alone"


def test_with_several_slots_every_pair_is_about_one_decision() -> None:
    env = make_countdown(slots=3, steps=200, antagonist=True)
    env.reset(seed=0)
    draw, tasks, over = tasks_for(env), [], False
    while not over:
        tasks.append(draw())
        *_, over, _, info = env.step(tasks[-1])
        feedback = info["feedback"]
        if feedback is not None:
            assert np.array_equal(feedback.task, tasks[feedback.decision])
            assert feedback.antagonist_outcome == feedback.outcome
    assert env.spent == 200


@pytest.mark.parametrize("slots", [1, 3])
def test_a_forgotten_student_begins_again_within_the_same_budget(slots: int) -> None:
    env = make_env(student="ppo", student_settings=QUICK_PPO | {"slots": slots}, steps=200)
    env.reset(seed=0)
    draw, over, steps = tasks_for(env), False, 0
    first = weights(env)
    while not over:
        _, _, over, _, _ = env.step(draw())
        steps += 1
        if steps == 20:
            trained = weights(env)
            env.lifetime.replace_student()
            fresh = weights(env)
    assert env.spent == 200
    assert not equal_weights(first, trained)
    assert not equal_weights(first, fresh)
    assert not equal_weights(trained, fresh)
